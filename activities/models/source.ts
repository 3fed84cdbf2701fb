/**
 * Where a model comes from: nano/… in this repository, a folder, a bucket, or the Hub at a pinned revision.
 *
 * A source lists the files of a Hugging Face folder that a policy is made of (never pickles, never code) and brings
 * each to this machine. What is outside the worker's allow-list is refused before it is touched.
 */
import { createWriteStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { nameOf, StoreError } from '../checkpoint/faults.ts'
import { openStore } from '../checkpoint/open.ts'
import { hubFault } from './hub.ts'

export class ModelUnavailable extends Error {
  override readonly name = 'ModelUnavailable'
}
export class NotAllowed extends Error {
  override readonly name = 'NotAllowed'
}

export interface ModelSource {
  /** The source, pinned: the same string is the same files for ever; null where a folder may change under its name. */
  readonly pinned: string | null
  readonly files: readonly SourceFile[]
}
export interface SourceFile {
  readonly name: string
  /** A local path where the file lies already, or how to bring it to a path. */
  readonly path?: string
  readonly bring: (to: string, signal: AbortSignal) => Promise<void>
}
export interface Reach {
  readonly allow: readonly string[]
  readonly hub: { readonly endpoint?: string; readonly token?: string }
}

const nanoFolder = fileURLToPath(new URL('../../models/nano/', import.meta.url))

export async function openSource(model: string, reach: Reach): Promise<ModelSource> {
  if (model.startsWith('nano/')) return nano(model)
  if (model.startsWith('hf://')) return hub(model, reach.hub)
  if (model.startsWith('file://') || model.startsWith('s3://')) {
    // A whole allowed folder may be a model, so the URL counts as a folder.
    requireAllowed(`model ${model}`, model.endsWith('/') ? model : `${model}/`, reach.allow)
    return model.startsWith('file://') ? folder(fileURLToPath(model), model) : bucket(model)
  }
  throw new ModelUnavailable(`model ${model}: expected nano/…, hf://owner/name@revision, s3://… or file:///…`)
}

/** Throws NotAllowed unless a URL lies beneath one of the worker's prefixes, whole path segments, no way back up. */
export function requireAllowed(what: string, url: string, allow: readonly string[]): void {
  const asFolder = (path: string) => (path.endsWith('/') ? path : `${path}/`)
  // As whoever opens it reads it: %2e%2e is a way back up, too.
  const plain = URL.canParse(url) ? new URL(url).href : ''
  const isBeneath = allow.some((prefix) => plain.startsWith(asFolder(new URL(prefix).href)))
  if (isBeneath && !asFolder(url).includes('/../')) return
  const allowed = allow.join(',') || 'nothing'
  throw new NotAllowed(`${what}: not beneath what this worker allows (PLACEBO_ALLOW=${allowed})`)
}

async function nano(model: string): Promise<ModelSource> {
  const name = model.slice('nano/'.length)
  const known = (await readdir(nanoFolder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
  if (!known.includes(name))
    throw new ModelUnavailable(
      `model ${model}: not there, known: ${known.map((n) => `nano/${n}`).join(', ')}`,
    )
  return folder(join(nanoFolder, name), model)
}

/** Which files of a folder make a policy. Sharded weights are named by their index. */
async function select(
  names: readonly string[],
  model: string,
  read: (name: string) => Promise<string>,
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
      ? [
          index,
          ...new Set(
            Object.values(
              (JSON.parse(await read(index)) as { weight_map: Record<string, string> }).weight_map,
            ),
          ),
        ]
      : []
  if (weights.length === 0)
    throw new ModelUnavailable(
      `model ${model}: no model.safetensors and no ${index} (other formats are not read)`,
    )
  const absent = weights.filter((name) => !names.includes(name) || name.includes('/'))
  if (absent.length > 0)
    throw new ModelUnavailable(`model ${model}: ${index} names ${absent.join(', ')}, not there`)
  return ['config.json', 'tokenizer.json', ...optional.filter((name) => names.includes(name)), ...weights]
}

async function folder(path: string, model: string): Promise<ModelSource> {
  const names = await readdir(path).catch((cause: Error) => {
    throw new ModelUnavailable(`model ${model}: the folder cannot be read (${cause.message})`, { cause })
  })
  const wanted = await select(names, model, (name) => readFile(join(path, name), 'utf8'))
  const files = wanted.map((name) => ({ name, path: join(path, name), bring: async () => {} }))
  for (const file of files)
    if (!(await stat(file.path)).isFile())
      throw new ModelUnavailable(`model ${model}: ${file.name} is not a file`)
  return { pinned: null, files }
}

/** What a store calls a bucket that is not there, or not ours. */
const refusals = /^(NoSuchBucket|InvalidBucketName|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch)$/

async function bucket(model: string): Promise<ModelSource> {
  const fail = (cause: Error): never => {
    // A store that does not answer will; what it refuses, it will refuse again.
    if (cause instanceof StoreError && !refusals.test(nameOf(cause))) throw cause
    throw new ModelUnavailable(`model ${model}: ${cause.message}`, { cause })
  }
  const store = await openStore(model).catch(fail)
  const names: string[] = []
  try {
    for await (const { key } of store.list('')) names.push(key)
  } catch (cause) {
    fail(cause as Error)
  }
  const wanted = await select(names, model, async (name) => new TextDecoder().decode(await store.get(name)))
  const bring = (name: string) => async (to: string, signal: AbortSignal) =>
    pipeline(Readable.from(store.read(name, { signal })), createWriteStream(to), { signal })
  return { pinned: null, files: wanted.map((name) => ({ name, bring: bring(name) })) }
}

async function hub(model: string, { endpoint, token }: Reach['hub']): Promise<ModelSource> {
  const match = /^hf:\/\/([\w.-]+\/[\w.-]+)@([\w./-]+)$/.exec(model)
  if (match === null) throw new ModelUnavailable(`model ${model}: expected hf://owner/name@revision`)
  const [, repo = '', revision = ''] = match
  const { downloadFile, listFiles, modelInfo } = await import('@huggingface/hub') // 30 MB that few workers need
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
  const open = async (name: string) => {
    const blob = await downloadFile({ repo, revision: sha, path: name, ...where }).catch(fail)
    if (!blob) throw new ModelUnavailable(`model ${model}: ${name} is listed but cannot be downloaded`)
    return blob
  }
  const wanted = await select(names, model, async (name) => (await open(name)).text().catch(fail))
  const bring = (name: string) => async (to: string, signal: AbortSignal) =>
    pipeline(Readable.fromWeb((await open(name)).stream()), createWriteStream(to), { signal }).catch(fail)
  return { pinned: `hf://${repo}@${sha}`, files: wanted.map((name) => ({ name, bring: bring(name) })) }
}
