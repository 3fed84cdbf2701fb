/** Opens what a coordinate stands for: a run's spec with its problems, a policy, its prompts. Cached by digest. */
import { digestOf } from './checkpoint/canonical.ts'
import { requireDocument } from './checkpoint/documents.ts'
import { WrongStore } from './checkpoint/faults.ts'
import * as keys from './checkpoint/keys.ts'
import { runOf } from './checkpoint/manifests.ts'
import {
  CheckpointDocument,
  DataDocument,
  ModelDocument,
  RunDocument,
  RunId,
  SpecDocument,
  type Blob,
  type Policy,
} from './contracts.ts'
import { messagesOf, type Problem } from './benchmarks/problem.ts'
import { readProblems } from './benchmarks/stored.ts'
import type { Control } from './engine/port.ts'
import type { Deps } from './deps.ts'
import type { TextFile } from './reading/reader.ts'
import type { PromptText } from './spec/prompt.ts'
import { InvalidSpec } from './spec/resolve.ts'

export interface OpenSpec {
  readonly document: SpecDocument
  readonly problems: readonly Problem[]
}

export interface OpenData {
  readonly document: DataDocument
  readonly problems: readonly Problem[]
}

/** Throws WrongStore where a run lies in another store than this worker's. */
export function requireStore({ store, storeId }: Deps, expected: string | undefined): void {
  if (expected !== undefined && expected !== storeId)
    throw new WrongStore(`${store.url}: the run lies in store ${expected}, this worker has store ${storeId}`)
}

// Content never changes under its digest, so no cache can be stale; all are small (text, no tensors).
const specs = new Map<string, SpecDocument>()
const problemSets = new Map<string, readonly Problem[]>()
const opening = new Map<string, Promise<readonly Problem[]>>()
const kept = 16

export async function openSpec(deps: Deps, key: string): Promise<OpenSpec> {
  const document = specs.get(key) ?? (await requireDocument(deps.store, key, SpecDocument))
  remember(specs, key, document)
  return { document, problems: await openProblems(deps, document.problems) }
}

export async function openData(deps: Deps, key: string): Promise<OpenData> {
  const document = await requireDocument(deps.store, key, DataDocument)
  return { document, problems: await openProblems(deps, document.problems) }
}

/** A benchmark's problems as they were taken in. */
export const openBenchmark = (deps: Deps, name: string): Promise<OpenData> =>
  openData(deps, keys.data(digestOf({ name, split: 'test' })))

async function openProblems(deps: Deps, blob: Blob): Promise<readonly Problem[]> {
  const known = problemSets.get(blob.digest)
  if (known !== undefined) return known
  // One reading at a time of a set, whoever asks: it may fill a part of the memory.
  const reading = opening.get(blob.digest) ?? readBlob(deps, blob)
  opening.set(blob.digest, reading)
  try {
    const problems = await reading
    remember(problemSets, blob.digest, problems)
    return problems
  } finally {
    opening.delete(blob.digest)
  }
}

const readBlob = async ({ blobs }: Deps, blob: Blob): Promise<Problem[]> =>
  readProblems(await blobs.file(blob), keys.blob(blob.digest))

/** The policy behind the key of a model or of a checkpoint. */
export async function openSourcePolicy(deps: Deps, source: string): Promise<Policy> {
  const isModel = source.startsWith('models/')
  return (
    await (isModel
      ? requireDocument(deps.store, source, ModelDocument)
      : requireDocument(deps.store, source, CheckpointDocument))
  ).policy
}

/** <run> or <run>/<step> to the key of its checkpoint. Throws InvalidSpec naming what is there. */
export async function checkpointKey(deps: Deps, name: string): Promise<string> {
  const match = /^([^/]+)(?:\/(\d+))?$/.exec(name)
  if (match?.[1] === undefined || !RunId.safeParse(match[1]).success)
    throw new InvalidSpec(`checkpoint: expected <run> or <run>/<step>, found ${JSON.stringify(name)}`)
  const steps: number[] = []
  for await (const { key } of deps.store.list(keys.checkpoints(match[1]))) steps.push(keys.stepOf(key))
  if (steps.length === 0) throw new InvalidSpec(`checkpoint ${name}: run ${match[1]} has none`)
  const step = match[2] === undefined ? Math.max(...steps) : Number(match[2])
  if (!steps.includes(step))
    throw new InvalidSpec(
      `checkpoint ${name}: no step ${step}, there are ${steps.sort((a, b) => a - b).join(', ')}`,
    )
  return keys.checkpoint(match[1], step)
}

/**
 * The prompt of whoever names none: that of the run whose checkpoint it is, and for a model the `default`, unless its
 * tokenizer cannot say what that writes around a problem (nano models know 64 characters): then the problem alone.
 */
export async function promptFor(
  deps: Deps,
  source: string,
  date: string | undefined,
  control: Control,
): Promise<AskedAs> {
  const run = runOf(source)
  if (run !== null) {
    const { specs } = await requireDocument(deps.store, keys.run(run), RunDocument)
    const { spec } = await requireDocument(deps.store, specs.at(-1) ?? '', SpecDocument)
    return { prompt: spec.prompt, date: date ?? spec.date }
  }
  const policy = await openSourcePolicy(deps, source)
  const isReadable = await canRead(deps, policy, { prompt: 'default', date }, control)
  return { prompt: isReadable ? 'default' : 'plain', date }
}

/** How problems are asked: a prompt's name or a template, and what a chat template is told when it asks for today. */
export interface AskedAs {
  readonly prompt: string
  readonly date?: string | undefined
}

export async function openCheckpoint(
  deps: Deps,
  run: string,
  step: number,
  expected: Partial<CheckpointDocument>,
): Promise<CheckpointDocument> {
  return requireDocument(deps.store, keys.checkpoint(run, step), CheckpointDocument, expected)
}

/** Whether a policy has tokens for all that a prompt writes around a problem. */
export async function canRead(
  deps: Deps,
  policy: Policy,
  { prompt, date }: AskedAs,
  control: Control,
): Promise<boolean> {
  const tokenizer = await textFiles(deps, policy, control)
  const asked = { tokenizer, prompt, ...(date !== undefined && { date }) }
  return deps.reader.ask('canRead', `prompt ${short(prompt)}`, asked, control)
}

/** What a policy reads for each of the problems. */
export async function promptsOf(
  deps: Pick<Deps, 'blobs' | 'reader'>,
  policy: Policy,
  { prompt, date }: AskedAs,
  problems: readonly Problem[],
  control: Control,
): Promise<readonly PromptText[]> {
  const tokenizer = await textFiles(deps, policy, control)
  const asked = { prompt, ...(date !== undefined && { date }) }
  const texts = problems.map((one) => {
    const messages = messagesOf(one)
    return { id: one.id, problem: one.problem, ...(messages !== null && { messages }) }
  })
  return deps.reader.ask(
    'prompts',
    `prompt ${short(prompt)}`,
    { tokenizer, ...asked, problems: texts },
    control,
  )
}

/** A template may be pages long. */
const short = (prompt: string) => JSON.stringify(prompt.length <= 60 ? prompt : `${prompt.slice(0, 60)}…`)

/** Training changes only weights, so every step of a run shares its other files. */
async function textFiles(
  { blobs }: Pick<Deps, 'blobs'>,
  policy: Policy,
  { signal }: Control,
): Promise<TextFile[]> {
  const text = policy.files.filter(({ name }) => !/\.safetensors(\.index\.json)?$/.test(name))
  return Promise.all(
    text.map(async ({ name, ...blob }) => ({
      name,
      digest: blob.digest,
      path: await blobs.file(blob, { signal }),
    })),
  )
}

function remember<T>(cache: Map<string, T>, key: string, value: T): void {
  cache.set(key, value)
  const oldest = cache.keys().next().value
  if (cache.size > kept && oldest !== undefined) cache.delete(oldest)
}
