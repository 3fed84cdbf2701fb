/**
 * Which samples share the graph's N slots x R rows: a pure decision, made anew whenever rows have finished. It weighs
 * staying (idle rows take waiting samples of their slot's prompt, empty slots the next prompt) against packing all
 * live rows into another layout, which copies their caches. A slot with many rows computes a prompt's attention once
 * for all of them; many small slots leave fewer rows idle when lengths differ. What is computed never depends on the
 * layout, only how fast. Left out: taking rows away that have begun; they hold their memory until they end.
 */
export interface Slot<Row> {
  readonly prompt: number
  readonly rows: (Row | null)[] // [R]; null is idle
}

export interface Layout<Row> {
  readonly rows: number // R
  readonly slots: readonly Slot<Row>[]
}

export interface Limits {
  /** Rows that fit the memory, all slots together. */
  readonly rows: number
  /** The most and fewest rows of a slot. */
  readonly rowsPerSlot: readonly [least: number, most: number]
  /** Layouts never have fewer slots. */
  readonly slots: number
}

/** Samples that have not begun, by prompt, in order; those of the first entries begin first. */
export type Waiting = Map<number, number[]>

// A step's cost in rows: one row alone costs about as much as 16 more, because it reads all weights.
const stepOverheadRows = 16
// Packing copies caches, so it must promise this much more throughput than staying.
const worthMoving = 1.15

/** The next layout; `start` makes the row of a sample that begins, and `waiting` loses that sample. */
export function nextLayout<Row>(
  layout: Layout<Row>,
  waiting: Waiting,
  limits: Limits,
  start: (prompt: number, sample: number) => Row,
): Layout<Row> {
  const staying = stay(layout, waiting)
  const stayingValue = value(layout.rows, layout.slots.length, count(staying), limits)
  let best: { value: number; rows: number; plan: Plan } | null = null
  const live = liveRows(layout)
  for (let rows = limits.rowsPerSlot[1]; rows >= limits.rowsPerSlot[0]; rows = Math.floor(rows / 2)) {
    const plan = pack(live, waiting, rows, Math.floor(limits.rows / rows))
    if (plan === null) continue
    const planned = value(rows, plan.length, count(plan), limits)
    if (planned > (best?.value ?? stayingValue * worthMoving)) best = { value: planned, rows, plan }
  }
  const begin = (prompt: number): Row => start(prompt, take(waiting, prompt))
  if (best === null) return { rows: layout.rows, slots: keep(layout, staying, begin) }
  return { rows: best.rows, slots: fill(best.plan, best.rows, live, begin) }
}

/** For each slot: its prompt, and how many live and beginning rows it gets. */
type Plan = { readonly prompt: number; live: number; begin: number }[]

function count(plan: Plan): number {
  return plan.reduce((n, slot) => n + slot.live + slot.begin, 0)
}

/** Rows at work for the cost of a step. */
function value(rows: number, slots: number, live: number, limits: Limits): number {
  return live / (stepOverheadRows + rows * Math.max(slots, limits.slots))
}

function liveRows<Row>(layout: Layout<Row>): Map<number, Row[]> {
  const live = new Map<number, Row[]>()
  for (const { prompt, rows } of layout.slots) {
    const found = rows.filter((row) => row !== null)
    if (found.length > 0) live.set(prompt, [...(live.get(prompt) ?? []), ...found])
  }
  return live
}

function stay<Row>({ rows: size, slots }: Layout<Row>, waiting: Waiting): Plan {
  const left = new Map([...waiting].map(([prompt, samples]) => [prompt, samples.length]))
  const plan = slots.map(({ prompt, rows }) => ({
    prompt,
    live: rows.filter((row) => row !== null).length,
    begin: 0,
  }))
  const begin = (slot: Plan[number], prompt: number) => {
    slot.begin = Math.min(size - slot.live, left.get(prompt) ?? 0)
    left.set(prompt, (left.get(prompt) ?? 0) - slot.begin)
  }
  for (const slot of plan) begin(slot, slot.prompt)
  return plan.map((slot) => {
    if (slot.live + slot.begin > 0) return slot
    const next = [...left].find(([, n]) => n > 0)
    if (next === undefined) return slot
    const other = { ...slot, prompt: next[0] }
    begin(other, other.prompt)
    return other
  })
}

/** All live rows and as many waiting samples as fit `slots` slots of `size` rows; null if the live ones do not. */
function pack<Row>(
  live: ReadonlyMap<number, readonly Row[]>,
  waiting: Waiting,
  size: number,
  slots: number,
): Plan | null {
  const plan: Plan = []
  for (const [prompt, rows] of live)
    for (let placed = 0; placed < rows.length; placed += size)
      plan.push({ prompt, live: Math.min(size, rows.length - placed), begin: 0 })
  if (plan.length > slots) return null
  for (const [prompt, samples] of waiting) {
    let left = samples.length
    for (const slot of plan)
      if (slot.prompt === prompt) {
        slot.begin = Math.min(size - slot.live, left)
        left -= slot.begin
      }
    for (; left > 0 && plan.length < slots; left -= size)
      plan.push({ prompt, live: 0, begin: Math.min(size, left) })
  }
  return plan
}

function keep<Row>(
  { rows: size, slots }: Layout<Row>,
  plan: Plan,
  begin: (prompt: number) => Row,
): Slot<Row>[] {
  return plan.map((planned, i) => {
    const rows = [...slots[i]!.rows]
    for (let row = 0, left = planned.begin; row < size && left > 0; row++)
      if (rows[row] === null) {
        rows[row] = begin(planned.prompt)
        left--
      }
    return { prompt: planned.prompt, rows }
  })
}

function fill<Row>(
  plan: Plan,
  size: number,
  live: ReadonlyMap<number, readonly Row[]>,
  begin: (prompt: number) => Row,
): Slot<Row>[] {
  const left = new Map([...live].map(([prompt, rows]) => [prompt, [...rows]]))
  return plan.map(({ prompt, live: placed, begin: beginning }) => {
    const rows: (Row | null)[] = (left.get(prompt) ?? []).splice(0, placed)
    for (let i = 0; i < beginning; i++) rows.push(begin(prompt))
    while (rows.length < size) rows.push(null)
    return { prompt, rows }
  })
}

function take(waiting: Waiting, prompt: number): number {
  const samples = waiting.get(prompt)!
  const sample = samples.shift()!
  if (samples.length === 0) waiting.delete(prompt)
  return sample
}
