/**
 * A policy's files, opened: its configuration and where each of its tensors lies. Everything that can be wrong with a
 * model is found here, before anything is computed: UnsupportedModel for what this project cannot run, CorruptModel for
 * files that contradict each other. Reads no weights, but for a head beside a configuration that says there is none. An
 * index file is not needed: the shards say what they hold.
 */
import { readFile, realpath } from 'node:fs/promises'
import { dirname, relative, sep } from 'node:path'
import { nameOf } from '../faults/found.ts'
import { parseJson, type Strictness } from '../faults/json.ts'
import type { External } from '../onnx/graph.ts'
import { parseConfig, tensorShapes, type ModelConfig } from './config.ts'
import { hasOwnHead } from './own-head.ts'
import {
  checkTensors,
  CorruptModel,
  indexTensors,
  type PolicyFile,
  type StoredTensor,
} from './safetensors.ts'

export type { PolicyFile } from './safetensors.ts'

export interface OpenPolicy {
  readonly config: ModelConfig
  readonly files: readonly PolicyFile[]
  /** Every tensor of `tensorShapes(config)`; files may hold a few more. */
  readonly tensors: ReadonlyMap<string, StoredTensor>
  /** The folder that all weight files lie beneath: what an ONNX graph's external weights are relative to. */
  readonly weightsFolder: string
}

/** Is told what is read from now on: whoever reads what a stranger wrote says where it hung. */
export type At = (step: string) => void

export async function openPolicy(files: readonly PolicyFile[], at: At = () => {}): Promise<OpenPolicy> {
  const said = await readConfig(files, at)
  // The runtime refuses a weight whose real path lies outside of the weights folder, so links are resolved first.
  const weights = await Promise.all(
    files
      .filter(({ name }) => name.endsWith('.safetensors'))
      .map(async ({ name, path }) => ({ name, path: await realpath(path) })),
  )
  if (weights.length === 0) throw new CorruptModel(`expected a .safetensors file, found ${namesOf(files)}`)
  const tensors = await indexTensors(weights, at)
  at('config.json')
  // Before the names of all layers' tensors are made: their number is whatever somebody wrote.
  if (said.layers > tensors.size)
    throw new CorruptModel(
      `config.json: num_hidden_layers: expected no more than tensors in the files (${tensors.size}), found ${said.layers}`,
    )
  const config = (await hasOwnHead(said, tensors)) ? { ...said, tied: false } : said
  checkTensors(tensors, tensorShapes(config))
  return { config, files, tensors, weightsFolder: commonFolder(weights.map(({ path }) => path)) }
}

const namesOf = (files: readonly PolicyFile[]) => files.map(({ name }) => nameOf(name)).join(', ')

/** The configuration among a policy's files. */
export async function readConfig(files: readonly PolicyFile[], at: At = () => {}): Promise<ModelConfig> {
  return parseConfig(
    await readJson(files, 'config.json', { at, distinctKeys: true }),
    'config.json',
    await readJson(files, 'generation_config.json', { at, optional: true, distinctKeys: true }),
  )
}

/** Where a tensor lies, as a graph's external weight names it. */
export function externalOf(policy: OpenPolicy, tensor: StoredTensor): External {
  const location = relative(policy.weightsFolder, tensor.path)
  return { location, offset: tensor.offset, sizeBytes: tensor.sizeBytes }
}

/** A JSON file of the policy; undefined where it is optional and absent. */
export async function readJson(
  files: readonly PolicyFile[],
  name: string,
  { optional = false, at, ...strictness }: ReadJson = {},
): Promise<unknown> {
  const file = files.find((f) => f.name === name)
  if (!file) {
    if (optional) return undefined
    throw new CorruptModel(`expected a file ${name}, found ${namesOf(files)}`)
  }
  at?.(name)
  const parsed = parseJson(await readFile(file.path, 'utf8'), strictness)
  if (parsed.fault !== undefined) throw new CorruptModel(`${name}: expected JSON; ${parsed.fault}`)
  return parsed.value
}

interface ReadJson extends Strictness {
  readonly optional?: boolean
  readonly at?: At
}

function commonFolder(paths: readonly string[]): string {
  let folder = dirname(paths[0]!)
  while (!paths.every((path) => path.startsWith(folder.endsWith(sep) ? folder : folder + sep)))
    folder = dirname(folder)
  return folder
}
