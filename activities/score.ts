/** Another reward on rollouts that a run has stored: nothing is sampled, nothing of the run is touched. */
import { digestOf } from './checkpoint/canonical.ts'
import { readDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import { labelsTable, readTable, requireTable, rewardsTable, writeTable } from './checkpoint/tables.ts'
import {
  CheckpointDocument,
  LabelsDocument,
  RunDocument,
  ScoreSpec,
  ScoreTask,
  type Scored,
} from './contracts.ts'
import { most } from './contracts/limits.ts'
import { durable } from './durable.ts'
import type { Deps } from './deps.ts'
import type { Problem } from './benchmarks/problem.ts'
import { GRADER_VERSION } from './grading/index.ts'
import { openSpec, type OpenSpec } from './open.ts'
import { compareScores, relabel, requireRewardable, scoredOf, type Comparison } from './rewards/index.ts'
import { InvalidSpec, parseSpec } from './spec/resolve.ts'
import { readStep } from './update.ts'

export interface StepScore extends Comparison {
  readonly step: number
  /** Key of the table: value, verdict, reason and the components' raw values, a row a rollout. */
  readonly table: string
  /** Rollouts of problems that the reward has no label for. */
  readonly leftOut: number
}

export function scoreActivities(deps: Deps) {
  const { store } = deps
  return {
    /** The steps to score: those asked for, or all that the run has done. */
    admitScore: ({ spec }: { spec: unknown }): Promise<{ spec: ScoreSpec; steps: number[] }> =>
      durable(async () => {
        const parsed = parseSpec(ScoreSpec, spec, 'score spec')
        const { run, reward, labels } = parsed
        const opened = await specOf(deps, run)
        requireRewardable(reward, await problemsOf(deps, opened, { run, step: 1, reward, labels }))
        const done: number[] = []
        for await (const { key } of store.list(keys.steps(run)))
          if (key.endsWith('/metrics.json')) done.push(keys.stepOf(key))
        return { spec: parsed, steps: stepsToScore(run, done, parsed.steps) }
      }),

    scoreStep: (input: ScoreTask): Promise<StepScore> =>
      durable(async ({ signal }) => {
        const task = ScoreTask.parse(input)
        const { run, step, reward, labels } = task
        const opened = await specOf(deps, run)
        const { spec, problems: blob } = opened.document
        // The step's manifest comes after its metrics: where it is there, it says which tables these were.
        const committed = await readDocument(store, keys.checkpoint(run, step), CheckpointDocument)
        const read = await readStep(deps, opened, run, step, committed?.learntFrom)
        const inputs = digestOf({
          rollouts: read.learntFrom.map(({ rollouts }) => rollouts),
          problems: blob.digest,
          // What a coin depends on besides the rollout.
          at: { seed: spec.seed, step },
          reward,
          labels,
          grader: GRADER_VERSION,
        })
        const table = keys.scores(inputs)
        const rows = read.table.map(({ rollout }) => rollout)
        const known = await readTable(store, table, rewardsTable, { inputs })
        const problems = new Map((await problemsOf(deps, opened, task)).map((one) => [one.id, one]))
        const scored =
          known?.rows ??
          rows.flatMap((rollout, i): Scored[] => {
            if (i % 64 === 0) signal.throwIfAborted()
            const problem = problems.get(rollout.problem)
            return problem === undefined
              ? []
              : [scoredOf(reward, problem, rollout, { seed: spec.seed, step })]
          })
        if (known === null) await writeTable(store, table, rewardsTable, scored, inputs)
        const trained = read.table.map(({ reward }) => reward)
        return { step, table, leftOut: rows.length - scored.length, ...compareScores(scored, trained) }
      }),
  }
}

/** The steps asked for, or all that are done. Throws InvalidSpec where one is missing, or they are too many. */
export function stepsToScore(run: string, done: readonly number[], asked?: readonly number[]): number[] {
  const known = new Set(done)
  const missing = asked?.find((step) => !known.has(step))
  if (missing !== undefined || done.length === 0) {
    const others = done.length > stepsNamed ? ` and ${done.length - stepsNamed} more` : ''
    const named = done.slice(0, stepsNamed).join(', ') || 'none'
    throw new InvalidSpec(`steps: run ${run} has no step ${missing ?? 1}, there are ${named}${others}`)
  }
  if (asked === undefined && done.length > most.scoredSteps)
    throw new InvalidSpec(
      `steps: expected at most ${most.scoredSteps} at once, found ${done.length} in run ${run}: give those to score in \`steps\``,
    )
  return [...(asked ?? done)]
}

/** Steps of a run that one message names. */
const stepsNamed = 100

async function specOf(deps: Deps, run: string): Promise<OpenSpec> {
  const document = await readDocument(deps.store, keys.run(run), RunDocument)
  if (document === null) throw new InvalidSpec(`run: there is no run ${run}`)
  return openSpec(deps, document.specs.at(-1) ?? '')
}

/** The run's problems, with other labels where they are given. */
async function problemsOf(
  { store }: Deps,
  { problems }: OpenSpec,
  { reward, labels }: ScoreTask,
): Promise<readonly Problem[]> {
  if (labels === undefined) return problems
  const document = await readDocument(store, labels, LabelsDocument)
  if (document === null) throw new InvalidSpec(`labels: there are none at ${labels}`)
  const { rows } = await requireTable(store, document.table.key, labelsTable, document.table)
  return relabel(problems, rows, reward, 'drop')
}
