/** What the labels of a problem set are like: how many there are, how many of them are wrong, how sure the votes were. */
import type { Label, Labelled } from '../contracts.ts'
import { gradeAny } from '../grading/any.ts'
import { meanShare, shareOf } from './intervals.ts'
import { vote, type VoteRule } from './vote.ts'

/** The label of one problem from its samples' answers, and whether it is one of the gold answers. */
export function labelOf(
  problem: string,
  golds: readonly string[],
  answers: readonly (string | null)[],
  rule: VoteRule,
): Label {
  const samples = answers.length
  const voted = vote(answers, rule)
  if (voted === null)
    return { problem, label: '', votes: 0, answered: 0, samples, answers: 0, verdict: 'none' }
  const { verdict } = gradeAny({ golds, completion: voted.label, policy: { extract: 'whole' } })
  return { problem, ...voted, samples, verdict: verdict === 'correct' ? 'correct' : 'incorrect' }
}

/** Shares with Wilson's interval, the mean agreement with Student's: over problems, as one of many sets like this. */
export function labelledOf(rows: readonly Label[]): Labelled {
  const first = rows[0]
  if (first === undefined) throw new RangeError('labelledOf: expected at least one problem, found none')
  const voted = rows.filter(({ label }) => label !== '')
  const wrong = voted.filter(({ verdict }) => verdict !== 'correct').length
  return {
    problems: rows.length,
    samples: first.samples,
    labelled: voted.length,
    wrong,
    labelledShare: shareOf(voted.length, rows.length),
    wrongShare: voted.length === 0 ? null : shareOf(wrong, voted.length),
    agreement: voted.length === 0 ? null : meanShare(voted.map(({ votes, samples }) => votes / samples)),
  }
}
