/**
 * A policy's files, opened: its configuration and where each of its tensors lies. Everything that can be wrong with a
 * model is found here, before anything is computed: UnsupportedModel for what this project cannot run, CorruptModel for
 * files that contradict each other. Reads no weights. An index file is not needed: the shards say what they hold.
 */
import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, relative, sep } from 'node:path'
import type { External } from '../onnx/graph.ts'
import { parseConfig, tensorShapes, UnsupportedModel, type ModelConfig } from './config.ts'
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

export async function openPolicy(files: readonly PolicyFile[]): Promise<OpenPolicy> {
  const config = parseConfig(
    await readJson(files, 'config.json'),
    'config.json',
    await readJson(files, 'generation_config.json', true),
  )
  // The runtime refuses a weight whose real path lies outside of the weights folder, so links are resolved first.
  const weights = await Promise.all(
    files
      .filter(({ name }) => name.endsWith('.safetensors'))
      .map(async ({ name, path }) => ({ name, path: await realpath(path) })),
  )
  if (weights.length === 0)
    throw new CorruptModel(`expected a .safetensors file, found ${files.map(({ name }) => name).join(', ')}`)
  const tensors = await indexTensors(weights)
  checkTensors(tensors, tensorShapes(config))
  return { config, files, tensors, weightsFolder: commonFolder(weights.map(({ path }) => path)) }
}

/** A configuration has a few kilobytes; what is larger is none. */
const maxConfigBytes = 4 * 2 ** 20

/** The configuration alone, where nothing else of a model is at hand. Throws UnsupportedModel, CorruptModel. */
export async function readConfig(path: string): Promise<ModelConfig> {
  const { size } = await stat(path)
  if (size > maxConfigBytes)
    throw new UnsupportedModel(`config.json: expected at most ${maxConfigBytes} bytes, found ${size}`)
  return parseConfig(await readJson([{ name: 'config.json', path }], 'config.json'), 'config.json')
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
  optional = false,
): Promise<unknown> {
  const file = files.find((f) => f.name === name)
  if (!file) {
    if (optional) return undefined
    throw new CorruptModel(`expected a file ${name}, found ${files.map((f) => f.name).join(', ')}`)
  }
  const text = await readFile(file.path, 'utf8')
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new CorruptModel(`${name}: expected JSON, found ${JSON.stringify(text.slice(0, 40))}`, { cause })
  }
}

function commonFolder(paths: readonly string[]): string {
  let folder = dirname(paths[0]!)
  while (!paths.every((path) => path.startsWith(folder.endsWith(sep) ? folder : folder + sep)))
    folder = dirname(folder)
  return folder
}
