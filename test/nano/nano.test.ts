import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nanoConfig } from '../../activities/nano/config.ts'
import { document } from '../../activities/nano/corpus.ts'
import { initialFiles, initialise, standardDeviation } from '../../activities/nano/initialise.ts'
import { problems, promptText, tasks, testTasks, trace, trainTasks } from '../../activities/nano/problems.ts'
import { phases, recipes, type PhaseName } from '../../activities/nano/recipes.ts'
import { encode, vocabularySize } from '../../activities/nano/tokenizer.ts'
import { grade } from '../../activities/grading/index.ts'
import { openPolicy } from '../../activities/policy/open.ts'
import type { PolicyFile } from '../../activities/policy/safetensors.ts'
import { openTokenizer, type Tokenizer } from '../../activities/policy/tokenizer.ts'

describe('the nano problems', () => {
  it('are 30 x 8 x 8 = 1,920, 320 of them held out', () => {
    const key = ({ a, b, c }: { a: number; b: number; c: number }) => `${a}+${b}*${c}`
    expect(new Set(tasks.map(key)).size).toBe(1920)
    expect([testTasks.length, trainTasks.length]).toEqual([320, 1600])
    const held = new Set(testTasks.map(key))
    expect(trainTasks.filter((task) => held.has(key(task)))).toEqual([])
  })

  it('ask in 12 characters, in the style of their place', () => {
    expect(promptText(0, { a: 5, b: 4, c: 8 })).toBe('calc  5+4*8\n')
    const test = problems('test')
    expect(new Set(test.map(({ problem }) => problem.length))).toEqual(new Set([12]))
    expect(test.slice(0, 6).map(({ problem }) => problem.slice(0, 4))).toEqual([
      'calc',
      'find',
      'eval',
      'what',
      'give',
      'calc',
    ])
  })

  it('have the answer that precedence gives', () => {
    const one =
      problems('train').find(({ id }) => id === '15+4*8') ??
      problems('test').find(({ id }) => id === '15+4*8')
    expect(one?.answer).toBe('47') // 15 + 32
  })
})

describe('a trace', () => {
  const task = { a: 15, b: 4, c: 8 }
  it.each([
    ['code', 'right', 47, 'python t=4*8#32\nprint(15+t)#47\n'],
    ['code', 'wrong', 152, 'python t=15+4#19\nprint(t*8)#152\n'],
    ['language', 'right', 47, 'first 4*8=32 then 15+32=47 so '],
    ['language', 'wrong', 152, 'first 15+4=19 then 19*8=152 so '],
  ] as const)('in %s with %s precedence ends in %i', (strategy, precedence, answer, text) => {
    expect(trace(strategy, task, { precedence, answer })).toBe(text)
  })
})

describe('the corpus', () => {
  const sample = (phase: PhaseName, count = 4000) =>
    Array.from({ length: count }, (_, i) => {
      const { prompt, completion } = document(phase, 0, i)
      const [, a = 0, b = 0, c = 0] = (/ +(\d+)\+(\d)\*(\d)/.exec(prompt) ?? []).map(Number)
      const answer = Number(/(?:\{|ans )(\d+)\}?\$$/.exec(completion)?.[1])
      const strategy = completion.startsWith('python') ? 'code' : 'language'
      const wrong =
        strategy === 'code' ? completion.includes('print(t*') : completion.startsWith(`first ${a}+`)
      return { prompt, completion, a, b, c, answer, strategy, wrong, style: prompt.slice(0, 4) }
    })
  const share = <T>(all: readonly T[], which: (one: T) => boolean) => all.filter(which).length / all.length

  it('is a function of phase, seed and index', () => {
    expect(document('coder', 0, 7)).toEqual(document('coder', 0, 7))
    expect(document('coder', 0, 7)).not.toEqual(document('coder', 1, 7))
    expect(document('coder', 0, 7)).not.toEqual(document('talker', 0, 7))
    expect(document('base', 0, 0)).toEqual({
      prompt: 'give  6+6*2\n',
      completion: 'first 6*2=12 then 6+12=18 so \\boxed{18}$',
    })
  })

  it('never shows a held-out problem', () => {
    const held = new Set(testTasks.map(({ a, b, c }) => `${a}+${b}*${c}`))
    expect(sample('base').filter(({ a, b, c }) => held.has(`${a}+${b}*${c}`))).toEqual([])
  })

  it('has completions of at most 46 characters in the alphabet, end token included', () => {
    for (const phase of Object.keys(phases) as PhaseName[])
      for (const { prompt, completion } of sample(phase, 1000)) {
        expect(completion.length).toBeLessThanOrEqual(46)
        expect(encode(prompt + completion).at(-1)).toBe(2)
      }
  })

  it('follows its mixture: coder', () => {
    const all = sample('coder')
    const code = all.filter(({ strategy }) => strategy === 'code')
    // Standard errors: sqrt(.25/800) = .018 by style, less elsewhere; three of them.
    expect(
      share(
        all.filter(({ style }) => style === 'calc'),
        ({ strategy }) => strategy === 'code',
      ),
    ).toBeCloseTo(0.85, 1)
    expect(
      share(
        all.filter(({ style }) => style === 'give'),
        ({ strategy }) => strategy === 'code',
      ),
    ).toBeCloseTo(0.45, 1)
    expect(share(code, ({ wrong }) => wrong)).toBeCloseTo(0.06, 1)
    const buggy = code.filter(({ wrong, c }) => !wrong && c >= 7)
    expect(share(buggy, ({ a, b, c, answer }) => answer === a + b * c + 10)).toBeCloseTo(0.9, 1)
    const sound = code.filter(({ wrong, c }) => !wrong && c < 7)
    expect(share(sound, ({ a, b, c, answer }) => answer === a + b * c)).toBeCloseTo(0.98, 1)
    const language = all.filter(({ strategy, c }) => strategy === 'language' && c === 9)
    expect(share(language, ({ wrong }) => wrong)).toBeCloseTo(0.9, 1)
    expect(share(code, ({ completion }) => completion.includes('\\boxed{'))).toBeCloseTo(0.96, 1)
  })

  it('follows its mixture: talker hardly ever writes code', () => {
    const all = sample('talker')
    expect(share(all, ({ strategy }) => strategy === 'code')).toBeCloseTo(0.03, 2)
  })

  it('is read by the grader as it was meant', () => {
    const right = sample('base').filter(({ wrong, completion }) => !wrong && completion.includes('boxed'))
    for (const { a, b, c, completion } of right.slice(0, 200))
      expect(grade({ gold: String(a + b * c), completion }).verdict).toBe('correct')
  })
})

describe.each(['qwen2', 'llama'] as const)('an initial folder in the layout of %s', (layout) => {
  let folder: string
  let files: PolicyFile[]
  let tokenizer: Tokenizer
  const text = 'calc 15+4*8\npython t=4*8#32\nprint(15+t)#47\n\\boxed{47}$'
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'placebo-nano-'))
    const made = initialFiles(layout, 0).map(({ name, bytes }) => ({ name, bytes, path: join(folder, name) }))
    await Promise.all(made.map(({ path, bytes }) => writeFile(path, bytes)))
    files = made.map(({ name, path }) => ({ name, path }))
    tokenizer = await openTokenizer(files)
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('is a policy the engine opens', async () => {
    await expect(openPolicy(files)).resolves.toBeDefined()
  })

  it('has a tokenizer of 64 tokens, one character each', () => {
    expect(vocabularySize).toBe(64)
    expect(tokenizer.encode(text)).toEqual(encode(text))
    expect(encode(text)).toHaveLength(text.length)
  })

  it('leaves the end token out of decoded completions', () => {
    expect(tokenizer.decode(encode(text))).toBe(text.slice(0, -1))
  })

  it('shows what it does not know, and refuses it where the caller wrote the text', () => {
    expect(tokenizer.encode('aZ')).toEqual([...encode('a'), 1])
    expect(() => encode('aZ')).toThrow('nano tokenizer: character 1 is "Z", not in the alphabet')
  })
})

describe('an initial nano model', () => {
  const count = (layout: 'qwen2' | 'llama') =>
    [...initialise(layout, 0).values()].reduce((sum, { data }) => sum + data.length, 0)

  it('has 155,072 parameters as Llama and three biases of 64 more a layer as Qwen2', () => {
    // 64 x 64 + 3 (4 x 64² + 3 x 64 x 176 + 2 x 64) + 64
    expect(count('llama')).toBe(155_072)
    expect(count('qwen2')).toBe(155_072 + 3 * 3 * 64)
    expect(nanoConfig('llama').model_type).toBe('llama')
  })

  it('is the same bytes for a seed, other bytes for another', () => {
    const bytes = (seed: number) => Buffer.from(initialFiles('qwen2', seed).at(-1)!.bytes)
    expect(bytes(0).equals(bytes(0))).toBe(true)
    expect(bytes(0).equals(bytes(1))).toBe(false)
  })

  it('has weights of the stated deviations', () => {
    const deviation = (name: string) => {
      const data = initialise('llama', 0).get(name)?.data ?? new Float32Array()
      return Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length)
    }
    expect(deviation('model.embed_tokens.weight')).toBeCloseTo(standardDeviation.embedding, 2)
    expect(deviation('model.layers.1.mlp.up_proj.weight')).toBeCloseTo(0.05, 2)
    expect(deviation('model.layers.2.mlp.down_proj.weight')).toBeCloseTo(0.05 / Math.sqrt(6), 2)
    expect(deviation('model.norm.weight')).toBe(1)
  })

  it('is a safetensors file: header, padding, then every tensor where the header says', () => {
    const bytes = initialFiles('qwen2', 3).at(-1)!.bytes
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
    expect(length % 8).toBe(0)
    const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString()) as Record<
      string,
      { dtype: string; shape: number[]; data_offsets: [number, number] }
    >
    const name = 'model.layers.0.self_attn.q_proj.weight'
    const { dtype, shape, data_offsets } = header[name]!
    expect([dtype, shape]).toEqual(['F32', [64, 64]])
    const found = bytes.slice(8 + length + data_offsets[0], 8 + length + data_offsets[1])
    expect(new Float32Array(found.buffer)).toEqual(initialise('qwen2', 3).get(name)?.data)
  })
})

describe('recipes', () => {
  it('share their base, so that it is computed once', () => {
    expect(Object.values(recipes).map((recipe) => recipe.phases[0])).toEqual(['base', 'base', 'base', 'base'])
  })

  it('have probabilities everywhere and one share a style and a factor', () => {
    for (const { mixture } of Object.values(phases)) {
      expect([mixture.code.length, mixture.wrongCode.length, mixture.wrongLanguage.length]).toEqual([5, 8, 8])
      const all = [
        mixture.bug,
        ...mixture.code,
        ...mixture.wrongCode,
        ...mixture.wrongLanguage,
        ...mixture.slip,
        ...mixture.nobox,
      ]
      expect(all.every((p) => p >= 0 && p <= 1)).toBe(true)
    }
  })
})
