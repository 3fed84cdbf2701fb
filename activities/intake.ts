/** Copies a model or a problem set into the store, once: from then on no run depends on where it came from. */
import { copyFile } from 'node:fs/promises'
import { loadProblems } from './benchmarks/load.ts'
import { digestOf, canonical } from './checkpoint/canonical.ts'
import { commit, readDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import type { DataSpec } from './contracts.ts'
import { DataDocument, ModelDocument, type NamedBlob } from './contracts.ts'
import { durable } from './durable.ts'
import { policyOf } from './engine/embedded.ts'
import type { Control } from './engine/port.ts'
import type { Deps } from './deps.ts'
import { openSource } from './models/source.ts'
import { openPolicy } from './policy/open.ts'
import { openTokenizer } from './policy/tokenizer.ts'

export function intakeActivities(deps: Deps) {
  return {
    intakeModel: ({ model }: { model: string }) => durable((control) => intakeModel(deps, model, control)),

    intakeData: ({ data }: { data: DataSpec }) =>
      durable(async ({ signal }) => {
        const key = keys.data(digestOf(data))
        const known = await readDocument(deps.store, key, DataDocument)
        if (known !== null) return { source: key, count: known.count }
        const fetched = (url: string) => fetch(url, { signal })
        const problems = await loadProblems(data, { folder: deps.dataFolder, fetch: fetched })
        const blob = await deps.blobs.put(new TextEncoder().encode(canonical(problems)), { signal })
        const document = { format: 1 as const, data, problems: blob, count: problems.length }
        return { source: key, count: (await commit(deps.store, key, DataDocument, document)).count }
      }),
  }
}

/** A pinned source is known by its name alone; a folder or a bucket by what is in it now. */
export async function intakeModel(
  deps: Deps,
  model: string,
  control: Control,
): Promise<{ source: string; policy: string }> {
  const source = await openSource(model, deps)
  const pinnedKey = source.pinned === null ? null : keys.model(digestOf(source.pinned))
  const known = pinnedKey === null ? null : await readDocument(deps.store, pinnedKey, ModelDocument)
  if (known !== null && pinnedKey !== null) return { source: pinnedKey, policy: known.policy.digest }

  const files: NamedBlob[] = []
  for (const [i, file] of source.files.entries()) {
    const progress = (done: number, total: number) =>
      control.progress({ phase: 'load', done: i + done / Math.max(1, total), total: source.files.length })
    const scratch = await deps.blobs.scratch(file.name)
    await (file.path === undefined ? file.bring(scratch, control.signal) : copyFile(file.path, scratch))
    files.push({
      name: file.name,
      ...(await deps.blobs.adopt(scratch, { signal: control.signal, progress })),
    })
  }
  const policy = policyOf(files)
  // Opened once here, so that a model nobody can run is refused by name before anything is computed.
  const opened = await openPolicy(
    await Promise.all(
      policy.files.map(async ({ name, ...blob }) => ({ name, path: await deps.blobs.file(blob) })),
    ),
  )
  await openTokenizer(opened.files)
  const key = pinnedKey ?? keys.model(policy.digest)
  const document = await commit(deps.store, key, ModelDocument, {
    format: 1,
    source: source.pinned ?? model,
    policy,
  })
  return { source: key, policy: document.policy.digest }
}
