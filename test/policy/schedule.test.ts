import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextLayout, type Layout, type Limits, type Waiting } from '../../activities/policy/schedule.ts'

interface Row {
  readonly prompt: number
  readonly sample: number
}
const start = (prompt: number, sample: number): Row => ({ prompt, sample })
const waitingOf = (...samples: number[]): Waiting =>
  new Map(samples.map((n, prompt) => [prompt, Array.from({ length: n }, (_, i) => i)]))
const limits = (rows: number, most: number): Limits => ({ rows, rowsPerSlot: [1, most], slots: 1 })
const nothing = (rows: number): Layout<Row> => ({ rows, slots: [] })

/** As `prompt: sample sample . .`, a line a slot. */
function show({ slots }: Layout<Row>): string[] {
  return slots.map(
    ({ prompt, rows }) => `${prompt}: ${rows.map((row) => (row ? `${row.sample}` : '.')).join(' ')}`,
  )
}

function finish(layout: Layout<Row>, prompt: number, ...samples: number[]): void {
  for (const slot of layout.slots)
    for (const [i, row] of slot.rows.entries())
      if (row?.prompt === prompt && samples.includes(row.sample)) slot.rows[i] = null
}

describe('the schedule', () => {
  it('gives a group of samples one slot', () => {
    const layout = nextLayout(nothing(4), waitingOf(4, 4), limits(8, 4), start)
    expect(show(layout)).toEqual(['0: 0 1 2 3', '1: 0 1 2 3'])
  })

  it('gives single samples a slot each, of one row', () => {
    expect(show(nextLayout(nothing(1), waitingOf(1, 1, 1), limits(8, 1), start))).toEqual([
      '0: 0',
      '1: 0',
      '2: 0',
    ])
  })

  it('replaces a finished row by a waiting sample of its prompt, in place', () => {
    const waiting = waitingOf(6)
    const first = nextLayout(nothing(4), waiting, limits(4, 4), start)
    finish(first, 0, 1, 2)
    expect(show(nextLayout(first, waiting, limits(4, 4), start))).toEqual(['0: 0 4 5 3'])
    expect(waiting.size).toBe(0)
  })

  it('gives an empty slot to the next prompt and leaves the others where they are', () => {
    const waiting = waitingOf(4, 4, 4)
    const first = nextLayout(nothing(4), waiting, limits(8, 4), start)
    finish(first, 0, 0, 1, 2, 3)
    expect(show(nextLayout(first, waiting, limits(8, 4), start))).toEqual(['2: 0 1 2 3', '1: 0 1 2 3'])
  })

  it('keeps idle rows while packing would promise little', () => {
    const first = nextLayout(nothing(4), waitingOf(4, 4), limits(8, 4), start)
    finish(first, 0, 3)
    expect(show(nextLayout(first, new Map(), limits(8, 4), start))).toEqual(['0: 0 1 2 .', '1: 0 1 2 3'])
  })

  it('packs what is left at the end: 2 live rows of 2 x 16 cost 16 + 32, then 16 + 2', () => {
    const first = nextLayout(nothing(16), waitingOf(16, 16), limits(32, 16), start)
    const most = Array.from({ length: 15 }, (_, i) => i + 1)
    finish(first, 0, ...most)
    finish(first, 1, ...most)
    expect(show(nextLayout(first, new Map(), limits(32, 16), start))).toEqual(['0: 0', '1: 0'])
  })

  it('lets the next prompts in beside stragglers, which keep their rows', () => {
    const waiting = waitingOf(16, 16, 16)
    const first = nextLayout(nothing(16), waiting, limits(32, 16), start)
    const most = Array.from({ length: 15 }, (_, i) => i + 1)
    finish(first, 0, ...most)
    finish(first, 1, ...most)
    // 18 rows at work of 20, in slots of 4; staying would have 2 of 32, slots of 16 have no room for a third prompt.
    const packed = nextLayout(first, waiting, limits(32, 16), start)
    expect(packed.slots.flatMap(({ rows }) => rows).filter((row) => row !== null).length).toBe(18)
    expect(
      packed.slots
        .filter(({ prompt }) => prompt < 2)
        .map(({ rows }) => rows.filter((r) => r?.sample === 0).length),
    ).toEqual([1, 1])
  })

  it('runs every sample once, in slots of its prompt, within the limits, whatever the lengths', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 1, max: 24 }),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 81, maxLength: 81 }),
        (samples, rows, lengths) => {
          const waiting = waitingOf(...samples)
          const some = limits(rows, Math.min(rows, Math.max(...samples)))
          const left = new Map<Row, number>()
          const done: string[] = []
          const begin = (prompt: number, sample: number) => {
            const row = start(prompt, sample)
            left.set(row, lengths[prompt * 9 + sample]!)
            return row
          }
          let layout = nothing(some.rowsPerSlot[1])
          while (waiting.size > 0 || left.size > 0) {
            layout = nextLayout(layout, waiting, some, begin)
            const placed = layout.slots.flatMap((slot) => slot.rows.filter((row) => row !== null))
            expect(new Set(placed)).toEqual(new Set(left.keys()))
            expect(placed.length).toBeGreaterThan(0)
            expect(layout.slots.length * layout.rows).toBeLessThanOrEqual(rows)
            for (const slot of layout.slots) {
              expect(slot.rows.length).toBe(layout.rows)
              for (const [i, row] of slot.rows.entries()) {
                if (!row) continue
                expect(row.prompt).toBe(slot.prompt)
                const n = left.get(row)! - 1
                left.set(row, n)
                if (n > 0) continue
                left.delete(row)
                slot.rows[i] = null
                done.push(`${row.prompt}/${row.sample}`)
              }
            }
          }
          expect(done.sort()).toEqual(
            samples.flatMap((n, p) => Array.from({ length: n }, (_, i) => `${p}/${i}`)).sort(),
          )
        },
      ),
      { numRuns: 100, seed: 1 },
    )
  })
})
