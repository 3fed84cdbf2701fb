/**
 * Models x arms x seeds as children in a window, then the report. A child that fails is a row of it, not its end.
 *
 * Fairness keeps one model's runs from starving another's, priority puts an arm first; both are the servers' order of
 * activities. The window is drained before the history begins anew.
 */
import * as wf from '@temporalio/workflow'
import type { Cell } from '../activities/contracts.ts'
import { Cells, type Waiting } from './cells.ts'
import { showSweep, upsert } from './details.ts'
import { doing } from './doing.ts'
import { evaluate } from './evaluate.ts'
import { isTaken, onceFree, rootOf } from './failures.ts'
import { label } from './label.ts'
import { Pace } from './pace.ts'
import type { SweepProgress, TrainResult } from './progress.ts'
import { light } from './proxies.ts'
import { train } from './train.ts'

export const progressQuery = wf.defineQuery<SweepProgress>('progress')

/** `ended` is what continue-as-new carries: the cells that are through, when the window is drained. */
export async function sweep(input: unknown, ended: readonly Cell[] = []) {
  const { workflowId } = wf.workflowInfo()
  const cells = new Cells(input, workflowId, ended)
  const running = new Set<string>()
  const pace = new Pace()
  const progress = (): SweepProgress => ({
    ...cells.counts(),
    running: [...running],
    ...paced(cells, pace),
    ...doing(),
  })
  wf.setHandler(progressQuery, progress)
  const admitted = await light.admitSweep({ spec: input, sweep: workflowId })
  const { attributes, concurrency, missing, total } = admitted
  cells.total = total
  upsert(attributes, { Sweep: workflowId })
  const show = () => showSweep(progress(), cells.ended(), missing)

  // What the runs share is computed once, before any of them could compute it at the same time as another.
  if (ended.length === 0)
    await Promise.all([
      ...admitted.initial.map(sharedOf(evaluate, `${workflowId}:initial`)),
      ...admitted.labels.map(sharedOf(label, `${workflowId}:label`)),
    ])
  const lane = async () => {
    while (!wf.workflowInfo().continueAsNewSuggested) {
      const cell = await cells.next()
      if (cell === undefined) return
      running.add(cell.run)
      show()
      cells.end(await runCell(cell, workflowId, attributes))
      pace.mark(Date.now())
      running.delete(cell.run)
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, total) }, lane))
  show()
  if (!cells.done) return wf.continueAsNew<typeof sweep>(input, cells.ended())
  return light.report({ sweep: workflowId, cells: cells.inOrder() })
}

/** What fails here says nothing yet: the runs that need it fail by themselves, each in its row. */
const sharedOf =
  (type: typeof evaluate | typeof label, prefix: string) => async (spec: unknown, i: number) => {
    try {
      await wf.executeChild<typeof evaluate | typeof label>(type, {
        args: [spec],
        workflowId: `${prefix}:${i}`,
      })
    } catch (error) {
      if (isOwnCancellation(error)) throw error
    }
  }

/** When the last run will have ended, once two have: until then nothing is known of it. */
function paced(cells: Cells, pace: Pace): Pick<SweepProgress, 'secondsARun' | 'endsAt'> {
  const { done, total } = cells.counts()
  const known = pace.of(total - done)
  return known === null ? {} : { secondsARun: known.seconds, endsAt: known.endsAt }
}

/** A child that somebody cancelled is one that failed, unless it is the sweep that was cancelled. */
const isOwnCancellation = (error: unknown) =>
  wf.isCancellation(error) && (wf.CancellationScope.current().consideredCancelled || !wf.patched('watch'))

async function runCell(
  { spec, priority, ...cell }: Waiting,
  sweepId: string,
  known: readonly string[],
): Promise<Cell> {
  const attributes = { Model: [cell.model], Arm: [cell.arm], Seed: [cell.seed], Sweep: [sweepId] }
  const child = () =>
    wf.executeChild(train, {
      args: [spec],
      workflowId: cell.run,
      priority: { priorityKey: priority, fairnessKey: cell.model.slice(0, 64) },
      searchAttributes: Object.fromEntries(
        Object.entries(attributes).filter(([name]) => known.includes(name)),
      ),
    })
  const completed = ({ stopped }: TrainResult): Cell => ({
    ...cell,
    status: 'completed',
    ...(stopped && { stopped: stopped.message }),
  })
  const failed = (error: unknown): Cell => {
    if (isOwnCancellation(error)) throw error
    return { ...cell, status: 'failed', failure: rootOf(error) }
  }
  try {
    return completed(await child())
  } catch (error) {
    if (!isTaken(error)) return failed(error)
    return onceFree(error, child).then(completed, failed)
  }
}
