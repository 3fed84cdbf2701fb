/**
 * What makes two statements the same, and what they share. Compared as they are read: case, spaces, the marks between
 * which a formula stands, its spacing commands, and the last full stop do not count; every other sign does, since
 * 2 + 3 is not 2 - 3. Words are runs of letters and digits, signs left out, as in the 13-gram overlap of
 * arXiv 2005.14165, appendix C.
 */

/** Equal texts are the same statement. */
export function normalised(statement: string): string {
  return statement
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\\(?:left|right|displaystyle|quad|qquad)(?![a-z])|\\[()[\],;:! ]|[$~]/g, '')
    .replace(/\\[dt]frac(?![a-z])/g, '\\frac')
    .replace(/\s+/g, '')
    .replace(/[.,;:?!]+$/, '')
}

export function wordsOf(statement: string): string[] {
  return (
    statement
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  )
}

/** Every run of `size` words, in order; none where there are fewer. */
export function* gramsOf(words: readonly string[], size: number): Iterable<string> {
  for (let from = 0; from + size <= words.length; from++) yield words.slice(from, from + size).join(' ')
}
