/** Brings the weights of a checkpoint whose run no longer keeps them back into the store. */
import { ExportSpec } from './contracts.ts'
import { durable } from './durable.ts'
import { checkpointKey, openSourcePolicy } from './open.ts'
import { requirePolicy } from './replay.ts'
import { parseSpec } from './spec/resolve.ts'
import type { ComputeDeps } from './update.ts'

export function restoreActivities(deps: ComputeDeps) {
  return {
    /** What an export found missing. */
    restore: ({ spec }: { spec: unknown }): Promise<void> =>
      durable(async (control) => {
        const source = await checkpointKey(deps, parseSpec(ExportSpec, spec, 'export spec').checkpoint)
        const policy = await openSourcePolicy(deps, source)
        await requirePolicy(deps, source, policy, control)
        for (const blob of policy.files) await deps.blobs.share(blob, { signal: control.signal })
      }),
  }
}
