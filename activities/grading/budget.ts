/**
 * Operations as a currency: whoever works on an answer spends, and one grading may spend only so much. Time limits would
 * make a verdict depend on the machine; this does not, and a test can assert it.
 *
 * One unit is about a visited node or character, or a bit of a big integer in a division: some tens of nanoseconds. Grading
 * is synchronous, so one counter serves.
 */

/** Thrown by `spend` when nothing is left; caught by `within` only. */
class Exhausted extends Error {
  override readonly name = 'Exhausted'
}

let spent = 0
let limit = Infinity

export function spend(units: number): void {
  spent += units
  if (spent > limit) throw new Exhausted()
}

/** The result of `work`, or `otherwise` where it would cost more than `units` (or than an enclosing `within` has left). */
export function within<T>(units: number, work: () => T, otherwise: () => T): T {
  const outer = limit
  limit = Math.min(outer, spent + units)
  try {
    return work()
  } catch (error) {
    if (!(error instanceof Exhausted)) throw error
  } finally {
    limit = outer
  }
  return otherwise()
}

/** The result of `work`, or `otherwise` where it throws: what makes the grader total whatever is wrong within it. */
export function guarded<T>(work: () => T, otherwise: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof Exhausted) throw error
    return otherwise()
  }
}

/** What `work` spends, in units: how tests bound the cost of hostile input. */
export function operations(work: () => unknown): number {
  const before = spent
  work()
  return spent - before
}
