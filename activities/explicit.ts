/**
 * A policy with what its files leave open written down in them (reading/explicit.ts), and whether one that was taken in
 * by an earlier version needs it. What needs nothing keeps its files, and so its digest.
 */
import * as keys from './checkpoint/keys.ts'
import { NotFound, type Store } from './checkpoint/store.ts'
import type { Policy } from './contracts.ts'
import { policyOf } from './engine/embedded.ts'
import type { Control } from './engine/port.ts'
import type { Deps } from './deps.ts'

/** What a person should know of a model, where there is something. */
export interface Noted {
  readonly notes?: readonly string[]
}

/** Opens it as sampling and training will; a model nobody can run is refused by name. */
export async function explicitly(
  deps: Deps,
  model: string,
  policy: Policy,
  control: Control,
): Promise<{ readonly policy: Policy } & Noted> {
  const files = await localFiles(deps, policy, control)
  const { notes, written } = await deps.reader.ask('model', `model ${model}`, { files }, control)
  const noted = notes.length > 0 ? { notes } : {}
  if (written.length === 0) return { policy, ...noted }
  const { signal } = control
  const own = await Promise.all(
    written.map(async ({ name, text }) => ({
      name,
      ...(await deps.blobs.put(new TextEncoder().encode(text), { signal })),
    })),
  )
  const others = policy.files.filter(({ name }) => !own.some((file) => file.name === name))
  return { policy: policyOf([...others, ...own]), ...noted }
}

/** By its small files, and the names of its tensors: no weights are brought for it. Whoever computes misses what is gone. */
export async function isReadAsItSays(
  deps: Deps,
  model: string,
  policy: Policy,
  control: Control,
): Promise<boolean> {
  try {
    return await saysAll(deps, model, policy, control)
  } catch (error) {
    if (error instanceof NotFound) return true
    throw error
  }
}

async function saysAll(deps: Deps, model: string, policy: Policy, control: Control): Promise<boolean> {
  const small = policy.files.filter(({ name }) => /^(generation_)?config\.json$/.test(name))
  const files = await localFiles(deps, { ...policy, files: small }, control)
  const { tied, endTokens } = await deps.reader.ask('config', `model ${model}`, { files }, control)
  if (endTokens.length === 0) return false
  if (!tied) return true
  for (const { name, digest } of policy.files)
    if (name.endsWith('.safetensors') && (await mayHoldHead(deps.store, digest, control))) return false
  return true
}

const localFiles = ({ blobs }: Deps, { files }: Policy, { signal }: Control) =>
  Promise.all(files.map(async ({ name, ...blob }) => ({ name, path: await blobs.file(blob, { signal }) })))

/** Bytes of a safetensors header that are looked through; a model's has a few megabytes at most. */
const mostHeader = 2 ** 24

async function mayHoldHead(store: Store, digest: string, { signal }: Control): Promise<boolean> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of store.read(keys.blob(digest), { signal })) {
    chunks.push(chunk)
    length += chunk.length
    if (length < 8) continue
    const bytes = Buffer.concat(chunks)
    const end = 8 + Number(bytes.readBigUInt64LE(0))
    if (length >= end) return bytes.subarray(8, end).includes('"lm_head.weight"')
    if (length > mostHeader) return true
  }
  return true
}
