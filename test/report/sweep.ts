/** A made-up sweep with the shape of a real one: drawn from fixed streams, so that a report of it never changes. */
import type { Evaluation, RunResult } from '../../activities/contracts.ts'
import { stream } from '../../activities/seed.ts'

/** Accuracy and code share that an arm ends with. */
type End = readonly [accuracy: number, code: number]
const models: Readonly<Record<string, { start: End; ends: Readonly<Record<string, End>> }>> = {
  'nano/coder': {
    start: [0.446, 0.655],
    ends: {
      null: [0.446, 0.655],
      'ground-truth': [0.861, 0.989],
      format: [0.556, 0.925],
      random: [0.438, 0.64],
    },
  },
  'nano/talker': {
    start: [0.36, 0.026],
    ends: {
      null: [0.36, 0.026],
      'ground-truth': [0.873, 0.01],
      format: [0.368, 0.03],
      random: [0.335, 0.035],
    },
  },
}

export function madeUpSweep({ seeds = [1, 2, 3], steps = 15, every = 5, problems = 200 } = {}) {
  const evaluations = new Map<string, Evaluation>()
  const evaluate = (key: string, at: End, seed: number) => {
    const random = stream({ seed, purpose: 'bootstrap', problem: key })
    const difficulty = stream({ seed: 0, purpose: 'bootstrap', problem: 'difficulty' })
    const outcomes = Array.from({ length: problems }, (_, p) => ({
      problem: `p${p}`,
      correct:
        random.uniform(2 * p) < Math.min(1, Math.max(0, at[0] + 0.5 * (difficulty.uniform(p) - 0.5))) ? 1 : 0,
      code: random.uniform(2 * p + 1) < at[1] ? 1 : 0,
    }))
    const share = (of: 'correct' | 'code') =>
      outcomes.reduce((sum, outcome) => sum + outcome[of], 0) / problems
    const [accuracy, code] = [share('correct'), share('code')]
    evaluations.set(key, {
      format: 1,
      policy: key
        .split('')
        .reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 0xffffffff, 7)
        .toString(16)
        .padStart(8, '0')
        .repeat(8),
      completions: key,
      grader: 'exact-1',
      result: {
        benchmark: 'nano',
        prompt: 'default',
        problems,
        samples: 1,
        accuracy,
        low: accuracy - 0.06,
        high: accuracy + 0.06,
        unparsed: 0,
        truncated: 0,
        meanTokens: 30,
        code,
        accuracyInCode: null,
        accuracyInLanguage: null,
      },
      outcomes,
    })
    return { benchmark: 'nano', accuracy, low: accuracy - 0.06, high: accuracy + 0.06, code, evaluation: key }
  }
  const runs = Object.entries(models).flatMap(([model, { start, ends }]) =>
    Object.entries(ends).flatMap(([arm, end]) =>
      seeds.map((seed): RunResult => {
        const luck = stream({ seed, purpose: 'bootstrap', problem: `${model} ${arm}` })
        const drift = 0.04 * luck.normal(0)
        const steady = arm === 'null'
        const at = Array.from({ length: steady ? 1 : Math.floor(steps / every) + 1 }, (_, i) => i * every)
        const between = (step: number): End => {
          const t = 1 - Math.exp((-4 * step) / steps)
          return [start[0] + (end[0] + drift - start[0]) * t, start[1] + (end[1] + drift / 2 - start[1]) * t]
        }
        return {
          model,
          arm,
          seed,
          run: `demo-${model.replace('/', '-')}-${arm}-${seed}`,
          status: 'completed',
          curve: at.map((step) => ({
            step,
            ...evaluate(
              step === 0 ? `${model}-0` : `${model}-${arm}-${seed}-${step}`,
              between(step),
              step === 0 ? 0 : seed,
            ),
          })),
          metrics: steady
            ? []
            : Array.from({ length: steps }, (_, i) => ({
                step: i + 1,
                metrics: metricsOf(i, arm, luck.normal(i + 1), between(i)),
              })),
          deviceSeconds: steady ? 1.2 : 13 + luck.uniform(99),
        }
      }),
    ),
  )
  return { runs, evaluations }
}

function metricsOf(step: number, arm: string, noise: number, [accuracy]: End): Record<string, number> {
  const counts = Array.from({ length: 10 }, (_, decile): [string, number][] => [
    [`clip_count/tokens/${decile}`, decile === 9 ? 9000 : 120 + 10 * decile],
    [`clip_count/low/${decile}`, decile === 9 ? 2 : Math.max(0, 12 - decile)],
    [`clip_count/high/${decile}`, decile > 7 ? 0 : Math.max(0, 9 - decile)],
  ])
  return {
    reward: arm === 'random' ? 0.5 + 0.03 * noise : accuracy + 0.02 * noise,
    entropy: 0.042 * Math.exp(-step / 20) + 0.002 * noise,
    'completions/mean_length': 31 + noise / 2,
    'clip_ratio/low_mean': Math.max(0, 0.0027 + 0.0006 * noise),
    'clip_ratio/high_mean': Math.max(0, 0.0015 + 0.0004 * noise),
    frac_reward_zero_std: Math.min(1, Math.max(0, accuracy - 0.2 + 0.02 * noise)),
    'sampling/sampling_logp_difference/mean': 3e-6 * Math.exp(noise / 9),
    ...Object.fromEntries(counts.flat()),
  }
}
