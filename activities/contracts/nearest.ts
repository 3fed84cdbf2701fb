/**
 * The known name that somebody probably meant: the nearest by letters put in, left out, exchanged or swapped with their
 * neighbour (optimal string alignment), where capitals and what joins words (`-`, `_`, `/`, spaces) count for nothing. A
 * name is near while at most a third of its letters differ. It imports nothing, so workflows may.
 */

/** Longer texts are no misspelt names; so this bounds the work as well. */
const mostCharacters = 60

/** ` (did you mean "x"?)`, or nothing where no name is near. */
export function didYouMean(found: unknown, known: Iterable<string>): string {
  const name = typeof found === 'string' ? nearest(found, known) : null
  return name === null ? '' : ` (did you mean ${JSON.stringify(name)}?)`
}

/** The nearest of the known names, of several the first; null where none is near, or `found` is one itself. */
export function nearest(found: string, known: Iterable<string>): string | null {
  if (found.length > mostCharacters) return null
  const letters = bare(found)
  let best: { readonly name: string; readonly distance: number } | null = null
  for (const name of known) {
    if (name === found) return null
    const distance = distanceOf(letters, bare(name))
    const near = Math.max(1, Math.floor(Math.max(letters.length, bare(name).length) / 3))
    if (letters !== '' && distance <= near && distance < (best?.distance ?? Infinity))
      best = { name, distance }
  }
  return best?.name ?? null
}

const bare = (name: string) => name.toLowerCase().replaceAll(/[-_/\s]/g, '')

/** Of two texts of at most some sixty characters. */
export function distanceOf(a: string, b: string): number {
  // rows[i][j]: the distance of the first i characters of a and the first j of b
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        (rows[i - 1]?.[j] ?? Infinity) + 1,
        (row[j - 1] ?? Infinity) + 1,
        (rows[i - 1]?.[j - 1] ?? Infinity) + same,
        swapped ? (rows[i - 2]?.[j - 2] ?? Infinity) + 1 : Infinity,
      )
    }
    rows.push(row)
  }
  return rows[a.length]?.[b.length] ?? Infinity
}
