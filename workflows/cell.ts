/** One run of a sweep as its child, and how it ended: one that fails is a row of the report, not the sweep's end. */
import * as wf from '@temporalio/workflow'
import type { Cell } from '../activities/contracts.ts'
import type { Waiting } from './cells.ts'
import { isTaken, onceFree, rootOf } from './failures.ts'
import type { TrainResult } from './progress.ts'
import { tagsFor } from './tags.ts'
import { train } from './train.ts'

/** A child that somebody cancelled is one that failed, unless it is the sweep that was cancelled. */
export const isOwnCancellation = (error: unknown) =>
  wf.isCancellation(error) && (wf.CancellationScope.current().consideredCancelled || !wf.patched('watch'))

/** `known`: search attributes that the namespace has. */
export async function runCell(
  { spec, priority, tags, ...cell }: Waiting,
  sweepId: string,
  known: readonly string[],
): Promise<Cell> {
  const { model, arm, seed } = cell
  const own = { Model: [model], Arm: [arm], Seed: [seed], Sweep: [sweepId] }
  const Tags = tagsFor(tags)
  const attributes = { ...own, ...(Tags.length > 0 && { Tags }) }
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
export function shortened(cell: Cell, total: number): Cell {
  const characters = Math.max(30, Math.min(500, Math.floor(300_000 / total)))
  const { failure, stopped } = cell
  return {
    ...cell,
    ...(failure !== undefined && { failure: failure.slice(0, characters) }),
    ...(stopped !== undefined && { stopped: stopped.slice(0, characters) }),
  }
}
