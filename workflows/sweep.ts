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
      cells.end(shortened(await runCell(cell, workflowId, attributes), total))
      pace.mark(Date.now())
      running.delete(cell.run)
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, total) }, lane))
  show()
  if (!cells.done) {
    const carried = cells.carried()
    return wf.continueAsNew<typeof sweep>(input, carried.ended, carried.through)
  }
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
      priority: { priorityKey: priority, fairnessKey: fairnessKeyOf(cell.model) },
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

/** 64 bytes at most: a character for each byte, whatever the model is called. */
const fairnessKeyOf = (model: string) => model.replaceAll(/[^ -~]/g, '?').slice(0, 64)

/** All cells travel in one payload, so the more there are, the less each says of its end; its own run says all. */
function shortened(cell: Cell, total: number): Cell {
  const characters = Math.max(30, Math.min(500, Math.floor(300_000 / total)))
  const { failure, stopped } = cell
  return {
    ...cell,
    ...(failure !== undefined && { failure: failure.slice(0, characters) }),
    ...(stopped !== undefined && { stopped: stopped.slice(0, characters) }),
  }
}
