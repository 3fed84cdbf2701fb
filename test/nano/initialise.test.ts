import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { document } from '../../activities/nano/corpus.ts'
import { initialFiles, initialise } from '../../activities/nano/initialise.ts'
import { encode, vocabularySize } from '../../activities/nano/tokenizer.ts'
import { openPolicy, type PolicyFile } from '../../activities/policy/open.ts'
import { openTokenizer } from '../../activities/policy/tokenizer.ts'

const folders: string[] = []
const written = {} as Record<'qwen2' | 'llama', PolicyFile[]>

beforeAll(async () => {
  for (const layout of ['qwen2', 'llama'] as const) {
    const folder = await mkdtemp(join(tmpdir(), 'placebo-nano-'))
    folders.push(folder)
    written[layout] = []
    for (const { name, bytes } of initialFiles(layout, 0)) {
      await writeFile(join(folder, name), bytes)
      written[layout].push({ name, path: join(folder, name) })
    }
  }
})
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

describe('a nano model before its first update', () => {
  // Llama: 64·64 + 3·(4·64·64 + 3·64·176 + 2·64) + 64 = 155,072; Qwen2 has 3·64 biases a layer more: + 576.
  it.each([
    ['llama', 155072],
    ['qwen2', 155648],
  ] as const)('opens as a %s policy of %d parameters', async (layout, parameters) => {
    const policy = await openPolicy(written[layout])
    expect(policy.config).toMatchObject({ family: layout, width: 64, layers: 3, tied: true, endTokens: [2] })
    const sizes = [...policy.tensors.values()].map(({ sizeBytes }) => sizeBytes / 4)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(parameters)
  })

  it('has the same bytes for the same seed and others for another', () => {
    const bytes = (seed: number) => Buffer.concat(initialFiles('qwen2', seed).map(({ bytes }) => bytes))
    expect(bytes(5).equals(bytes(5))).toBe(true)
    expect(bytes(5).equals(bytes(6))).toBe(false)
  })

  it('scales output projections by 1/sqrt(2 · 3): std .05 / 2.449 = .0204', () => {
    const deviation = (name: string) => {
      const { data } = initialise('llama', 0).get(name) ?? { data: [] }
      return Math.sqrt([...data].reduce((sum, x) => sum + x * x, 0) / data.length)
    }
    // Standard error of a deviation over n numbers: σ / sqrt(2n), here below 1.2%.
    expect(deviation('model.layers.0.self_attn.o_proj.weight') / 0.0204).toBeCloseTo(1, 1)
    expect(deviation('model.layers.2.mlp.down_proj.weight') / 0.0204).toBeCloseTo(1, 1)
    expect(deviation('model.layers.1.self_attn.q_proj.weight') / 0.05).toBeCloseTo(1, 1)
  })
})

describe('the nano tokenizer', () => {
  it('reads its corpus a character a token through the files it writes, and hides the end token', async () => {
    expect(vocabularySize).toBe(64)
    const tokenizer = await openTokenizer(written.qwen2)
    for (let i = 0; i < 200; i++) {
      const { prompt, completion } = document('coder', 0, i)
      const text = prompt + completion
      expect(tokenizer.encode(text)).toEqual(encode(text))
      expect(tokenizer.encode(text)).toHaveLength(text.length)
      expect(`${tokenizer.decode(encode(text))}$`).toBe(text)
    }
  })

  it('refuses a character it has no token for, by place', () => {
    expect(() => encode('calc é')).toThrow('character 5 is "é"')
  })
})
