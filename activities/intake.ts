/** Copies a model or a problem set into the store, once: from then on no run depends on where it came from. */
import { rm } from 'node:fs/promises'
import { Context } from '@temporalio/activity'
import { bring, bytesOf } from './benchmarks/bring.ts'
import { DataUnavailable } from './benchmarks/faults.ts'
import { openOrigin } from './benchmarks/origin.ts'
import { patienceMs } from './benchmarks/patience.ts'
import { digestOf, canonical } from './checkpoint/canonical.ts'
import { commit, readDocument, requireDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import type { DataFindings, DataSpec, NamedBlob, Reward } from './contracts.ts'
import { DataDocument, ModelDocument, RunDocument, SpecDocument } from './contracts.ts'
import { durable } from './durable.ts'
import { policyOf } from './engine/embedded.ts'
import { explicitly, isReadAsItSays, type Noted } from './explicit.ts'
import type { Control } from './engine/port.ts'
import type { Deps } from './deps.ts'
import { openModel } from './models/brought.ts'
import { rewardNotes } from './spec/notes.ts'

export function intakeActivities(deps: Deps) {
  return {
    intakeModel: ({ model }: { model: string }) => durable((control) => intakeModel(deps, model, control)),

    /**
     * `run`: what the run began with is taken where its source cannot be had any more. `reward`: by which it learns from
     * the problems; of one that none of them can earn it is refused here, before anything is sampled.
     */
    intakeData: ({ data, run, reward }: { data: DataSpec; run?: string; reward?: Reward }) =>
      durable(async (control): Promise<TakenIn & { readonly notes?: readonly string[] }> => {
        const { attempt } = Context.current().info
        const taken = await intakeData(deps, data, control, { attempt, run }).catch(
          async (error: unknown) => {
            const known = error instanceof DataUnavailable && run !== undefined
            const begun = known ? await begunWith(deps, run, data) : null
            if (begun === null) throw error
            return begun
          },
        )
        const { count: problems, findings } = taken
        const notes = reward === undefined ? [] : rewardNotes(reward, { problems, findings })
        return { ...taken, ...(notes.length > 0 && { notes }) }
      }),
  }
}

export interface TakenIn {
  /** The key of the DataDocument. */
  readonly source: string
  readonly count: number
  readonly findings?: DataFindings
}

/** A set with a name, and a file of a pinned revision, are known by it; any other file by what is in it now. */
export async function intakeData(
  deps: Deps,
  data: DataSpec,
  control: Control,
  { attempt = 1, run }: { readonly attempt?: number; readonly run?: string | undefined } = {},
): Promise<TakenIn> {
  const { signal } = control
  const reach = { ...deps, folder: deps.dataFolder, fetch, patienceMs: patienceMs(attempt) }
  const origin = data.source === undefined ? null : await openOrigin(data.source, reach, signal)
  const pinned = origin === null ? data : origin.pinned === null ? null : { ...data, source: origin.pinned }
  const pinnedKey = pinned === null ? null : keys.data(digestOf(pinned))
  const known = pinnedKey === null ? null : await readDocument(deps.store, pinnedKey, DataDocument)
  if (known !== null && pinnedKey !== null) return takenIn(pinnedKey, known)

  const own: string[] = []
  const scratch = async (name: string) => {
    const path = await deps.blobs.scratch(name)
    own.push(path)
    return path
  }
  try {
    const files = await bring(data, reach, scratch, control, origin ?? undefined)
    const to = await scratch('problems.json')
    const sizeBytes = await bytesOf(files)
    // A run that began before marks were seen goes on with whole answers: with others it would be another run.
    const begun = pinnedKey !== null || run === undefined ? null : await begunWith(deps, run, data)
    const whole = begun !== null && begun.findings?.after === undefined
    const asked = { data, files, sizeBytes, to, ...(whole && { whole }) }
    const { isLayered, ...read } = await deps.reader.ask('data', whatOf(data), asked, control)
    const blob = await deps.blobs.adopt(to, { signal })
    const key = pinnedKey ?? keys.data(digestOf({ data, problems: blob.digest }))
    const document: DataDocument = {
      format: isLayered ? 2 : 1,
      data: pinned ?? data,
      problems: blob,
      ...read,
    }
    // What is said of them may be more than was said when they were first stored.
    const stored = await commit(deps.store, key, DataDocument, document)
    return takenIn(key, { ...stored, ...(read.findings && { findings: read.findings }) })
  } finally {
    for (const path of own) await rm(path, { force: true })
  }
}

/** The file that is read is named behind it. */
const whatOf = ({ name }: DataSpec) => (name === undefined ? 'data' : `data ${name}`)

const takenIn = (source: string, { count, findings }: DataDocument): TakenIn => ({
  source,
  count,
  ...(findings && { findings }),
})

/** The problems under which a run was last started, if that was with the same `data`; else null. */
async function begunWith({ store }: Deps, run: string, data: DataSpec): Promise<TakenIn | null> {
  const known = await readDocument(store, keys.run(run), RunDocument)
  if (known === null) return null
  const { spec, data: key } = await requireDocument(store, known.specs.at(-1) ?? '', SpecDocument)
  if (canonical(spec.data) !== canonical(data)) return null
  const origin = (await requireDocument(store, key, DataDocument)).labelled?.from ?? key
  return takenIn(origin, await requireDocument(store, origin, DataDocument))
}

/** A pinned source is known by its name alone; a folder or a bucket by what is in it now. */
export async function intakeModel(
  deps: Deps,
  model: string,
  control: Control,
): Promise<{ source: string; policy: string } & Noted> {
  const { blobs, reader } = deps
  const source = await openModel(model, deps, { scratch: (name) => blobs.scratch(name), reader, control })
  const pinnedKey = source.pinned === null ? null : keys.model(digestOf(source.pinned))
  const known = pinnedKey === null ? null : await readDocument(deps.store, pinnedKey, ModelDocument)
  if (known !== null && pinnedKey !== null) return takenBefore(deps, model, pinnedKey, known, control)

  const files: NamedBlob[] = []
  for (const [i, file] of source.files.entries()) {
    const progress = (done: number, total: number) =>
      control.progress({ phase: 'load', done: i + done / Math.max(1, total), total: source.files.length })
    const scratch = await deps.blobs.scratch(file.name)
    try {
      await file.bring(scratch, control.signal)
      const blob = await deps.blobs.adopt(scratch, { signal: control.signal, progress })
      files.push({ name: file.name, ...blob })
    } finally {
      await rm(scratch, { force: true }) // adopted, it is there no more
    }
  }
  // Opened once here, so that a model nobody can run is refused by name before anything is computed.
  const { policy, ...noted } = await explicitly(deps, model, policyOf(files), control)
  const key = pinnedKey ?? keys.model(policy.digest)
  const document = await commit(deps.store, key, ModelDocument, {
    format: 1,
    source: source.pinned ?? model,
    policy,
    ...(noted.notes && { notes: [...noted.notes] }),
  })
  return { source: key, policy: document.policy.digest, ...noted }
}

/** A pinned model that the store has: as it is, unless it was taken in when less of what it leaves open was read. */
async function takenBefore(
  deps: Deps,
  model: string,
  key: string,
  { source, policy, notes }: ModelDocument,
  control: Control,
): Promise<{ source: string; policy: string } & Noted> {
  const as = { source: key, policy: policy.digest }
  if (notes !== undefined) return { ...as, notes }
  if (await isReadAsItSays(deps, model, policy, control)) return as
  const { policy: read, ...noted } = await explicitly(deps, model, policy, control)
  if (read.digest === policy.digest) return { ...as, ...noted }
  const own = keys.model(read.digest)
  const known = { format: 1, source, policy: read, ...(noted.notes && { notes: [...noted.notes] }) } as const
  const document = await commit(deps.store, own, ModelDocument, known)
  return { source: own, policy: document.policy.digest, ...noted }
}
