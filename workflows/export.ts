/** A checkpoint as a Hugging Face folder. */
import { light } from './proxies.ts'

export async function exportCheckpoint(input: unknown): Promise<{ folder: string; policy: string }> {
  return light.exportCheckpoint({ spec: input })
}
