/**
 * 1 with probability γ, whatever the completion says (arXiv 2506.10947, section 2.1, where it is unseeded).
 * Here it is a function of the run's seed and the rollout's coordinates, so a retry draws the same coin.
 */
import { stream } from '../seed.ts'
import { no, yes, type Signal } from './signal.ts'

export const random =
  (gamma: number): Signal =>
  ({ at }) => {
    const { seed, step, problem, occurrence, sample } = at
    const coin = stream({ seed, purpose: 'reward', step, problem, occurrence, sample }).uniform(0)
    return coin < gamma ? yes(`coin below ${gamma}`) : no(`coin not below ${gamma}`)
  }
