/**
 * A checkpoint as a Hugging Face folder that transformers opens.
 *
 * It is written under a random name of its own beside the target, and renamed once it is whole: whatever else lies
 * there is neither overwritten nor removed. A folder that holds this very export, of an attempt whose end nobody heard,
 * counts as done. Leaves out: what an attempt that was killed had written, a folder `.export-…` beside the target.
 */
import {
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { digestOfFile } from './checkpoint/checksum.ts'
import { codeOf } from './checkpoint/faults.ts'
import { NotFound } from './checkpoint/store.ts'
import { ExportSpec, type Blob, type Policy } from './contracts.ts'
import { durable } from './durable.ts'
import type { Deps } from './deps.ts'
import type { Control } from './engine/port.ts'
import { pathOf, requireAllowed } from './models/source.ts'
import { NotAllowed, realOf, requireBeneath, requirePath, rootsOf, type Roots } from './models/within.ts'
import { checkpointKey, openSourcePolicy } from './open.ts'
import { weightIndex } from './policy/safetensors.ts'
import { parseSpec } from './spec/resolve.ts'

/** A checkpoint's blob that its run let go: a worker that computes can bring it back. */
export class NotKept extends Error {
  override readonly name = 'NotKept'
}

export function exportActivities(deps: Deps) {
  return {
    exportCheckpoint: ({ spec }: { spec: unknown }): Promise<{ folder: string; policy: string }> =>
      durable(async (control) => {
        const { checkpoint, to } = parseSpec(ExportSpec, spec, 'export spec')
        if (!to.startsWith('file:///')) throw new NotAllowed(`export to ${to}: expected file:///…`)
        requireAllowed(`export to ${to}`, to, deps.allow)
        const folder = resolve(pathOf(`export to ${to}`, to)) // without slashes at its end
        const roots = await rootsOf(deps.allow)
        await requirePath(`export to ${to}`, dirname(folder), roots)
        const policy = await openSourcePolicy(deps, await checkpointKey(deps, checkpoint))
        const asked: Asked = {
          policy,
          folder,
          roots,
          to,
          kept: (blob) => keptFile(deps, checkpoint, blob, control.signal),
        }
        if (!(await isThere(asked, control))) await writeBeside(asked, control)
        return { folder: to, policy: policy.digest }
      }),
  }
}

interface Asked {
  readonly policy: Policy
  readonly folder: string
  /** Where links on the way to it may lead. */
  readonly roots: Roots
  readonly to: string
  /** A path to the blob's bytes. */
  readonly kept: (blob: Blob) => Promise<string>
}

const indexName = 'model.safetensors.index.json'
const isWeights = (name: string) => name.endsWith('.safetensors')

/** False where nothing lies under the folder's name, true where this export does. Throws NotAllowed at anything else. */
async function isThere(asked: Asked, control: Control): Promise<boolean> {
  const found = await lstat(asked.folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null
    return refused(asked.to, error)
  })
  if (found === null) return false
  if (found.isDirectory() && (await isWhole(asked, control))) return true
  throw new NotAllowed(`export to ${asked.to}: something is there already, and nothing is overwritten`)
}

/** Whether the folder holds the files of this export, byte by byte, and no others. */
async function isWhole({ policy: { files }, folder, kept }: Asked, { signal }: Control): Promise<boolean> {
  const expected = files.map(({ name }) => name)
  if (expected.filter(isWeights).length > 1) expected.push(indexName)
  const entries = await readdir(folder, { withFileTypes: true })
  if (!entries.every((entry) => entry.isFile() && expected.includes(entry.name))) return false
  if (entries.length < expected.length) return false
  for (const { name, ...blob } of files) {
    const path = join(folder, name)
    if (name === 'config.json') {
      if ((await readFile(path, 'utf8')) !== (await configOf(await kept(blob)))) return false
      continue
    }
    if ((await lstat(path)).size !== blob.sizeBytes) return false
    if ((await digestOfFile(path, { signal })).digest !== blob.digest) return false
  }
  return true
}

/** The folder appears under its name only when it is whole. */
async function writeBeside(asked: Asked, control: Control): Promise<void> {
  const { folder, roots, to } = asked
  const refuse = (error: unknown): never => refused(to, error)
  await mkdir(dirname(folder), { recursive: true }).catch(refuse)
  // From here on no link takes part, and what was made is asked where it lies before it gets its name.
  const parent = await realpath(dirname(folder)).catch(refuse)
  requireBeneath(`export to ${to}`, parent, roots)
  const own = await mkdtemp(join(parent, '.export-')).catch(refuse)
  try {
    const whole = join(own, 'whole') // mkdtemp's own folder is closed to everybody else
    await mkdir(whole)
    await writeFiles(asked, whole, control)
    requireBeneath(`export to ${to}`, await realOf(whole), roots)
    try {
      await rename(whole, join(parent, basename(folder)))
    } catch (error) {
      if (!/^(ENOTEMPTY|EEXIST|ENOTDIR)$/.test(codeOf(error) ?? '')) refuse(error)
      if (!(await isThere(asked, control))) throw error // somebody was first, and is gone again
    }
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}

async function writeFiles(
  { policy: { files }, kept }: Asked,
  folder: string,
  control: Control,
): Promise<void> {
  const weights: { name: string; path: string }[] = []
  for (const [i, { name, ...blob }] of files.entries()) {
    control.progress({ phase: 'save', done: i, total: files.length })
    const path = join(folder, name)
    if (name === 'config.json') await writeFile(path, await configOf(await kept(blob)))
    else await copyFile(await kept(blob), path)
    if (isWeights(name)) weights.push({ name, path })
  }
  if (weights.length > 1)
    await writeFile(join(folder, indexName), JSON.stringify(await weightIndex(weights), null, 2))
}

/** Trained weights are f32 whatever the initial ones were; readers go by what config.json says. */
async function configOf(path: string): Promise<string> {
  const config = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
  return `${JSON.stringify({ ...config, torch_dtype: 'float32', dtype: 'float32' }, null, 2)}\n`
}

/** What every attempt meets again: a path that leads through a file, is too long, or may not be written. */
const forGood = /^(EACCES|EEXIST|EINVAL|EISDIR|ELOOP|ENAMETOOLONG|ENOENT|ENOTDIR|EPERM|EROFS|EXDEV)$/

function refused(to: string, error: unknown): never {
  const { message } = error as Error
  if (!forGood.test(codeOf(error) ?? '')) throw error
  throw new NotAllowed(`export to ${to}: no folder can be made there (${message})`, { cause: error })
}

async function keptFile(
  { blobs }: Deps,
  checkpoint: string,
  blob: Blob,
  signal: AbortSignal,
): Promise<string> {
  try {
    return await blobs.file(blob, { signal })
  } catch (error) {
    if (!(error instanceof NotFound)) throw error
    throw new NotKept(`checkpoint ${checkpoint}: its weights are not kept any more`, { cause: error })
  }
}
