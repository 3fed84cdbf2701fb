/** Brings back the weights of a checkpoint whose run no longer keeps them, by replaying its updates. */
import { requireDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import { runOf } from './checkpoint/manifests.ts'
import { NotFound } from './checkpoint/store.ts'
import { ExportSpec, RunDocument, type Policy } from './contracts.ts'
import { durable } from './durable.ts'
import type { Control } from './engine/port.ts'
import { checkpointKey, openSourcePolicy, openSpec } from './open.ts'
import { parseSpec } from './spec/resolve.ts'
import { replay, type ComputeDeps } from './step.ts'

export function restoreActivities(deps: ComputeDeps) {
  return {
    /** What an export found missing. */
    restore: ({ spec }: { spec: unknown }): Promise<void> =>
      durable(async (control) => {
        const source = await checkpointKey(deps, parseSpec(ExportSpec, spec, 'export spec').checkpoint)
        await requirePolicy(deps, source, await openSourcePolicy(deps, source), control)
      }),
  }
}

/** Has a policy's files on this machine; those that its run let go are computed again. Throws WeightsLost, NotFound. */
export async function requirePolicy(
  deps: ComputeDeps,
  source: string,
  policy: Policy,
  control: Control,
): Promise<void> {
  const bring = () =>
    Promise.all(
      policy.files.map(({ digest, sizeBytes }) =>
        deps.blobs.file({ digest, sizeBytes }, { signal: control.signal }),
      ),
    )
  try {
    await bring()
  } catch (error) {
    const run = runOf(source)
    if (!(error instanceof NotFound) || run === null) throw error
    const { specs } = await requireDocument(deps.store, keys.run(run), RunDocument)
    const opened = await openSpec(deps, specs.at(-1) ?? '')
    await replay(deps, opened, run, keys.stepOf(source), [], control)
    await bring()
  }
}
