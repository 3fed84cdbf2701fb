/**
 * Where a model comes from: nano/… in this repository, a folder, a bucket, or the Hub at a pinned revision.
 *
 * A source lists the files of a Hugging Face folder that a policy is made of (never pickles, never code) and brings
 * each to this machine. What is outside the worker's allow-list is refused before it is touched, by its address and by
 * where its links lead.
 */
import { constants, createWriteStream, readdirSync } from 'node:fs'
import { open, readdir, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { codeOf, isRefused } from '../checkpoint/faults.ts'
import { openStore } from '../checkpoint/open.ts'
import { didYouMean } from '../contracts/nearest.ts'
import { hubFault } from './hub.ts'
import { NotAllowed, requireOpened, requirePath, rootsOf, type Roots } from './within.ts'

export { NotAllowed } from './within.ts'

export class ModelUnavailable extends Error {
  override readonly name = 'ModelUnavailable'
}

export interface ModelSource {
  /** The source, pinned: the same string is the same files for ever; null where a folder may change under its name. */
  readonly pinned: string | null
  readonly files: readonly SourceFile[]
}
export interface SourceFile {
  readonly name: string
  readonly bring: Bring
}
/** Copies a file to a path of this machine. */
export type Bring = (to: string, signal: AbortSignal) => Promise<void>

export interface Reach {
  readonly allow: readonly string[]
  readonly hub: { readonly endpoint?: string; readonly token?: string }
}

/** What an index says is anybody's text, so reading it is the caller's: the names of its weight files, each once. */
export interface ModelReach extends Reach {
  readonly readIndex: (bring: Bring) => Promise<readonly string[]>
}

const nanoFolder = fileURLToPath(new URL('../../models/nano/', import.meta.url))

/** As the Hub's own tools write it. */
const ofHub = /^hf:\/\/([\w.-]+\/[\w.-]+)@([\w./-]+)$/

/** Throws ModelUnavailable unless a name has the form of one; whether it is there, nobody has looked. */
export function requireModelName(model: string): void {
  if (model.startsWith('hf://') ? ofHub.test(model) : /^(nano|file:\/|s3:\/)\//.test(model)) return
  const forms = model.startsWith('hf://')
    ? 'hf://owner/name@revision'
    : 'nano/…, hf://owner/name@revision, s3://… or file:///…'
  throw new ModelUnavailable(`model ${model}: expected ${forms}${meant(model)}`)
}

/** A name of the Hub without its scheme, a path without its own, or a nano model that is written almost so. */
function meant(model: string): string {
  if (/^[\w.-]+\/[\w.-]+$/.test(model) && didYouMean(model, nanoModels()) === '')
    return ` (did you mean "hf://${model}@main"?)`
  return threeSlashes(model) || didYouMean(model, nanoModels())
}

/** /folder and file://folder are file:///folder; nothing of what is neither. */
export function threeSlashes(url: string): string {
  const path = /^(?:file:\/\/(?!\/|localhost\/)|file:(?!\/\/)\/?|\/)(.+)$/.exec(url)?.[1]
  return path === undefined ? '' : ` (did you mean "file:///${path}"?)`
}

export async function openSource(model: string, reach: ModelReach): Promise<ModelSource> {
  requireModelName(model)
  if (model.startsWith('nano/')) return nano(model, reach)
  if (model.startsWith('hf://')) return hub(model, reach)
  requireAllowed(`model ${model}`, asFolder(model), reach.allow)
  return model.startsWith('file://')
    ? folder(pathOf(`model ${model}`, model), model, reach, await rootsOf(reach.allow))
    : bucket(model, reach)
}

/** A URL as that of a folder: a whole allowed folder may be a model. */
export const asFolder = (url: string) => (url.endsWith('/') ? url : `${url}/`)

/** Throws NotAllowed unless a URL lies beneath one of the worker's prefixes, whole path segments, no way back up. */
export function requireAllowed(what: string, url: string, allow: readonly string[]): void {
  // As whoever opens it reads it: %2e%2e is a way back up, too.
  const plain = URL.canParse(url) ? new URL(url).href : ''
  const slashes = url.startsWith('file:') ? threeSlashes(url) : ''
  if (slashes !== '') throw new NotAllowed(`${what}: expected file:/// and a path of this machine${slashes}`)
  const isBeneath = allow.some((prefix) => plain.startsWith(asFolder(new URL(prefix).href)))
  if (isBeneath && !asFolder(url).includes('/../')) return
  const allowed = allow.length === 0 ? 'which is nothing' : `which is ${allow.join(', ')}`
  const more = [...allow, plain === '' ? 'file:///folder' : new URL('.', plain).href].join(',')
  throw new NotAllowed(
    `${what}: not beneath what this worker allows, ${allowed}. Who starts the worker says what it allows: ` +
      `PLACEBO_ALLOW=${more} before \`npm run dev\` or \`npm run worker\``,
  )
}

/** The path that a file:// URL names. Throws NotAllowed where it can name none: another host, %2F, a NUL. */
export function pathOf(what: string, url: string): string {
  try {
    const path = fileURLToPath(url)
    if (path.includes('\0')) throw new TypeError('a path holds no NUL')
    return path
  } catch (cause) {
    throw new NotAllowed(`${what}: not the URL of a file of this machine (${(cause as Error).message})`, {
      cause,
    })
  }
}

/** The models of this repository. */
const nanoModels = () =>
  readdirSync(nanoFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `nano/${entry.name}`)

async function nano(model: string, reach: ModelReach): Promise<ModelSource> {
  const known = nanoModels()
  if (!known.includes(model))
    throw new ModelUnavailable(
      `model ${model}: not there, known: ${known.join(', ')}${didYouMean(model, known)}`,
    )
  return folder(join(nanoFolder, model.slice('nano/'.length)), model, reach, null)
}

/** Which files of a folder make a policy. Sharded weights are named by their index. */
async function select(
  names: readonly string[],
  model: string,
  weightsOf: (index: string) => Promise<readonly string[]>,
): Promise<string[]> {
  const optional = [
    'generation_config.json',
    'tokenizer_config.json',
    'chat_template.jinja',
    'special_tokens_map.json',
  ]
  for (const name of ['config.json', 'tokenizer.json']) {
    if (!names.includes(name))
      throw new ModelUnavailable(`model ${model}: no ${name} among its ${names.length} files`)
  }
  const index = 'model.safetensors.index.json'
  const weights = names.includes('model.safetensors')
    ? ['model.safetensors']
    : names.includes(index)
      ? [index, ...(await weightsOf(index))]
      : []
  if (weights.length === 0)
    throw new ModelUnavailable(
      `model ${model}: no model.safetensors and no ${index} (other formats are not read)`,
    )
  const absent = weights.filter((name) => !names.includes(name))
  if (absent.length > 0)
    throw new ModelUnavailable(`model ${model}: ${index} names ${absent.join(', ')}, not there`)
  return ['config.json', 'tokenizer.json', ...optional.filter((name) => names.includes(name)), ...weights]
}

/** `roots`: where its links may lead; null where they are this repository's own. */
async function folder(
  path: string,
  model: string,
  { readIndex }: ModelReach,
  roots: Roots | null,
): Promise<ModelSource> {
  if (roots !== null) await requirePath(`model ${model}`, path, roots)
  const names = await readdir(path).catch((cause: Error) => {
    if (!isForGood(cause)) throw cause
    const why = codeOf(cause) === 'ENOENT' ? 'ENOENT: there is no such folder on this machine' : cause.message
    throw new ModelUnavailable(`model ${model}: the folder cannot be read (${why})`, { cause })
  })
  const bring =
    (name: string): Bring =>
    (to, signal) =>
      copyRegular(join(path, name), to, { what: `model ${model}: ${name}`, roots }, signal)
  const wanted = await select(names, model, (index) => readIndex(bring(index)))
  return { pinned: null, files: wanted.map((name) => ({ name, bring: bring(name) })) }
}

/** What a path is, not what a machine is short of: no attempt can mend it. */
const isForGood = (error: unknown) =>
  /^(ENOENT|ENOTDIR|EACCES|EPERM|ELOOP|ENXIO|ENODEV|EISDIR|ENAMETOOLONG)$/.test(codeOf(error) ?? '')

/** A FIFO or a device is refused before anything waits for it; what is aborted stops. */
async function copyRegular(
  from: string,
  to: string,
  { what, roots }: { readonly what: string; readonly roots: Roots | null },
  signal: AbortSignal,
): Promise<void> {
  if (roots !== null) await requirePath(what, from, roots)
  // Without O_NONBLOCK, opening a FIFO waits for its writer, and nothing can end that wait.
  const handle = await open(from, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((cause: Error) => {
    throw isForGood(cause)
      ? new ModelUnavailable(`${what} cannot be read (${cause.message})`, { cause })
      : cause
  })
  try {
    if (roots !== null) await requireOpened(what, handle, from, roots)
    const found = await handle.stat()
    if (!found.isFile()) throw new ModelUnavailable(`${what} is not a file`)
    await requireRoom(found.size, to, what)
    const bytes = handle.createReadStream({ autoClose: false, highWaterMark: 2 ** 20 })
    await pipeline(bytes, upTo(what, from), createWriteStream(to), { signal })
  } finally {
    await handle.close()
  }
}

/** A file may say that it is larger than any disk. What would fill this one is not begun. */
async function requireRoom(sizeBytes: number, to: string, what: string): Promise<void> {
  const { bsize, blocks, bavail } = await statfs(dirname(to))
  const said = (most: string, bytes: number) =>
    `${what}: expected at most ${most}, ${bytes} bytes, found ${sizeBytes} bytes`
  if (sizeBytes > blocks * bsize)
    throw new ModelUnavailable(said('the size of the disk of the cache', blocks * bsize))
  // Others' files go, so another attempt may find room.
  if (sizeBytes > bavail * bsize)
    throw Object.assign(new Error(said('what is free on the disk of the cache', bavail * bsize)), {
      code: 'ENOSPC',
    })
}

/** Weights are as large as they are; a tokenizer of a million tokens has some 50 MB, and everything else far less. */
function mostBytes(path: string): number {
  if (path.endsWith('.safetensors')) return Infinity
  return (path.endsWith('tokenizer.json') ? 128 : 16) * 2 ** 20
}

/** Bytes on their way, as many as a file of this name may have. */
const upTo = (what: string, path: string) =>
  async function* (bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const most = mostBytes(path)
    let seen = 0
    for await (const chunk of bytes) {
      seen += chunk.length
      if (seen > most)
        throw new ModelUnavailable(`${what}: expected at most ${most / 2 ** 20} MiB, found more`)
      yield chunk
    }
  }

async function bucket(model: string, { readIndex }: ModelReach): Promise<ModelSource> {
  const fail = (cause: Error): never => {
    // A store that does not answer will; what it refuses, it will refuse again.
    if (!isRefused(cause)) throw cause
    throw new ModelUnavailable(`model ${model}: ${cause.message}`, { cause })
  }
  const store = await openStore(model).catch(fail)
  const names: string[] = []
  try {
    for await (const { key } of store.list('')) names.push(key)
  } catch (cause) {
    fail(cause as Error)
  }
  const bring =
    (name: string): Bring =>
    (to, signal) =>
      pipeline(
        Readable.from(store.read(name, { signal })),
        upTo(`model ${model}: ${name}`, name),
        createWriteStream(to),
        { signal },
      ).catch(fail)
  const wanted = await select(names, model, (index) => readIndex(bring(index)))
  return { pinned: null, files: wanted.map((name) => ({ name, bring: bring(name) })) }
}

async function hub(model: string, { hub, readIndex }: ModelReach): Promise<ModelSource> {
  const [, repo = '', revision = ''] = ofHub.exec(model) ?? []
  const { downloadFile, listFiles, modelInfo } = await import('@huggingface/hub') // 30 MB that few workers need
  const { endpoint, token } = hub
  const where = {
    ...(endpoint !== undefined && { hubUrl: endpoint }),
    ...(token !== undefined && { accessToken: token }),
  }
  const fail = hubFault(`model ${model}`, ModelUnavailable)
  const { sha } = await modelInfo({ name: repo, revision, additionalFields: ['sha'], ...where }).catch(fail)
  const names: string[] = []
  try {
    for await (const file of listFiles({ repo, revision: sha, ...where }))
      if (file.type === 'file') names.push(file.path)
  } catch (cause) {
    fail(cause)
  }
  const fetched = async (name: string) => {
    const blob = await downloadFile({ repo, revision: sha, path: name, ...where }).catch(fail)
    if (!blob) throw new ModelUnavailable(`model ${model}: ${name} is listed but cannot be downloaded`)
    return blob
  }
  const bring =
    (name: string): Bring =>
    async (to, signal) =>
      pipeline(
        Readable.fromWeb((await fetched(name)).stream()),
        upTo(`model ${model}: ${name}`, name),
        createWriteStream(to),
        { signal },
      ).catch(fail)
  const wanted = await select(names, model, (index) => readIndex(bring(index)))
  return { pinned: `hf://${repo}@${sha}`, files: wanted.map((name) => ({ name, bring: bring(name) })) }
}
