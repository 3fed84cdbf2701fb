/** How much of a benchmark a policy has by heart: it continues the first part of every statement. */
import { isRestored, remembered, rougeL, split, type Continued } from './analysis/memory.ts'
import { goldsOf } from './benchmarks/problem.ts'
import { benchmarks } from './benchmarks/protocols.ts'
import { digestOf } from './checkpoint/canonical.ts'
import { commit, readDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import { complete, completionsOf, shardsOfWanted, storedShards, type Wanted } from './completions.ts'
import { ProbeDocument, ProbeTask, type Probed, type ProbeSpec } from './contracts.ts'
import { durable } from './durable.ts'
import type { Engine } from './engine/port.ts'
import type { Deps } from './deps.ts'
import { gradeAny } from './grading/any.ts'
import { GRADER_VERSION } from './grading/index.ts'
import { checkpointKey, openBenchmark, openSourcePolicy, requireStore } from './open.ts'
import type { Sampled } from './rollouts.ts'

/** Raised when a result would differ on the same completions. */
const PROBE_VERSION = 1

interface Cut {
  readonly rest: string
  readonly golds: readonly string[]
}

export function probeActivities(deps: Deps) {
  return {
    light: lightActivities(deps),
    compute: (engine: Engine) => ({
      continueStatements: (input: { task: ProbeTask; shard: number }): Promise<Sampled> =>
        durable(async (control) => {
          const { wanted } = await planOf(deps, ProbeTask.parse(input.task))
          return complete({ ...deps, engine }, wanted, input.shard, control)
        }),
    }),
  }
}

function lightActivities(deps: Deps) {
  const { store } = deps
  return {
    probeTasks: ({ spec, source }: { spec: ProbeSpec; source?: string }): Promise<ProbeTask[]> =>
      durable(async () => {
        const from = source ?? (await checkpointKey(deps, spec.checkpoint ?? ''))
        const { benchmarks: names, shares, limit, maxTokens, extract } = spec
        return names.flatMap((benchmark) =>
          shares.map((share) =>
            ProbeTask.parse({
              source: from,
              benchmark,
              share,
              limit,
              maxTokens,
              extract,
              store: deps.storeId,
            }),
          ),
        )
      }),

    planProbe: (input: ProbeTask): Promise<{ shards: number; result: Probed | null }> =>
      durable(async () => {
        const { wanted, probe, own } = await planOf(deps, ProbeTask.parse(input))
        const known = await readDocument(store, probe, ProbeDocument, own)
        return { shards: shardsOfWanted(wanted).length, result: known?.result ?? null }
      }),

    judgeProbe: (input: { task: ProbeTask; shards: number }): Promise<Probed> =>
      durable(async ({ signal }) => {
        const task = ProbeTask.parse(input.task)
        const { completions, probe, own, cuts, leftOut, extract } = await planOf(deps, task)
        const all: Continued[] = []
        let truncated = 0
        for await (const rows of storedShards(store, completions, { from: 0, to: input.shards }, signal))
          for (const { problem, completion, stop } of rows) {
            const { rest, golds } = cuts.get(problem)!
            if (stop === 'length') truncated += 1
            all.push({
              exact: isRestored(rest, completion),
              rougeL: rougeL(rest, completion),
              correct: gradeAny({ golds, completion, policy: { extract } }).verdict === 'correct',
            })
          }
        const { benchmark, share } = task
        const counts = { benchmark, share, problems: all.length, leftOut, truncated: truncated / all.length }
        const document: ProbeDocument = {
          format: 1,
          ...own,
          result: { ...counts, ...remembered(all) },
        }
        return (await commit(store, probe, ProbeDocument, document, own)).result
      }),
  }
}

/** Heads of the statements, greedily continued as raw text, and what was cut off. */
async function planOf(deps: Deps, task: ProbeTask) {
  requireStore(deps, task.store)
  const { source, benchmark, share } = task
  const protocol = benchmarks[benchmark]
  const { document, problems: all } = await openBenchmark(deps, benchmark)
  const problems = all.slice(0, task.limit)
  const cuts = new Map<string, Cut>()
  const heads = problems.flatMap((problem) => {
    const parts = split(problem.problem, share)
    if (parts === null) return []
    cuts.set(problem.id, { rest: parts.rest, golds: goldsOf(problem) })
    return [{ ...problem, problem: parts.head }]
  })
  const wanted: Wanted = {
    source,
    policy: await openSourcePolicy(deps, source),
    problems: heads,
    data: document.problems.digest,
    prompt: 'plain',
    samples: 1,
    sampling: { temperature: 0, topP: 1, maxTokens: task.maxTokens ?? protocol.maxTokens },
    seed: 0,
    purpose: 'evaluate',
    share,
  }
  const completions = completionsOf(wanted)
  const extract = task.extract ?? protocol.extract
  const probe = keys.probe(digestOf({ completions, grader: GRADER_VERSION, extract, version: PROBE_VERSION }))
  // What the key covers and the document says.
  const own = { policy: wanted.policy.digest, completions, grader: GRADER_VERSION }
  return { wanted, completions, probe, own, cuts, leftOut: problems.length - heads.length, extract }
}
