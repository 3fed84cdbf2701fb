/**
 * Models x arms x seeds as children in a window, then the report. A child that fails is a row of it, not its end.
 *
 * Fairness keeps one model's runs from starving another's, priority puts an arm first; both are the servers' order of
 * activities. The window is drained before the history begins anew.
 */
import * as wf from '@temporalio/workflow'
import type { Cell } from '../activities/contracts.ts'
import { runCell, shortened } from './cell.ts'
import { Cells } from './cells.ts'
import { showSweep, upsert } from './details.ts'
import { doing } from './doing.ts'
import { Pace } from './pace.ts'
import type { SweepProgress } from './progress.ts'
import { light } from './proxies.ts'
import { computeShared } from './shared.ts'
import { tagsWith } from './tags.ts'

export const progressQuery = wf.defineQuery<SweepProgress>('progress')

/**
 * What continue-as-new carries, when the window is drained: the cells that are through, of which the first `through` are
 * the sweep's first. Sweeps of before it was noted plan those again.
 */
export async function sweep(input: unknown, ended: readonly Cell[] = [], through = 0) {
  const { workflowId } = wf.workflowInfo()
  const page = (from: number) => light.planCells({ spec: input, sweep: workflowId, from })
  const cells = new Cells(workflowId, page, ended, through)
  const running = new Set<string>()
  const pace = new Pace()
  let isOver = false
  const progress = (): SweepProgress => ({
    ...cells.counts(),
    running: [...running],
    ...(!isOver && paced(cells, pace)),
    ...doing(),
  })
  wf.setHandler(progressQuery, progress)
  const admitted = await light.admitSweep({ spec: input, sweep: workflowId })
  const { attributes, concurrency, missing, total, tags } = admitted
  cells.total = total
  upsert(attributes, { Sweep: workflowId, Tags: tagsWith(tags) })
  const show = () => showSweep(progress(), cells.ended(), missing)

  if (ended.length === 0) await computeShared(workflowId, admitted)
  const lane = async () => {
    while (!wf.workflowInfo().continueAsNewSuggested) {
      const cell = await cells.next()
      if (cell === undefined) return
      running.add(cell.run)
      show()
      cells.end(shortened(await runCell(cell, workflowId, attributes), total))
      pace.mark(Date.now())
      running.delete(cell.run)
    }
  }
  try {
    await allOf(Array.from({ length: Math.min(concurrency, total) }, lane))
  } catch (error) {
    running.clear() // with this history they end as well
    isOver = true
    throw error
  } finally {
    show()
  }
  if (!cells.done) {
    const carried = cells.carried()
    return wf.continueAsNew<typeof sweep>(input, carried.ended, carried.through)
  }
  return light.report({ sweep: workflowId, cells: cells.inOrder() })
}

/** Runs of a cancelled sweep have their time to stop at a safe point: with a sweep that ends first they are terminated. */
async function allOf(lanes: readonly Promise<void>[]): Promise<void> {
  try {
    await Promise.all(lanes)
  } catch (error) {
    const isCancelled = wf.CancellationScope.current().consideredCancelled
    if (isCancelled && wf.patched('cancelledRunsEnd')) await Promise.allSettled(lanes)
    throw error
  }
}

/** When the last run will have ended, once two have: until then nothing is known of it. */
function paced(cells: Cells, pace: Pace): Pick<SweepProgress, 'secondsARun' | 'endsAt'> {
  const { done, total } = cells.counts()
  const known = pace.of(total - done)
  return known === null ? {} : { secondsARun: known.seconds, endsAt: known.endsAt }
}
