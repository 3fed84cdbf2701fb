/**
 * Two tables of the same samples are joined by place, (problem, occurrence, sample), never by position: a row that is
 * missing, doubled or left over is a table of something else.
 */
import { CorruptObject } from './store.ts'

export interface Place {
  readonly problem: string
  readonly occurrence: number
  readonly sample: number
}

/** Equal for equal places, as a key of maps and sets. */
export const placeOf = ({ problem, occurrence, sample }: Place): string =>
  JSON.stringify([problem, occurrence, sample])

export interface JoinOptions {
  /** What is joined, `run a, step 3, shard 0`, and what the rows are: `['rollout', 'reward']`. */
  readonly place: string
  readonly rows: readonly [left: string, right: string]
  /** Rows of the right that the left lacks are passed over. */
  readonly some?: boolean
}

/** Each row of the left with its own of the right, in the left's order. Throws CorruptObject. */
export function joined<Left extends Place, Right extends Place>(
  left: readonly Left[],
  right: readonly Right[],
  { place, rows, some = false }: JoinOptions,
): (readonly [Left, Right])[] {
  const fault = ({ problem, occurrence, sample }: Place, what: string) =>
    new CorruptObject(`${place}: problem ${problem}, occurrence ${occurrence}, sample ${sample}: ${what}`)
  const others = new Map<string, Right>()
  for (const row of right) {
    if (others.has(placeOf(row))) throw fault(row, `expected one ${rows[1]}, found two`)
    others.set(placeOf(row), row)
  }
  const done = new Set<string>()
  const pairs = left.map((row) => {
    const at = placeOf(row)
    if (done.has(at)) throw fault(row, `expected one ${rows[0]}, found two`)
    done.add(at)
    const other = others.get(at)
    if (other === undefined) throw fault(row, `expected a ${rows[1]} for the ${rows[0]}, found none`)
    return [row, other] as const
  })
  const over = some ? undefined : right.find((row) => !done.has(placeOf(row)))
  if (over !== undefined) throw fault(over, `expected no ${rows[1]} without a ${rows[0]}, found one`)
  return pairs
}
