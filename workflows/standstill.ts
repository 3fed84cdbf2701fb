/** What open activities say of a workflow to which no result comes: whether it computes, or what it waits for. */
import type { Pending } from '../activities/pending.ts'

type Rule = readonly [sentence: string, of: (one: Pending) => boolean]

const isCompute = ({ queue }: Pending) => queue === 'compute'

/** In this order: the first that some activity fulfils says what the whole is doing. */
const rules: readonly Rule[] = [
  ['computing', (one) => isCompute(one) && one.state === 'started'],
  ['waiting for a compute slot', (one) => isCompute(one) && one.state === 'scheduled'],
  ['working', (one) => one.state === 'started'],
  ['waiting for a light worker', (one) => one.state === 'scheduled'],
  ['waiting for its next attempt', (one) => one.state === 'between attempts'],
  ['waiting for somebody to unpause an activity', (one) => one.state === 'paused'],
]

/** The sentence, and the activity that it is about; null where nothing is open. */
export function sentenceOf(pending: readonly Pending[]): {
  sentence: string | null
  first: Pending | undefined
} {
  for (const [sentence, of] of rules) {
    const those = pending.filter(of)
    const [first] = those
    if (first === undefined) continue
    const waiting = sentence === 'computing' ? pending.filter(rules[1]![1]).length : 0
    const others =
      waiting > 0 ? `; ${waiting} more ${waiting === 1 ? 'waits' : 'wait'} for a compute slot` : ''
    return { sentence: `${sentence}${progressOf(first)}${others}${whyOf(first)}`, first }
  }
  return { sentence: null, first: undefined }
}

const progressOf = ({ at, state }: Pending) =>
  at === undefined || state !== 'started' ? '' : `: ${at.phase}, ${at.done} of ${at.total}`

/** Why it is not being worked on: what its last attempt said, this workflow's or a child's. */
const whyOf = ({ failure, state }: Pending) =>
  failure === undefined || state === 'started'
    ? ''
    : `, since ${failure.fault}: ${failure.message.replaceAll(/\s+/g, ' ').slice(0, 300)}`
