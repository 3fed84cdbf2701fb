/**
 * The optimizer's memory as safetensors files beside the weights: moments of tensor NAME as m.NAME and v.NAME. What has
 * no moments (SGD, or no update yet) is no file. Reading gives where the moments lie, not their data, since a trainer
 * copies them into arrays of its own.
 */
import { basename } from 'node:path'
import { indexTensors, writeSafetensors, type NamedTensor, type StoredTensor } from './safetensors.ts'

export interface OptimizerState {
  /** Optimizer steps so far. */
  readonly updates: number
  readonly moments: readonly NamedTensor[]
}

export interface StoredOptimizerState {
  readonly updates: number
  readonly moments: ReadonlyMap<string, StoredTensor>
}

/** Paths of the files written, `<prefix>.safetensors` or several; [] where there is nothing to write. */
export async function writeOptimizerState({ moments }: OptimizerState, prefix: string): Promise<string[]> {
  return moments.length === 0 ? [] : writeSafetensors(moments, prefix)
}

export async function readOptimizerState(
  paths: readonly string[],
  updates: number,
): Promise<StoredOptimizerState> {
  const files = paths.map((path) => ({ name: basename(path), path }))
  return { updates, moments: await indexTensors(files) }
}
