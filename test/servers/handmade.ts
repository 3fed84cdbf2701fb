/** Workflows on a real Temporal server against activities by hand, which compute nothing: what a test replaces it names. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineSearchAttributeKey } from '@temporalio/common'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { EvaluateSpec, type ShardTask, type StepTask } from '../../activities/contracts.ts'
import { resolveTrain } from '../../activities/spec/resolve.ts'
import { workflowBundle } from '../../infra/bundle.ts'
import { provision } from '../../infra/provision.ts'
import { taskQueues } from '../../temporal.config.ts'

export interface Server {
  readonly environment: TestWorkflowEnvironment
  /** Runs the body beside a light worker, and a compute worker where there are activities for one. */
  serving<T>(activities: Activities, body: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

export interface Activities {
  readonly light: object
  readonly compute?: object
}

/** `suggestAt`: events after which a history is to begin anew. */
export async function startServer(name: string, suggestAt = 4096): Promise<Server> {
  Runtime.install({ logger: new DefaultLogger('ERROR') })
  const path = await provision('temporal')
  if (path === null) throw new Error('the Temporal CLI is needed')
  const folder = await mkdtemp(join(tmpdir(), `placebo-${name}-`))
  const extraArgs = ['--dynamic-config-value', `limit.historyCount.suggestContinueAsNew=${suggestAt}`]
  const environment = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path },
      dbFilename: join(folder, 'db'),
      searchAttributes: [defineSearchAttributeKey('Sweep', 'KEYWORD')],
      extraArgs,
    },
  })
  const bundle = await workflowBundle()
  const { nativeConnection: connection } = environment
  return {
    environment,
    serving: async ({ light, compute }, body) => {
      const first = await Worker.create({
        connection,
        taskQueue: taskQueues.light,
        workflowBundle: bundle,
        activities: light,
      })
      if (compute === undefined) return first.runUntil(body())
      const second = await Worker.create({ connection, taskQueue: taskQueues.compute, activities: compute })
      return first.runUntil(second.runUntil(body()))
    },
    close: async () => {
      await environment.teardown()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A run of two steps on one shard, evaluated on one benchmark of one shard. */
export const spec = {
  preset: 'demo',
  model: 'nano/coder',
  reward: 'ground-truth',
  steps: 2,
  evaluate: { every: 0, benchmarks: ['nano'] },
}

const accuracy = {
  benchmark: 'nano', prompt: 'plain', problems: 1, samples: 1, accuracy: 0.5, low: 0, high: 1, unparsed: 0, truncated: 0, meanTokens: 1, code: 0, accuracyInCode: null, accuracyInLanguage: 0.5,
} // prettier-ignore

export const light = {
  admitTrain: async ({ spec }: { spec: unknown }) => ({
    spec: resolveTrain(spec),
    attributes: [],
    missing: [],
  }),
  intakeModel: async () => ({ source: 'models/m.json', policy: 'p' }),
  intakeData: async () => ({ source: 'data/d.json', count: 8 }),
  enroll: async () => ({ spec: 'specs/s.json', step: 0, shards: 1, overlaps: [] }),
  recall: async () => ({ recent: [], curve: [], missing: [] }),
  conclude: async ({ run, step }: { run: string; step: number }) => ({
    source: `${run}/${step}`,
    policy: `p${step}`,
  }),
  reward: async (_: ShardTask) => ({ digest: 'rewards' }),
  // Parsed as a worker does it: what is no field of an evaluation is refused.
  admitEvaluate: async ({ spec }: { spec: unknown }) => ({ spec: EvaluateSpec.parse(spec), model: null }),
  evaluationTasks: async () => [{ source: 'models/x.json', benchmark: 'nano', prompt: 'plain', seed: 0 }],
  planEvaluation: async () => ({ shards: 1, result: null as unknown }),
  judge: async () => accuracy,
}

export const compute = {
  sample: async (_: ShardTask) => ({ deviceSeconds: 1 }),
  step: async ({ step }: StepTask) => ({
    policy: `p${step}`,
    metrics: { reward: step },
    queue: null,
    deviceSeconds: 2,
  }),
  complete: async () => ({ deviceSeconds: 1 }),
}
