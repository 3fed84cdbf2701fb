/** Labels of a problem set by majority vote: sampled in shards, voted on in parts, counted once; problems that carry them. */
import { labelledOf, labelOf } from './analysis/labelled.ts'
import { voteOf } from './analysis/vote.ts'
import { goldsOf, type Problem } from './benchmarks/problem.ts'
import { writeProblems } from './benchmarks/write.ts'
import { digestOf } from './checkpoint/canonical.ts'
import { commit, readDocument, requireDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import { labelsTable, requireTable, tableRef, writeTable } from './checkpoint/tables.ts'
import { complete, completionsOf, shardsOfWanted, storedShards, type Wanted } from './completions.ts'
import {
  DataDocument,
  LabelsDocument,
  LabelTask,
  RelabelTask,
  Sampling,
  type Label,
  type Labelled,
  type LabelSpec,
  type Reward,
  type TableRef,
} from './contracts.ts'
import { durable } from './durable.ts'
import type { Engine } from './engine/port.ts'
import type { Deps } from './deps.ts'
import { GRADER_VERSION } from './grading/index.ts'
import { checkpointKey, openData, openSourcePolicy, promptFor, requireStore } from './open.ts'
import { relabel } from './rewards/index.ts'
import { rewardNotes } from './spec/notes.ts'
import type { Sampled } from './rollouts.ts'

/** Shards whose samples are voted on by one activity: some 8,000 completions. */
const shardsAPart = 32

export interface LabelPlan {
  /** Shards of each part. */
  readonly parts: { readonly from: number; readonly to: number }[]
  /** Key of the labels' document. */
  readonly labels: string
  readonly result: Labelled | null
}

export function labelActivities(deps: Deps) {
  return {
    light: lightActivities(deps),
    compute: (engine: Engine) => ({
      sampleVotes: (input: { task: LabelTask; shard: number }): Promise<Sampled> =>
        durable(async (control) =>
          complete(
            { ...deps, engine },
            await wantedOf(deps, LabelTask.parse(input.task)),
            input.shard,
            control,
          ),
        ),
    }),
  }
}

function lightActivities(deps: Deps) {
  const { store } = deps
  return {
    labelTask: ({ spec, data, source }: { spec: LabelSpec; data: string; source?: string }) =>
      durable(async (control): Promise<LabelTask> => {
        const from = source ?? (await checkpointKey(deps, spec.checkpoint ?? ''))
        const { samples, seed, vote, extract } = spec
        const { date } = spec
        const asked =
          spec.prompt === undefined
            ? await promptFor(deps, from, date, control)
            : { prompt: spec.prompt, date }
        const sampling = Sampling.parse({ temperature: 1, topP: 1, maxTokens: 3072, ...spec.sampling })
        const how = { samples, seed, prompt: asked.prompt, sampling, vote, extract }
        return {
          source: from,
          data,
          ...how,
          ...(asked.date !== undefined && { date: asked.date }),
          store: deps.storeId,
        }
      }),

    planLabels: (input: LabelTask): Promise<LabelPlan> =>
      durable(async () => {
        const task = LabelTask.parse(input)
        const wanted = await wantedOf(deps, task)
        const labels = keys.labels(keyOf(task, wanted))
        const known = await readDocument(store, labels, LabelsDocument)
        return { parts: partsOf(wanted), labels, result: known?.result ?? null }
      }),

    /** The labels of one part's problems. */
    votes: (input: { task: LabelTask; part: number }): Promise<TableRef> =>
      durable(async ({ signal }) => {
        const task = LabelTask.parse(input.task)
        const wanted = await wantedOf(deps, task)
        const key = keys.votes(keyOf(task, wanted), input.part)
        const inputs = digestOf({ labels: keyOf(task, wanted), part: input.part })
        const stored = await tableRef(store, key, inputs)
        if (stored !== null) return stored
        const range = partsOf(wanted)[input.part]
        if (range === undefined) throw new RangeError(`part ${input.part} of labels: no such part`)
        const golds = new Map(wanted.problems.map((problem) => [problem.id, goldsOf(problem)]))
        const rows: Label[] = []
        for await (const shard of storedShards(store, completionsOf(wanted), range, signal))
          for (const problem of new Set(shard.map((row) => row.problem))) {
            const own = shard.filter((row) => row.problem === problem) // in the order of samples, as tables are
            const answers = own.map(({ completion }) => voteOf(completion, task.extract))
            rows.push(labelOf(problem, golds.get(problem) ?? [], answers, task.vote))
          }
        return writeTable(store, key, labelsTable, rows, inputs)
      }),

    /** All labels in one table, and what they are like. */
    countVotes: (input: LabelTask): Promise<{ labels: string; result: Labelled }> =>
      durable(async () => {
        const task = LabelTask.parse(input)
        const wanted = await wantedOf(deps, task)
        const key = keyOf(task, wanted)
        const parts = await Promise.all(
          partsOf(wanted).map((_, part) => {
            const inputs = digestOf({ labels: key, part })
            return requireTable(store, keys.votes(key, part), labelsTable, { inputs })
          }),
        )
        const rows = parts.flatMap(({ rows }) => rows)
        const inputs = digestOf({ labels: key, parts: parts.map(({ digest }) => digest) })
        const document = await commit(store, keys.labels(key), LabelsDocument, {
          format: 1,
          policy: wanted.policy.digest,
          problems: wanted.data,
          completions: completionsOf(wanted),
          grader: GRADER_VERSION,
          vote: task.vote,
          extract: task.extract,
          table: await writeTable(store, keys.labelsTable(key), labelsTable, rows, inputs),
          result: labelledOf(rows),
        })
        return { labels: keys.labels(key), result: document.result }
      }),

    /** The problem set that a reward by label learns from: labelled, and for `incorrect` only where that is wrong. */
    relabel: (input: RelabelTask): Promise<Relabelled> =>
      durable(async (control) => {
        const { data, labels, reward, unlabelled } = RelabelTask.parse(input)
        const { document, problems } = await openData(deps, data)
        const key = keys.data(digestOf({ problems: document.problems.digest, labels, reward, unlabelled }))
        const known = await readDocument(store, key, DataDocument)
        if (known !== null) return labelledBy(reward, key, (await openData(deps, key)).problems)
        const { table } = await requireDocument(store, labels, LabelsDocument)
        const { rows } = await requireTable(store, table.key, labelsTable, table)
        const labelled = relabel(problems, rows, reward, unlabelled)
        const path = await deps.blobs.scratch('problems.json')
        await writeProblems(labelled, path, control)
        const blob = await deps.blobs.adopt(path, { signal: control.signal })
        await commit(store, key, DataDocument, {
          format: document.format,
          data: document.data,
          problems: blob,
          count: labelled.length,
          labelled: { labels, from: data },
        })
        return labelledBy(reward, key, labelled)
      }),
  }
}

export interface Relabelled {
  /** The key of the DataDocument. */
  readonly source: string
  readonly count: number
  /** What a person should know of the reward on these problems. */
  readonly notes?: readonly string[]
}

function labelledBy(reward: Reward, source: string, problems: readonly Problem[]): Relabelled {
  const count = problems.length
  const unlabelled = problems.filter(({ label }) => label === '').length
  const notes = rewardNotes(reward, { problems: count, unlabelled })
  return { source, count, ...(notes.length > 0 && { notes }) }
}

async function wantedOf(deps: Deps, task: LabelTask): Promise<Wanted> {
  requireStore(deps, task.store)
  const { source, prompt, date, samples, sampling, seed } = task
  const { document, problems } = await openData(deps, task.data)
  return {
    source,
    policy: await openSourcePolicy(deps, source),
    problems,
    data: document.problems.digest,
    prompt,
    date,
    samples,
    sampling,
    seed,
    purpose: 'label',
  }
}

/** What labels depend on: the completions, who reads them, and how votes are counted. */
const keyOf = ({ vote, extract }: LabelTask, wanted: Wanted) =>
  digestOf({ completions: completionsOf(wanted), grader: GRADER_VERSION, vote, extract })

function partsOf(wanted: Wanted): { from: number; to: number }[] {
  const shards = shardsOfWanted(wanted).length
  return Array.from({ length: Math.ceil(shards / shardsAPart) }, (_, i) => ({
    from: i * shardsAPart,
    to: Math.min(shards, (i + 1) * shardsAPart),
  }))
}
