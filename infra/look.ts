/**
 * What can be seen from this machine of what a spec names, before anything is started: models by the form of their names and
 * their configurations, files of problems by reading them, the allow-list and the folder of problem sets where this
 * environment names them. What cannot be seen from here is said, not passed over.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DataUnavailable, InvalidData } from '../activities/benchmarks/faults.ts'
import { requireSource } from '../activities/benchmarks/origin.ts'
import { sources } from '../activities/benchmarks/sources.ts'
import { permanenceOf } from '../activities/contracts/faults.ts'
import { configOf, type Reading } from '../activities/models/brought.ts'
import { asFolder, requireAllowed, requireModelName } from '../activities/models/source.ts'
import type { ModelConfig } from '../activities/policy/config.ts'
import { openReader } from '../activities/reading/pool.ts'
import type { Asked } from '../activities/spec/plan.ts'
import type { Read } from '../activities/spec/asked.ts'
import { readHere, taughtIn, trainedIn, trainingNotes, type Taught } from './check-data.ts'

export interface Here {
  /** PLACEBO_ALLOW; null where it is not set. */
  readonly allow: readonly string[] | null
  /** PLACEBO_DATA_DIR; null where it is not set. */
  readonly dataFolder: string | null
  /** The files that a spec names lie on the workers' machines. */
  readonly elsewhere: boolean
}

export interface Looked {
  readonly configs: ReadonlyMap<string, ModelConfig>
  /** What would end it. */
  readonly faults: readonly string[]
  /** What was seen, and what was not looked at. */
  readonly notes: readonly string[]
}

export async function look({ asked, models, checkpoint }: Read, here: Here): Promise<Looked> {
  const folder = await mkdtemp(join(tmpdir(), 'placebo-check-'))
  const reader = openReader()
  const scratch = (name: string) => Promise.resolve(join(folder, name))
  const control = { signal: new AbortController().signal, progress: () => {} }
  const seen: Seen = { configs: new Map(), faults: [], notes: [], reading: { scratch, reader, control } }
  try {
    for (const model of new Set(models)) await attempt(seen, () => lookAtModel(model, here, seen))
    for (const taught of taughtIn(asked)) await attempt(seen, () => lookAtData(taught, here, seen))
  } finally {
    await reader.close()
    await rm(folder, { recursive: true, force: true })
  }
  seen.notes.push(...trainingNotes(asked))
  for (const set of setsOf(asked)) lookAtSet(set, here, seen)
  if (checkpoint !== undefined)
    seen.notes.push(`not looked at: checkpoint ${checkpoint}, which lies in the store`)
  if (asked.type === 'score' || asked.type === 'export')
    seen.notes.push('not looked at: the run, which lies in the store')
  return seen
}

interface Seen {
  readonly configs: Map<string, ModelConfig>
  readonly faults: string[]
  readonly notes: string[]
  readonly reading: Reading
}

/** An error that would end a run is a fault; any other is one of this program. */
async function attempt({ faults }: Seen, body: () => Promise<void>): Promise<void> {
  try {
    await body()
  } catch (error) {
    if (!(error instanceof Error) || permanenceOf(error.name) !== 'permanent') throw error
    faults.push(error.message)
  }
}

async function lookAtModel(model: string, here: Here, seen: Seen): Promise<void> {
  requireModelName(model)
  if (model.startsWith('hf://')) return void seen.notes.push(`not looked at: the Hub model ${model}`)
  if (!model.startsWith('nano/')) {
    mayName(`model ${model}`, asFolder(model), here, seen)
    if (model.startsWith('s3://')) return void seen.notes.push(`not looked at: the bucket of model ${model}`)
    if (here.elsewhere) return void seen.notes.push(`not looked at: ${model}, which lies elsewhere`)
  }
  seen.configs.set(model, await configOf(model, { allow: here.allow ?? ['file:///'], hub: {} }, seen.reading))
}

async function lookAtData({ data, rewards }: Taught, here: Here, seen: Seen): Promise<void> {
  const { name, source } = data
  if (source === undefined) {
    if (!isHere(name, here)) return // lookAtSet says so
  } else {
    requireSource(source)
    if (source.startsWith('hf://')) return void seen.notes.push(`not looked at: the Hub data ${source}`)
    mayName(`data ${source}`, source, here, seen)
    if (source.startsWith('s3://')) return void seen.notes.push(`not looked at: the bucket of data ${source}`)
    if (here.elsewhere) return void seen.notes.push(`not looked at: ${source}, which lies elsewhere`)
  }
  const reach = { allow: here.allow ?? ['file:///'], hub: {}, folder: here.dataFolder, fetch: offline }
  const { count, notes } = await readHere({ data, rewards }, reach, seen.reading)
  if (count === 0) throw new InvalidData(`data ${source ?? name}: expected problems, found none`)
  if (source !== undefined) seen.notes.push(`${source}: ${count.toLocaleString('en-US')} problems, read here`)
  seen.notes.push(...notes.filter((note) => !seen.notes.includes(note)))
}

const offline = () => Promise.reject(new DataUnavailable('no folder that PLACEBO_DATA_DIR names has it'))

/** Whether the files of a published set lie here; the others are made, and are everywhere. */
function isHere(name: string | undefined, here: Here): boolean {
  if (name === undefined || !Object.hasOwn(sources, name)) return true
  return missingOf(name as keyof typeof sources, here).length === 0
}

const missingOf = (set: keyof typeof sources, { dataFolder }: Here) =>
  sources[set].filter(({ name }) => dataFolder === null || !existsSync(join(dataFolder, name)))

/** Throws NotAllowed where this environment has an allow-list that lacks the URL. */
function mayName(what: string, url: string, { allow }: Here, { notes }: Seen): void {
  if (allow !== null) return requireAllowed(what, url, allow)
  notes.push(`not looked at: whether a worker may read ${url} (its PLACEBO_ALLOW; here it is not set)`)
}

/** A published set that has no file here is fetched by the worker that needs it. */
function lookAtSet(set: keyof typeof sources, here: Here, { notes }: Seen): void {
  const files = missingOf(set, here).map(({ name }) => name)
  if (files.length === 0) return
  notes.push(
    `not looked at: the set ${set}: a worker takes ${files.join(', ')} from its PLACEBO_DATA_DIR, or from the network where that has none`,
  )
}

/** The published sets that it names, as data or as benchmarks. */
function setsOf(asked: Asked): (keyof typeof sources)[] {
  const own = asked.type === 'evaluate' || asked.type === 'probe' ? asked.spec.benchmarks : []
  const names = [
    ...taughtIn(asked).map(({ data }) => data.name),
    ...trainedIn(asked).flatMap(({ evaluate }) => evaluate.benchmarks),
    ...own,
  ]
  return [...new Set(names)].filter(
    (name) => name !== undefined && Object.hasOwn(sources, name),
  ) as (keyof typeof sources)[]
}
