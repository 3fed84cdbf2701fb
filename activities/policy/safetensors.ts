/**
 * Safetensors files: an index of their tensors without reading the data, single tensors as float32, and writing.
 *
 * Format: 8 bytes little-endian header size, a JSON header padded with blanks, then the data
 * (https://github.com/huggingface/safetensors/blob/v0.6.2/README.md#format). What is written is canonical: float32,
 * names sorted, data aligned to 8 bytes, cut at tensor boundaries; equal weights are equal bytes. A file is only
 * trusted once its header, its size and its tensors' shapes agree; CorruptModel names the file, the tensor, what was
 * expected and what was found. Left out: dtypes other than f32, f16 and bf16.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { foundOf, nameOf } from '../faults/found.ts'
import { parseJson } from '../faults/json.ts'
import { headName } from './config.ts'
import { isObject } from './objects.ts'

export type StoredDType = 'f32' | 'f16' | 'bf16'

export interface StoredTensor {
  readonly name: string
  readonly dtype: StoredDType
  readonly shape: readonly number[]
  readonly path: string
  /** What the file is called where the model lies. */
  readonly file: string
  /** First byte of the data, counted from the start of the file. */
  readonly offset: number
  readonly sizeBytes: number
}

/** A tensor in memory, row-major. */
export interface NamedTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** A file of a policy under the name it has in its Hugging Face folder. */
export interface PolicyFile {
  readonly name: string
  readonly path: string
}

/** Files that contradict themselves or their configuration: torn, truncated, or of another model. */
export class CorruptModel extends Error {
  override readonly name = 'CorruptModel'
}

const dtypes: Readonly<Record<string, StoredDType>> = { F32: 'f32', F16: 'f16', BF16: 'bf16' }
const elementBytes: { readonly [K in StoredDType]: number } = { f32: 4, f16: 2, bf16: 2 }

// A model's header is a few megabytes at most; a larger number is a file of another kind. The format's own limit.
const maxHeaderBytes = 100_000_000
const maxFileBytes = 512 * 2 ** 20

/** Every tensor of several files, by name. Reads headers and sizes only. */
export async function indexTensors(
  files: readonly PolicyFile[],
  at: (file: string) => void = () => {},
): Promise<Map<string, StoredTensor>> {
  const tensors = new Map<string, StoredTensor>()
  for (const file of files) {
    at(file.name)
    for (const tensor of await readHeader(file)) {
      const other = tensors.get(tensor.name)
      if (other)
        throw new CorruptModel(`${file.name}: tensor ${nameOf(tensor.name)} is also in ${other.file}`)
      tensors.set(tensor.name, tensor)
    }
  }
  return tensors
}

async function readHeader({ name: file, path }: PolicyFile): Promise<StoredTensor[]> {
  const handle = await open(path, 'r')
  try {
    const { size: fileBytes } = await handle.stat()
    const fail = (text: string): CorruptModel => new CorruptModel(`${file}: ${text}`)
    if (fileBytes < 8) throw fail(`expected a safetensors header, found ${fileBytes} bytes`)
    const prefix = await readBytes(handle, 0, 8)
    const headerBytes = Number(new DataView(prefix.buffer).getBigUint64(0, true))
    if (headerBytes > maxHeaderBytes || 8 + headerBytes > fileBytes)
      throw fail(`expected a header of ${headerBytes} bytes, found a file of ${fileBytes} bytes`)
    const text = new TextDecoder().decode(await readBytes(handle, 8, headerBytes))
    // The last of two tensors with one name would be read, and the other one's numbers with nobody's knowledge not.
    const parsed = parseJson(text, { distinctKeys: true })
    if (parsed.fault !== undefined) throw fail(`expected a JSON header; ${parsed.fault}`)
    const header = parsed.value
    if (!isObject(header)) throw fail(`expected a JSON object of tensors as header, found ${foundOf(header)}`)
    const entries = Object.entries(header).filter(([name]) => name !== '__metadata__')
    const tensors = entries.map(([name, entry]) => describe(name, entry, file, path, 8 + headerBytes))
    checkApart(tensors, file, 8 + headerBytes)
    const end = tensors.reduce((last, t) => Math.max(last, t.offset + t.sizeBytes), 8 + headerBytes)
    if (end !== fileBytes) {
      const last = tensors.find((t) => t.offset + t.sizeBytes === end)
      throw fail(`expected ${end} bytes (tensor ${nameOf(last?.name ?? '')} ends there), found ${fileBytes}`)
    }
    return tensors
  } finally {
    await handle.close()
  }
}

function describe(name: string, entry: unknown, file: string, path: string, start: number): StoredTensor {
  const { dtype: stored, shape, data_offsets: range } = isObject(entry) ? entry : {}
  const fail = (expected: string, found: unknown) =>
    new CorruptModel(
      `${file}: tensor ${nameOf(name)}: expected ${expected}, found ${foundOf(found, allTypes)}`,
    )
  const dtype = typeof stored === 'string' && Object.hasOwn(dtypes, stored) ? dtypes[stored] : undefined
  if (!dtype) throw fail('dtype F32, F16 or BF16', stored)
  if (!isCounts(shape)) throw fail('a shape', shape)
  if (!isCounts(range) || range.length !== 2) throw fail('two data offsets', range)
  const sizeBytes = shape.reduce((n, d) => n * d, elementBytes[dtype])
  if (range[1]! - range[0]! !== sizeBytes)
    throw fail(`${sizeBytes} bytes for ${dtype}[${shape.join(',').slice(0, 200)}]`, range[1]! - range[0]!)
  // Its values are read as an array of their type, which begins at a whole number of them.
  if (range[0]! % elementBytes[dtype] !== 0)
    throw fail(`an offset that ${elementBytes[dtype]} divides, the bytes of ${dtype}`, range[0])
  return { name, dtype, shape, path, file, offset: start + range[0]!, sizeBytes }
}

/**
 * Refuses two tensors that share bytes of the data, since one of them would be read as the other's numbers, and bytes
 * that are nobody's, as other readers do.
 */
function checkApart(tensors: readonly StoredTensor[], file: string, start: number): void {
  const filled = tensors.filter((t) => t.sizeBytes > 0).sort((a, b) => a.offset - b.offset)
  let end = start
  for (const [i, { name, offset, sizeBytes }] of filled.entries()) {
    if (offset < end)
      throw new CorruptModel(
        `${file}: tensor ${nameOf(name)}: expected data of its own, found ` +
          `${end - offset} bytes that are tensor ${nameOf(filled[i - 1]?.name ?? '')}'s, too`,
      )
    if (offset > end)
      throw new CorruptModel(
        `${file}: tensor ${nameOf(name)}: expected data from byte ${end} of the file on, found ${offset - end} bytes of no tensor before it`,
      )
    end = offset + sizeBytes
  }
}

/** Of the format, those that are not read included. */
const allTypes = /^(BOOL|[IU](8|16|32|64)|F(4|6|8|16|32|64)(_E\dM\d\w{0,4})?|BF16|C64)$/

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0)
}

/**
 * Refuses tensors that are missing, have another shape, or that the model would not use: a bias nobody adds is
 * another model. Two kinds of surplus are harmless and common: precomputed rope frequencies, and a tied head's copy.
 * (What is no copy is a head of its own: open.ts.)
 */
export function checkTensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  shapes: ReadonlyMap<string, readonly number[]>,
): void {
  for (const [name, shape] of shapes) {
    const tensor = tensors.get(name)
    if (!tensor)
      throw new CorruptModel(
        `tensor ${name}: expected [${shape.join(',')}], found in no file` +
          (name === headName ? ' (config.json: tie_word_embeddings is not true)' : ''),
      )
    if (tensor.shape.length !== shape.length || tensor.shape.some((d, i) => d !== shape[i]))
      throw new CorruptModel(
        `${tensor.file}: tensor ${name}: expected [${shape.join(',')}], found [${tensor.shape.join(',').slice(0, 200)}]`,
      )
  }
  for (const { name, file } of tensors.values())
    if (!shapes.has(name) && !name.endsWith('rotary_emb.inv_freq') && name !== headName)
      throw new CorruptModel(`${file}: tensor ${nameOf(name)}: the configuration has no such tensor`)
}

/** The tensor's values, or those of its elements from..to; float16 and bfloat16 are exact in float32. */
export async function readTensor(tensor: StoredTensor, from = 0, to?: number): Promise<Float32Array> {
  const size = elementBytes[tensor.dtype]
  const end = to === undefined ? tensor.sizeBytes : Math.min(tensor.sizeBytes, to * size)
  const handle = await open(tensor.path, 'r')
  try {
    const bytes = await readBytes(handle, tensor.offset + from * size, end - from * size)
    if (tensor.dtype === 'f32') return new Float32Array(bytes.buffer)
    const halves = new Uint16Array(bytes.buffer)
    return tensor.dtype === 'bf16' ? fromBfloat16(halves) : fromFloat16(halves)
  } finally {
    await handle.close()
  }
}

async function readBytes(
  handle: FileHandle,
  offset: number,
  sizeBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(sizeBytes)
  let done = 0
  while (done < sizeBytes) {
    const length = Math.min(sizeBytes - done, 2 ** 30) // one read call takes less than 2 GiB
    const { bytesRead } = await handle.read(bytes, done, length, offset + done)
    if (bytesRead === 0) throw new CorruptModel(`expected ${sizeBytes} bytes at ${offset}, found ${done}`)
    done += bytesRead
  }
  return bytes
}

function fromBfloat16(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length)
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16
  return new Float32Array(bits.buffer)
}

/** By table: 65,536 values worked out once cost less than decoding millions. */
function fromFloat16(halves: Uint16Array): Float32Array {
  float16Values ??= Float32Array.from({ length: 65536 }, (_, bits) => {
    const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
    if (exponent === 31) return fraction ? NaN : sign * Infinity
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
  })
  const values = new Float32Array(halves.length)
  for (let i = 0; i < halves.length; i++) values[i] = float16Values[halves[i]!]!
  return values
}
let float16Values: Float32Array | undefined

/**
 * Writes `<prefix>.safetensors`, or `<prefix>-00001-of-0000N.safetensors` where one file would pass the limit, and
 * returns the paths in order. A tensor above the limit has a file of its own.
 */
export async function writeSafetensors(
  tensors: Iterable<NamedTensor>,
  prefix: string,
  limitBytes = maxFileBytes,
): Promise<string[]> {
  const files: NamedTensor[][] = []
  let room = 0
  for (const tensor of [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (files.length === 0 || tensor.data.byteLength > room) {
      files.push([])
      room = limitBytes
    }
    files.at(-1)!.push(tensor)
    room -= tensor.data.byteLength
  }
  const number = (n: number) => String(n).padStart(5, '0')
  const paths = files.map((_, i) =>
    files.length === 1
      ? `${prefix}.safetensors`
      : `${prefix}-${number(i + 1)}-of-${number(files.length)}.safetensors`,
  )
  for (const [i, file] of files.entries()) await writeFile(file, paths[i]!)
  return paths
}

async function writeFile(tensors: readonly NamedTensor[], path: string): Promise<void> {
  // transformers opens no file without this entry.
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } }
  let offset = 0
  for (const { name, shape, data } of tensors) {
    if (data.length !== shape.reduce((n, d) => n * d, 1))
      throw new Error(`write ${path}: tensor ${name} [${shape.join(',')}], found ${data.length} elements`)
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] }
    offset += data.byteLength
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const head = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20)
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true)
  head.set(json, 8)
  const handle = await open(path, 'w')
  try {
    await writeBytes(handle, head)
    for (const { data } of tensors)
      await writeBytes(handle, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    // Not synced: whoever finds it after a power cut believes its digest, not its name.
  } finally {
    await handle.close()
  }
}

async function writeBytes(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const length = Math.min(bytes.length - done, 2 ** 30)
    done += (await handle.write(bytes, done, length)).bytesWritten
  }
}

/** The model.safetensors.index.json of several files: which holds which tensor. */
export async function weightIndex(
  files: readonly PolicyFile[],
): Promise<{ metadata: { total_size: number }; weight_map: Record<string, string> }> {
  const map: Record<string, string> = {}
  let total = 0
  for (const file of files)
    for (const { name, sizeBytes } of await readHeader(file)) {
      map[name] = file.name
      total += sizeBytes
    }
  const sorted = Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))
  return { metadata: { total_size: total }, weight_map: Object.fromEntries(sorted) }
}
