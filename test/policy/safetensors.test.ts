import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPolicy } from '../../activities/policy/open.ts'
import {
  CorruptModel,
  indexTensors,
  readTensor,
  weightIndex,
  writeSafetensors,
  type NamedTensor,
  type PolicyFile,
} from '../../activities/policy/safetensors.ts'
import { folderFiles, models } from './folders.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'))
})
afterAll(() => rm(folder, { recursive: true }))

const at = (path: string): PolicyFile => ({ name: basename(path), path })
const tensor = (name: string, shape: number[], ...values: number[]): NamedTensor => ({
  name,
  shape,
  data: Float32Array.from(values),
})

/** A file with this header object and this many bytes of data. */
async function handmade(name: string, header: unknown, dataBytes: number): Promise<PolicyFile> {
  const json = typeof header === 'string' ? header : JSON.stringify(header)
  const bytes = Buffer.alloc(8 + json.length + dataBytes)
  bytes.writeBigUInt64LE(BigInt(json.length))
  bytes.write(json, 8)
  const path = join(folder, name)
  await writeFile(path, bytes)
  return at(path)
}

describe('writing', () => {
  it('does not depend on the order of the tensors, aligns the data, and reads back', async () => {
    const [a, b] = [tensor('a', [2, 2], 1, 2, 3, 4), tensor('b', [1], -0.5)]
    const [one] = await writeSafetensors([a, b], join(folder, 'one'))
    const [two] = await writeSafetensors([b, a], join(folder, 'two'))
    expect(basename(one!)).toBe('one.safetensors')
    expect(await readFile(one!)).toEqual(await readFile(two!))
    const index = await indexTensors([at(one!)])
    expect([...index.values()].map(({ name, offset }) => [name, offset % 8])).toEqual([
      ['a', 0],
      ['b', 0],
    ])
    expect(await readTensor(index.get('a')!)).toEqual(a.data)
    expect(await readTensor(index.get('b')!)).toEqual(b.data)
  })

  it('cuts at tensor boundaries: 8 + 4 bytes fit a limit of 12, the next 8 start a file', async () => {
    const tensors = [tensor('a', [2], 1, 2), tensor('b', [1], 3), tensor('c', [2], 4, 5)]
    const paths = await writeSafetensors(tensors, join(folder, 'model'), 12)
    const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']
    expect(paths.map((path) => basename(path))).toEqual(names)
    expect(await weightIndex(paths.map(at))).toEqual({
      metadata: { total_size: 20 },
      weight_map: { a: names[0], b: names[0], c: names[1] },
    })
  })
})

describe('a corrupt file', () => {
  it.each([
    ['no header', 'ab', 0, 'x.safetensors: expected a JSON header; line 1, column 1: expected a value'],
    [
      'one name for two tensors',
      '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
      8,
      'x.safetensors: expected a JSON header; line 1, column 55: expected a key that its object does not have yet',
    ],
    [
      'one name for two fields of a tensor',
      '{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8],"data_offsets":[0,4]}}',
      8,
      'line 1, column 54: expected a key that its object does not have yet',
    ],
    [
      'a tensor between two of its elements',
      {
        v: { dtype: 'F16', shape: [1], data_offsets: [0, 2] },
        w: { dtype: 'F32', shape: [1], data_offsets: [2, 6] },
      },
      6,
      'x.safetensors: tensor w: expected an offset that 4 divides, the bytes of f32, found 2',
    ],
    [
      'four bytes of no tensor between two',
      {
        v: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
        w: { dtype: 'F32', shape: [1], data_offsets: [8, 12] },
      },
      12,
      'of the file on, found 4 bytes of no tensor before it',
    ],
    [
      'a tensor called __proto__ that shares the bytes of another',
      '{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      4,
      "found 4 bytes that are tensor __proto__'s, too",
    ],
    [
      'another dtype',
      { w: { dtype: 'I8', shape: [4], data_offsets: [0, 4] } },
      4,
      'x.safetensors: tensor w: expected dtype F32, F16 or BF16, found "I8"',
    ],
    [
      'a size that is not its shape',
      { w: { dtype: 'BF16', shape: [2, 3], data_offsets: [0, 24] } },
      24,
      'x.safetensors: tensor w: expected 12 bytes for bf16[2,3], found 24',
    ],
    [
      'a missing end',
      { w: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } },
      7,
      'expected 70 bytes (tensor w ends there), found 69',
    ],
    [
      'tensors that share 8 of 12 bytes',
      {
        w: { dtype: 'F32', shape: [2], data_offsets: [4, 12] },
        v: { dtype: 'F32', shape: [3], data_offsets: [0, 12] },
      },
      12,
      "x.safetensors: tensor w: expected data of its own, found 8 bytes that are tensor v's, too",
    ],
  ])('with %s is refused', async (_name, header, dataBytes, message) => {
    const file = await handmade('x.safetensors', header, dataBytes)
    await expect(indexTensors([file])).rejects.toThrow(CorruptModel)
    await expect(indexTensors([file])).rejects.toThrow(message)
  })

  it('with its header cut is refused', async () => {
    const [path] = await writeSafetensors([tensor('a', [1], 1)], join(folder, 'cut'))
    await truncate(path!, 20)
    await expect(indexTensors([at(path!)])).rejects.toThrow(
      /cut.safetensors: expected a header of \d+ bytes, found a file of 20/,
    )
    await truncate(path!, 3)
    await expect(indexTensors([at(path!)])).rejects.toThrow('expected a safetensors header, found 3 bytes')
  })
})

describe('a policy', () => {
  it.each(models)('of %s opens, shards and all', async (model) => {
    const policy = await openPolicy(folderFiles(model))
    const weight = policy.tensors.get('model.layers.1.mlp.down_proj.weight')!
    expect(weight.shape).toEqual([32, 48])
    const values = await readTensor(weight)
    expect(values.length).toBe(32 * 48)
    const rms = Math.hypot(...values) / Math.sqrt(values.length)
    expect(Math.abs(rms - 0.2)).toBeLessThan(0.02) // drawn with standard deviation 0.2, whatever the dtype
  })

  it('with a shard left out is refused by tensor', async () => {
    const files = folderFiles('llama3-untied').filter(
      ({ name }) => name !== 'model-00002-of-00002.safetensors',
    )
    await expect(openPolicy(files)).rejects.toThrow(/tensor .*: expected \[.*\], found in no file/)
  })

  it('with weights of another shape is refused by file and tensor', async () => {
    const files = folderFiles('olmo2').filter(({ name }) => !name.endsWith('.safetensors'))
    const other = folderFiles('qwen2-untied').filter(({ name }) => name.endsWith('.safetensors'))
    await expect(openPolicy([...files, ...other])).rejects.toThrow(CorruptModel)
  })

  it('with a tensor that the configuration does not know is refused', async () => {
    const [path] = await writeSafetensors([tensor('model.extra.bias', [1], 0)], join(folder, 'extra'))
    await expect(openPolicy([...folderFiles('qwen2-tied'), at(path!)])).rejects.toThrow(
      'extra.safetensors: tensor model.extra.bias: the configuration has no such tensor',
    )
  })
})
