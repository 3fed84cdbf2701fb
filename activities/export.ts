/** A checkpoint as a Hugging Face folder that transformers opens. */
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NotFound } from './checkpoint/store.ts'
import { ExportSpec, type Blob } from './contracts.ts'
import { durable } from './durable.ts'
import type { Deps } from './deps.ts'
import { NotAllowed, pathOf, requireAllowed } from './models/source.ts'
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
        const folder = pathOf(`export to ${to}`, to)
        const policy = await openSourcePolicy(deps, await checkpointKey(deps, checkpoint))
        if (existsSync(folder))
          throw new NotAllowed(`export to ${to}: something is there already, and nothing is overwritten`)
        const partial = `${folder}.partial` // a folder appears under its name only when it is whole
        await rm(partial, { recursive: true, force: true })
        await mkdir(partial, { recursive: true })
        const weights: { name: string; path: string }[] = []
        for (const [i, { name, ...blob }] of policy.files.entries()) {
          control.progress({ phase: 'save', done: i, total: policy.files.length })
          const path = join(partial, name)
          await copyFile(await keptFile(deps, checkpoint, blob, control.signal), path)
          if (name.endsWith('.safetensors')) weights.push({ name, path })
        }
        // Trained weights are f32 whatever the initial ones were; readers go by what config.json says.
        const config = JSON.parse(await readFile(join(partial, 'config.json'), 'utf8')) as Record<
          string,
          unknown
        >
        await writeFile(
          join(partial, 'config.json'),
          `${JSON.stringify({ ...config, torch_dtype: 'float32', dtype: 'float32' }, null, 2)}\n`,
        )
        if (weights.length > 1)
          await writeFile(
            join(partial, 'model.safetensors.index.json'),
            JSON.stringify(await weightIndex(weights), null, 2),
          )
        await rename(partial, folder)
        return { folder: to, policy: policy.digest }
      }),
  }
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
