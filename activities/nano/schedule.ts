/** Pretraining as data: a recipe's phases, the learning rate of every update, and the documents in its batch. */
import type { Optimizer } from '../contracts.ts'
import type { Minibatch } from '../engine/port.ts'
import type { Layout } from './config.ts'
import { document } from './corpus.ts'
import { phases, recipes, type Phase, type PhaseName, type Recipe } from './recipes.ts'
import { encode } from './tokenizer.ts'

const batch = 64 // documents an update
const warmup = 100 // updates
const floor = 0.05 // of the peak, where the cosine ends

export const layoutOf = (recipe: Recipe): Layout => recipes[recipe].layout

export function phasesOf(recipe: Recipe): { phase: PhaseName; updates: number }[] {
  return recipes[recipe].phases.map((phase) => ({ phase, updates: phases[phase].updates }))
}

/** All that decides a phase's numbers besides its seed and where it starts. */
export interface Schedule extends Phase {
  readonly phase: PhaseName
  readonly batch: number
  readonly warmup: number
  readonly floor: number
}

export function scheduleOf(recipe: Recipe, phase: string): { schedule: Schedule; optimizer: Optimizer } {
  const name = phaseOf(recipe, phase)
  return {
    schedule: { phase: name, ...phases[name], batch, warmup, floor },
    optimizer: {
      name: 'adamw',
      learningRate: phases[name].learningRate,
      betas: [0.9, 0.95],
      eps: 1e-8,
      weightDecay: 0.01,
      maxGradNorm: 1,
    },
  }
}

/** Update i (from 0): a linear warm-up to the peak, then a cosine down to `floor` times it at the last update. */
export function learningRate({ updates, learningRate: peak }: Phase, update: number): number {
  if (update < warmup) return (peak * (update + 1)) / warmup
  const progress = (update - warmup) / Math.max(1, updates - 1 - warmup)
  return peak * (floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * progress)))
}

/** The loss is over the completion and the prompt's newline, so the newline belongs to what is learnt. */
export function pretrainingBatch(recipe: Recipe, phase: string, seed: number, update: number): Minibatch {
  const name = phaseOf(recipe, phase)
  const sequences = Array.from({ length: batch }, (_, i) => {
    const { prompt, completion } = document(name, seed, update * batch + i)
    const tokens = encode(prompt + completion)
    const learnt = tokens.slice(prompt.length - 1) // [T]
    return {
      group: prompt,
      prompt: tokens.slice(0, prompt.length - 1), // [11]
      completion: learnt,
      logprobs: learnt.map(() => 0), // the objective does not read them
      advantage: 1,
    }
  })
  return { sequences, learningRate: learningRate(phases[name], update) }
}

function phaseOf(recipe: Recipe, phase: string): PhaseName {
  const name = recipes[recipe].phases.find((one) => one === phase)
  if (name === undefined)
    throw new RangeError(`recipe ${recipe}: no phase ${phase}, it has ${recipes[recipe].phases.join(', ')}`)
  return name
}
