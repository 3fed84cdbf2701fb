/** The end of a sweep: when every run that was planned has ended, whatever the numbers say. */
import { expect, it } from 'vitest'
import type { Cell } from '../../activities/contracts.ts'
import type { SweepCell } from '../../activities/admit.ts'
import { Cells } from '../../workflows/cells.ts'

/** Where each page began that was asked for. */
let pages: number[] = []

const cellOf = (run: string) => ({ run, model: 'm', arm: 'a', seed: 0 })
const ended = (run: string): Cell => ({ ...cellOf(run), status: 'completed' })
const waiting = (run: string) => ({ ...cellOf(run), spec: {}, priority: 3 }) as unknown as SweepCell
/** A sweep of these runs, three a page. */
function sweepOf(
  runs: readonly string[],
  carried: { ended?: readonly Cell[]; through?: number; total?: number } = {},
) {
  pages = []
  const page = async (from: number) => {
    pages.push(from)
    return runs.slice(from, from + 3).map(waiting)
  }
  const cells = new Cells('s', page, carried.ended ?? [], carried.through)
  cells.total = carried.total ?? runs.length
  return cells
}
/** Runs all that are handed out, one after another, and says which. */
async function drain(cells: Cells, atMost = 100): Promise<string[]> {
  const runs: string[] = []
  for (let next = await cells.next(); next !== undefined && runs.length < atMost; next = await cells.next()) {
    runs.push(next.run)
    cells.end(ended(next.run))
  }
  return runs
}

it('is through when all of its runs are', async () => {
  const cells = sweepOf(['a', 'b', 'c', 'd'])
  expect(cells.done).toBe(false)
  expect(await drain(cells)).toEqual(['a', 'b', 'c', 'd'])
  expect(cells.done).toBe(true)
})

it('with a run that stands twice in its plan ends too, and runs it once', async () => {
  const cells = sweepOf(['a', 'a', 'b', 'a'])
  expect(await drain(cells)).toEqual(['a', 'b'])
  expect(cells.done).toBe(true)
  expect(cells.counts()).toMatchObject({ done: 2, total: 4 })
})

it('is not through by runs that are no part of it', async () => {
  const cells = sweepOf(['a', 'b'], { ended: [ended('x'), ended('y')] })
  expect(cells.done).toBe(false)
  expect(await drain(cells)).toEqual(['a', 'b'])
  expect(cells.done).toBe(true)
})

it('whose plan ends before its count fails, instead of asking for ever', async () => {
  const cells = sweepOf(['a'], { total: 3 })
  await expect(drain(cells)).rejects.toMatchObject({
    type: 'InvalidSpec',
    nonRetryable: true,
    message: 'sweep s: expected 3 runs, the plan ends after 1',
  })
})

it('goes on in its next history behind the runs that are through, which are not planned again', async () => {
  const runs = Array.from({ length: 9 }, (_, i) => `r${i}`)
  const before = sweepOf(runs)
  // r2 is still on its way when the others of the first two pages have ended.
  const begun = await Promise.all(runs.slice(0, 6).map(() => before.next()))
  for (const one of begun.reverse()) if (one !== undefined && one.run !== 'r2') before.end(ended(one.run))
  const carried = before.carried()
  expect(carried.ended.map(({ run }) => run)).toEqual(['r0', 'r1', 'r5', 'r4', 'r3'])
  expect(carried.through).toBe(2)
  const after = sweepOf(runs, carried)
  expect(await drain(after)).toEqual(['r2', 'r6', 'r7', 'r8'])
  expect(after.done).toBe(true)
  expect(after.inOrder().map(({ run }) => run)).toEqual(runs)
  expect(pages).toEqual([2, 5, 8])
})
