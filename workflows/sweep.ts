/** Models x arms x seeds as children in a window, then the report. A child that fails is a row of it, not its end. */
import * as wf from '@temporalio/workflow'
import type { Cell } from '../activities/contracts.ts'
import { evaluate } from './evaluate.ts'
import { light } from './proxies.ts'
import { train } from './train.ts'
import { upsert } from './details.ts'

export interface SweepProgress {
  readonly done: number
  readonly failed: number
  readonly total: number
  readonly running: readonly string[]
}

export const progressQuery = wf.defineQuery<SweepProgress>('progress')

/** `ended` is what continue-as-new carries: the cells that are through, when the window is drained. */
export async function sweep(input: unknown, ended: readonly Cell[] = []) {
  const { workflowId } = wf.workflowInfo()
  const cells: Cell[] = [...ended]
  const running = new Set<string>()
  let total = 0
  wf.setHandler(progressQuery, () => ({
    done: cells.length,
    failed: cells.filter((cell) => cell.status === 'failed').length,
    total,
    running: [...running],
  }))
  const { runs, initial, concurrency, attributes } = await light.admitSweep({
    spec: input,
    sweep: workflowId,
  })
  total = runs.length
  upsert(attributes, { Sweep: workflowId })

  // What the runs share is computed once, before any of them could compute it at the same time as another.
  if (ended.length === 0) {
    await Promise.all(
      initial.map((spec, i) =>
        wf.executeChild(evaluate, { args: [spec], workflowId: `${workflowId}:initial:${i}` }),
      ),
    )
  }
  const waiting = runs.filter(({ run }) => !cells.some((cell) => cell.run === run))
  const lane = async () => {
    while (!wf.workflowInfo().continueAsNewSuggested) {
      const next = waiting.shift()
      if (next === undefined) return
      running.add(next.run)
      cells.push(await runCell(next, workflowId, attributes))
      running.delete(next.run)
      wf.setCurrentDetails(`${cells.length} of ${total} runs; running: ${[...running].join(', ') || 'none'}`)
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, waiting.length) }, lane))
  if (waiting.length > 0) return wf.continueAsNew<typeof sweep>(input, cells)
  return light.report({
    sweep: workflowId,
    cells: runs.flatMap(({ run }) => cells.filter((cell) => cell.run === run)),
  })
}

type Run = Awaited<ReturnType<typeof light.admitSweep>>['runs'][number]

async function runCell({ spec, ...cell }: Run, sweepId: string, known: readonly string[]): Promise<Cell> {
  const attributes = { Model: [cell.model], Arm: [cell.arm], Seed: [cell.seed], Sweep: [sweepId] }
  try {
    await wf.executeChild(train, {
      args: [spec],
      workflowId: cell.run,
      priority: { fairnessKey: cell.model.slice(0, 64) },
      searchAttributes: Object.fromEntries(
        Object.entries(attributes).filter(([name]) => known.includes(name)),
      ),
    })
    return { ...cell, status: 'completed' }
  } catch (error) {
    if (wf.isCancellation(error)) throw error
    return { ...cell, status: 'failed', failure: rootOf(error) }
  }
}

/** The innermost cause says what happened; the wrappers say only where. */
function rootOf(error: unknown): string {
  let at = error
  while (at instanceof Error && at.cause instanceof Error && at.cause.message !== '') at = at.cause
  return at instanceof Error ? at.message.slice(0, 500) : String(at)
}
