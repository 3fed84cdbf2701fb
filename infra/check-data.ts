/**
 * What check-spec says of a spec's problems: what the run itself would be told before anything is sampled, read from
 * files that lie on this machine. What lies elsewhere is left out, and said so.
 */
import { stat } from 'node:fs/promises'
import { bring } from '../activities/benchmarks/bring.ts'
import { DataUnavailable } from '../activities/benchmarks/faults.ts'
import type { DataSpec, Reward } from '../activities/contracts.ts'
import type { Reading } from '../activities/models/brought.ts'
import { gradientNotes } from '../activities/spec/gradient.ts'
import { rewardNotes } from '../activities/spec/notes.ts'
import type { Asked } from '../activities/spec/plan.ts'
import { dataNotes } from '../workflows/notes.ts'

/** Problems, and the rewards that learn from them. */
interface Taught {
  readonly data: DataSpec
  readonly rewards: Reward[]
}

/** A line each. Throws what would refuse the run: InvalidData, InvalidReward. */
export async function notesOfData(asked: Asked, reading: Reading): Promise<string[]> {
  const specs = asked.type === 'train' ? [asked.spec] : asked.type === 'sweep' ? asked.specs : []
  const notes = specs.flatMap((spec) => gradientNotes(spec).map((note) => `Training: ${note}`))
  for (const taught of setsOf(asked)) notes.push(...(await notesOfSet(taught, reading)))
  return [...new Set(notes)]
}

/** Each set once, with what would be learnt from it. */
function setsOf(asked: Asked): Taught[] {
  const sets = new Map<string, Taught>()
  const add = (data: DataSpec, rewards: readonly Reward[]) => {
    const key = JSON.stringify(data)
    const known = sets.get(key) ?? { data, rewards: [] }
    known.rewards.push(...rewards)
    sets.set(key, known)
  }
  if (asked.type === 'label') add(asked.spec.data, [])
  const specs = asked.type === 'train' ? [asked.spec] : asked.type === 'sweep' ? asked.specs : []
  for (const { data, reward, steps } of specs) add(data, steps > 0 ? [reward] : [])
  return [...sets.values()]
}

async function notesOfSet(
  { data, rewards }: Taught,
  { reader, scratch, control }: Reading,
): Promise<string[]> {
  const { name, source } = data
  const elsewhere = source !== undefined && !source.startsWith('file://')
  const what = `data ${source ?? name}`
  const leftOut = (why: string) => [`${what}: ${why}; what is to be said of its problems is left out`]
  if (elsewhere) return leftOut('it is not on this machine')
  const offline = () => Promise.reject(new DataUnavailable('no folder that PLACEBO_DATA_DIR names has it'))
  const folder = process.env['PLACEBO_DATA_DIR'] ?? null
  try {
    const reach = { allow: ['file:///'], hub: {}, folder, fetch: offline }
    const files = await bring(data, reach, scratch, control)
    const sizes = await Promise.all(files.map(async ({ path }) => (await stat(path)).size))
    const ask = {
      data,
      files,
      sizeBytes: sizes.reduce((n, size) => n + size, 0),
      to: await scratch('problems'),
    }
    const { count: problems, findings } = await reader.ask('data', what, ask, control)
    const ofRewards = rewards.flatMap((reward) => rewardNotes(reward, { problems, findings }))
    return [...dataNotes(findings), ...ofRewards]
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined
    if (error instanceof DataUnavailable) return leftOut(error.message.replace(`${what}: `, ''))
    if (cause instanceof DataUnavailable) return leftOut(cause.message)
    throw error
  }
}
