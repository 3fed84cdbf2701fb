/** A checkpoint as a Hugging Face folder; weights that its run let go are computed again first. */
import * as wf from '@temporalio/workflow'
import { compute, light } from './proxies.ts'

export async function exportCheckpoint(input: unknown): Promise<{ folder: string; policy: string }> {
  try {
    return await light.exportCheckpoint({ spec: input })
  } catch (error) {
    const cause = error instanceof wf.ActivityFailure ? error.cause : null
    if (!(cause instanceof wf.ApplicationFailure && cause.type === 'NotKept')) throw error
    await compute.restore({ spec: input })
    return light.exportCheckpoint({ spec: input })
  }
}
