/**
 * Which grader gave a run its rewards, step by step. A table of rewards says it by the digest of what it was made from;
 * a run that goes on under another grader finds its earlier steps' there, whoever started it again and how.
 */
import { digestOf } from './checkpoint/canonical.ts'
import { readDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import { CorruptObject, type Store } from './checkpoint/store.ts'
import { readTable, rewardsTable } from './checkpoint/tables.ts'
import { CheckpointDocument, type Judged, type Reward } from './contracts.ts'
import { GRADER_VERSION } from './grading/index.ts'
import { graders } from './grading/versions.ts'

/** What the rewards of these rollouts are made from. */
export const rewardInputs = (rollouts: string, reward: Reward, grader: string = GRADER_VERSION): string =>
  digestOf({ rollouts, reward, grader })

/** The grader that a table of rewards was made by, from its `inputs`. */
export const graderOf = (inputs: string, rollouts: string, reward: Reward): string =>
  [GRADER_VERSION, ...graders].find((grader) => rewardInputs(rollouts, reward, grader) === inputs) ??
  'another version'

/** Of a committed step's rewards; null where they are not there, or not whole: then nothing is said of it. */
export async function graderAt(
  store: Store,
  run: string,
  step: number,
  reward: Reward,
): Promise<string | null> {
  try {
    const committed = await readDocument(store, keys.checkpoint(run, step), CheckpointDocument)
    const rollouts = committed?.learntFrom[0]?.rollouts
    if (rollouts === undefined) return null
    const table = await readTable(store, keys.rewards(run, step, 0), rewardsTable)
    return table && graderOf(table.inputs, rollouts, reward)
  } catch (error) {
    if (error instanceof CorruptObject) return null
    throw error
  }
}

/**
 * The graders of steps 1 to `to`, each with the first step that it judged. Graders follow each other, so where one took
 * over is found by halving: a run of a thousand steps under two graders reads some twelve tables.
 */
export async function gradersUpTo(store: Store, run: string, to: number, reward: Reward): Promise<Judged[]> {
  const known = new Map<number, string | null>()
  const at = async (step: number) => {
    const grader = known.get(step) ?? (await graderAt(store, run, step, reward))
    known.set(step, grader)
    return grader
  }
  const spans: Judged[] = []
  for (let last = to; last > 0; last = (spans[0]?.from ?? 1) - 1) {
    const grader = await at(last)
    if (grader === null) return spans
    // The first step known to be this grader's, and the last known not to be.
    let [from, before] = (await at(1)) === grader ? [1, 0] : [last, 1]
    while (from - before > 1) {
      const middle = Math.floor((from + before) / 2)
      if ((await at(middle)) === grader) from = middle
      else before = middle
    }
    spans.unshift({ grader, from })
  }
  return spans
}
