/**
 * What counts as the same answer is partly convention. Every convention is a flag here, its default is this version's, and
 * results carry the version: changing a default means changing GRADER_VERSION.
 */
export interface Policy {
  /**
   * Where a completion's answer is. `box`: in its last box, or in the run of boxes that ends it, and nowhere else. `any`:
   * there, else where the routes of routes.ts find it. `whole`: the completion is the answer (strings of other tools).
   */
  readonly extract: 'box' | 'any' | 'whole'
  /**
   * A closed box in a `<think>` that never closes. `searched`: it answers, as in the paper's code, which knows no such tags.
   * `ignored`: thinking that did not end gives no answer. A template that writes the `<think>` itself leaves none to see.
   */
  readonly unclosedThinking: 'searched' | 'ignored'
  /**
   * A last box that is cut off before its brace closes. `read`: it is the answer as far as it goes, as in the paper's code,
   * for which the last box decides. `unanswered`: there is no answer. `earlier`: the last box that closes is the answer.
   */
  readonly cutBox: 'read' | 'unanswered' | 'earlier'
  /** `loose`: 50% is answered by 50 and by 0.5. `strict`: a percent sign divides by 100. */
  readonly percent: 'loose' | 'strict'
  /** `ignored`: units, currency, degree signs and words beside a number say nothing. `compared`: they have to agree. */
  readonly units: 'ignored' | 'compared'
  /** `optional`: 1011_2 is answered by 1011. `required`: a base on one side only is a difference. */
  readonly base: 'optional' | 'required'
  /** `intervals`: -2 ≤ x ≤ 7 is answered by [-2,7]. `apart`: a relation is answered by a relation. */
  readonly relations: 'intervals' | 'apart'
  /** `ignored`: 1,2,2 is the list 1,2. `counted`: it is not. */
  readonly duplicates: 'ignored' | 'counted'
  /** `either`: 1,22 is answered by 1.22 where one side is written so and the other has a point. `point`: a comma separates. */
  readonly decimalMark: 'either' | 'point'
  /**
   * A decimal with at least this many significant digits equals an irrational value that rounds or truncates to it, since no
   * decimal is exact there: 40π is answered by 125.663. Infinity: never.
   */
  readonly irrationalDigits: number
  /** The same beside a rational value, which has an exact answer: 10 admits printed doubles and nothing rounded by choice. */
  readonly rationalDigits: number
  /**
   * A number in scientific notation with at least this many significant digits equals a fraction or an irrational value that
   * rounds to it: the notation says that it is rounded. Infinity: never.
   */
  readonly scientificDigits: number
}

export const defaultPolicy: Policy = {
  extract: 'any',
  unclosedThinking: 'searched',
  cutBox: 'read',
  percent: 'loose',
  units: 'ignored',
  base: 'optional',
  relations: 'intervals',
  duplicates: 'ignored',
  decimalMark: 'either',
  irrationalDigits: 6,
  rationalDigits: 10,
  scientificDigits: 3,
}

/** The ground-truth reward's: an answer outside a box is none. */
export const boxOnly: Policy = { ...defaultPolicy, extract: 'box' }
