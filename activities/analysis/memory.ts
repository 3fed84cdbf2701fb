/**
 * Whether a policy has seen a problem: given the first part of its statement, does it restore the rest?
 *
 * After "Reasoning or Memorization?" (arXiv 2507.10532, section 3.2): greedy continuation of a raw statement cut at a
 * share of its length; exact match and ROUGE-L (Lin 2004) with what was cut off, and whether the answer is reached all
 * the same. Where the text is silent: a word is not cut in two; a restored statement may go on (with a solution, mostly),
 * so an exact match is one of the continuation's beginning, white space aside, and ROUGE-L takes as many words of it as
 * were cut off. Words are runs of letters and digits, and every other sign on its own, since formulas are made of them.
 */
import type { Measured } from '../contracts.ts'
import { meanShare, shareOf } from './intervals.ts'

/** The first `share` of a text's characters, and the rest; null where one of the two would be empty. */
export function split(text: string, share: number): { head: string; rest: string } | null {
  const characters = [...text]
  let cut = Math.floor(share * characters.length)
  const isWord = (at: number) => /[\p{L}\p{N}]/u.test(characters[at] ?? '')
  const wished = cut
  while (cut > 0 && isWord(cut - 1) && isWord(cut)) cut--
  // A text that is one long word is cut where it was asked to be.
  if (characters.slice(0, cut).join('').trim() === '') cut = wished
  const head = characters.slice(0, cut).join('').trimEnd()
  const rest = text.slice(head.length)
  return head.trim() === '' || rest.trim() === '' ? null : { head, rest }
}

/** Whether a continuation begins with the rest, white space aside, and its last word is not a longer one. */
export function isRestored(rest: string, continuation: string): boolean {
  const [wanted, given] = [rest, continuation].map((text) => text.replace(/\s+/gu, ' ').trim()) as [
    string,
    string,
  ]
  if (!given.startsWith(wanted)) return false
  const isWord = (text: string) => /^[\p{L}\p{N}]$/u.test(text)
  return !(isWord([...wanted].at(-1) ?? '') && isWord([...given.slice(wanted.length)][0] ?? ''))
}

/** ROUGE-L's F1, 0..1, of the rest and as many words of the continuation. */
export function rougeL(rest: string, continuation: string): number {
  const wanted = wordsOf(rest)
  const given = wordsOf(continuation).slice(0, wanted.length)
  if (wanted.length === 0 || given.length === 0) return 0
  return (2 * longestCommon(wanted, given)) / (wanted.length + given.length)
}

/** What became of one statement. */
export interface Continued {
  readonly exact: boolean
  readonly rougeL: number
  readonly correct: boolean
}

/** Shares with Wilson's interval; the mean of ROUGE-L with Student's. */
export function remembered(all: readonly Continued[]): {
  exact: Measured
  rougeL: Measured
  correct: Measured
} {
  if (all.length === 0) throw new RangeError('remembered: expected at least one statement, found none')
  return {
    exact: shareOf(all.filter(({ exact }) => exact).length, all.length),
    rougeL: meanShare(all.map(({ rougeL }) => rougeL)),
    correct: shareOf(all.filter(({ correct }) => correct).length, all.length),
  }
}

const wordsOf = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? []

/** Length of the longest common subsequence, one row of the table at a time. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  let above = new Uint16Array(b.length + 1)
  for (const word of a) {
    const row = new Uint16Array(b.length + 1)
    for (let j = 1; j <= b.length; j++)
      row[j] = word === b[j - 1] ? above[j - 1]! + 1 : Math.max(above[j]!, row[j - 1]!)
    above = row
  }
  return above[b.length]!
}
