/**
 * What is to be said of a spec's problems before anything is sampled: the words that the run itself would be told, from
 * files that lie on this machine.
 */
import { bring, bytesOf, type Reach } from '../activities/benchmarks/bring.ts'
import type { DataSpec, Reward } from '../activities/contracts.ts'
import type { Reading } from '../activities/models/brought.ts'
import { gradientNotes } from '../activities/spec/gradient.ts'
import { rewardNotes } from '../activities/spec/notes.ts'
import type { Asked } from '../activities/spec/plan.ts'
import { dataNotes } from '../workflows/notes.ts'

/** Problems, and the rewards that learn from them. */
export interface Taught {
  readonly data: DataSpec
  readonly rewards: readonly Reward[]
}

/** The runs of a spec, if it is of any. */
export const trainedIn = (asked: Asked) =>
  asked.type === 'train' ? [asked.spec] : asked.type === 'sweep' ? asked.specs : []

/** Of the training itself, a line each. */
export function trainingNotes(asked: Asked): string[] {
  const notes = trainedIn(asked).flatMap((spec) => gradientNotes(spec).map((note) => `Training: ${note}`))
  return [...new Set(notes)]
}

/** Each set of problems once, with what would learn from it. */
export function taughtIn(asked: Asked): Taught[] {
  const sets = new Map<string, Taught>()
  const add = (data: DataSpec, rewards: readonly Reward[]) => {
    const key = JSON.stringify(data)
    sets.set(key, { data, rewards: [...(sets.get(key)?.rewards ?? []), ...rewards] })
  }
  if (asked.type === 'label') add(asked.spec.data, [])
  for (const { data, reward, steps } of trainedIn(asked)) add(data, steps > 0 ? [reward] : [])
  return [...sets.values()]
}

/** How many problems a set has, and what is to be said of them. Throws what would refuse the run. */
export async function readHere(
  { data, rewards }: Taught,
  reach: Reach,
  { reader, scratch, control }: Reading,
): Promise<{ readonly count: number; readonly notes: readonly string[] }> {
  const files = await bring(data, reach, scratch, control)
  const asked = { data, files, sizeBytes: await bytesOf(files), to: await scratch('problems.json') }
  const { count, findings } = await reader.ask('data', 'data', asked, control)
  const ofRewards = rewards.flatMap((reward) => rewardNotes(reward, { problems: count, findings }))
  return { count, notes: [...dataNotes(findings), ...ofRewards] }
}
