/** What the steps and evaluations of a run left in the store: what a run that goes on does not compute again. */
import { readDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import { NotFound } from './checkpoint/store.ts'
import { EvaluateSpec, MetricsDocument, RecallTask, type Accuracy, type Metrics } from './contracts.ts'
import { durable } from './durable.ts'
import type { Deps } from './deps.ts'
import { known, tasksOf } from './evaluate.ts'
import { limits } from '../temporal.config.ts'

export interface Recalled {
  /** The last steps that queries show, in order. */
  readonly recent: { readonly step: number; readonly metrics: Metrics }[]
  /** The last points of the curve, in order. */
  readonly curve: ({ readonly step: number } & Accuracy)[]
  /** Steps whose evaluations the store lacks. */
  readonly missing: number[]
}

export function recallActivities(deps: Deps) {
  return {
    recall: (input: RecallTask): Promise<Recalled> =>
      durable(async ({ signal }) => {
        const { run, step, due, evaluation } = RecallTask.parse(input)
        const curve: Recalled['curve'] = []
        const missing: number[] = []
        for (const at of due) {
          signal.throwIfAborted()
          // A run without benchmarks has no evaluation to read, and none is due.
          const results = await resultsAt(deps, EvaluateSpec.parse(evaluation), run, at)
          if (results === null) missing.push(at)
          else curve.push(...results.map((result) => ({ step: at, ...result })))
        }
        return { recent: await recentOf(deps, run, step), curve: curve.slice(-limits.curveInQuery), missing }
      }),
  }
}

/** All results that a step was to have, or null if one is not there. */
async function resultsAt(deps: Deps, spec: EvaluateSpec, run: string, step: number) {
  const tasks = tasksOf(deps, spec, spec.prompts ?? [], keys.checkpoint(run, step), { run, step })
  const results = await Promise.all(
    tasks.map(async (task) => {
      try {
        return (await known(deps, task)).result
      } catch (error) {
        if (error instanceof NotFound) return null // its data was never taken in
        throw error
      }
    }),
  )
  const found = results.filter((result) => result !== null)
  return found.length === results.length ? found : null
}

async function recentOf({ store }: Deps, run: string, step: number): Promise<Recalled['recent']> {
  const first = Math.max(1, step - limits.metricsInQuery + 1)
  const documents = await Promise.all(
    Array.from({ length: Math.max(0, step - first + 1) }, (_, i) =>
      readDocument(store, keys.metrics(run, first + i), MetricsDocument),
    ),
  )
  return documents.flatMap((document) =>
    document === null ? [] : [{ step: document.step, metrics: document.metrics }],
  )
}
