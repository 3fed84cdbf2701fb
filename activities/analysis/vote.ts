/**
 * The answer that most samples of a problem give: the label of a problem nobody has solved (majority vote, arXiv
 * 2506.10947 section 2.1; self-consistency, arXiv 2203.11171), and maj@k of an evaluation.
 *
 * Samples are taken in order. Each votes for the first answer so far that is the same as its own: `equivalent` asks the
 * grader, `string` compares texts, as the paper's published code counts. "The same" is no equivalence relation in a
 * grader that takes 50 and 0.5 for 50%, so an answer is compared with the first of each class, and the order decides.
 * Most votes win; of a tie the answer that came first, as `Counter.most_common` has it. A class is called what most of
 * its samples wrote, of a tie what came first. A sample without an answer, or with an empty one, has no vote.
 */
import { answerOf, equivalent, type Policy } from '../grading/index.ts'

export type VoteRule = 'equivalent' | 'string'

export interface Vote {
  readonly label: string
  readonly votes: number
  readonly answered: number
  /** Different answers. */
  readonly answers: number
}

interface Class {
  readonly first: string
  votes: number
  readonly spellings: Map<string, number>
}

/** `answers` [K] in the order of samples; null or '' for none. Null where nobody voted. */
export function vote(answers: readonly (string | null)[], rule: VoteRule): Vote | null {
  const given = answers.filter((answer) => answer !== null && answer !== '') as string[]
  const classes: Class[] = []
  const known = new Map<string, Class>() // by text, so that only new texts are compared
  for (const answer of given) {
    const own = known.get(answer) ?? classOf(answer, classes, rule)
    known.set(answer, own)
    own.votes += 1
    own.spellings.set(answer, (own.spellings.get(answer) ?? 0) + 1)
  }
  const winner = most(classes, ({ votes }) => votes)
  if (winner === undefined) return null
  const label = most([...winner.spellings], ([, count]) => count)![0]
  return { label, votes: winner.votes, answered: given.length, answers: classes.length }
}

/** The answer with which a completion votes: what the grader would look at, white space around it aside. */
export function voteOf(completion: string, extract: Policy['extract']): string | null {
  return answerOf(completion, extract)?.trim() ?? null
}

function classOf(answer: string, classes: Class[], rule: VoteRule): Class {
  const same = rule === 'equivalent' ? classes.find(({ first }) => equivalent(first, answer)) : undefined
  if (same !== undefined) return same
  const fresh = { first: answer, votes: 0, spellings: new Map<string, number>() }
  classes.push(fresh)
  return fresh
}

/** The first of those with the most. */
function most<T>(items: readonly T[], count: (item: T) => number): T | undefined {
  let best: T | undefined
  for (const item of items) if (best === undefined || count(item) > count(best)) best = item
  return best
}
