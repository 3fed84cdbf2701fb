/** What the steps and evaluations of a run left in the store: what a run that goes on does not compute again. */
import { readDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import { CorruptObject, NotFound } from './checkpoint/store.ts'
import { readTable, rewardsTable, rolloutsTable } from './checkpoint/tables.ts'
import {
  EvaluateSpec,
  MetricsDocument,
  RecallTask,
  RunDocument,
  type Accuracy,
  type Judged,
  type Metrics,
  type Sample,
} from './contracts.ts'
import { durable } from './durable.ts'
import type { Deps } from './deps.ts'
import { known, tasksOf } from './evaluate.ts'
import { gradersUpTo } from './judged.ts'
import { openSpec, type OpenSpec } from './open.ts'
import { isGraded, samplesOf } from './rewards/index.ts'
import { limits } from '../temporal.config.ts'

export interface Recalled {
  /** The last steps that queries show, in order. */
  readonly recent: { readonly step: number; readonly metrics: Metrics }[]
  /** The last points of the curve, in order. */
  readonly curve: ({ readonly step: number } & Accuracy)[]
  /** Steps whose evaluations the store lacks. */
  readonly missing: number[]
  /** Who judged the steps, where the reward looks at answers; a few completions of the last. */
  readonly graders?: readonly Judged[]
  readonly samples?: readonly Sample[]
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
        const recent = await recentOf(deps, run, step)
        const rewarded = await rewardedOf(deps, run, step)
        return { recent, curve: curve.slice(-limits.curveInQuery), missing, ...rewarded }
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

async function rewardedOf(
  deps: Deps,
  run: string,
  step: number,
): Promise<Pick<Recalled, 'graders' | 'samples'>> {
  const document = await readDocument(deps.store, keys.run(run), RunDocument)
  if (document === null) return {}
  const opened = await openSpec(deps, document.specs.at(-1) ?? '')
  const { reward } = opened.document.spec
  const samples = await samplesAt(deps, opened, run, step)
  return { samples, ...(isGraded(reward) && { graders: await gradersUpTo(deps.store, run, step, reward) }) }
}

/** Of tables that are not whole there is nothing to look at; who learns from them will say so. */
async function samplesAt({ store }: Deps, { problems }: OpenSpec, run: string, step: number) {
  try {
    const [rollouts, rewards] = await Promise.all([
      readTable(store, keys.rollouts(run, step, 0), rolloutsTable),
      readTable(store, keys.rewards(run, step, 0), rewardsTable),
    ])
    const byId = new Map(problems.map((problem) => [problem.id, problem]))
    return samplesOf(rollouts?.rows ?? [], rewards?.rows ?? [], byId)
  } catch (error) {
    if (error instanceof CorruptObject) return []
    throw error
  }
}
