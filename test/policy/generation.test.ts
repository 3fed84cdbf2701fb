import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  NonFiniteLogits,
  type Completion,
  type Control,
  type Decoding,
  type Prompt,
} from '../../activities/engine/port.ts'
import { EmptyPrompt, Sampler, type SamplerOptions } from '../../activities/policy/generation.ts'
import { openPolicy } from '../../activities/policy/open.ts'
import {
  CorruptModel,
  indexTensors,
  readTensor,
  writeSafetensors,
  type PolicyFile,
} from '../../activities/policy/safetensors.ts'
import { openTokenizer, PromptTooLong } from '../../activities/policy/tokenizer.ts'
import { Trainer } from '../../activities/policy/trainer.ts'
import { stream } from '../../activities/seed.ts'
import { goldenOf, goldenTensorFile, models, policyFiles, randomPolicy } from './folders.ts'

interface Golden {
  prompts: number[][]
  greedy: number[][]
}

const vocabulary = 64
const greedy: Decoding = { temperature: 0, topP: 1, maxTokens: 12, stop: [], ignoreEnd: true }
const free: Decoding = { temperature: 1, topP: 1, maxTokens: 12, stop: [] }

function control(signal = new AbortController().signal): Control {
  return { signal, progress: () => undefined }
}

function prompt(tokens: readonly number[], samples: number, problem = tokens.join()): Prompt {
  return {
    tokens,
    at: { seed: 1, purpose: 'sample', step: 3, problem, occurrence: 0 },
    samples: Array.from({ length: samples }, (_, i) => i),
  }
}

async function open(model: string, options: Partial<SamplerOptions> = {}): Promise<Sampler> {
  return Sampler.open(await openPolicy(policyFiles(model)), { threads: 1, ...options })
}

/** All completions, in the order of prompts and samples. */
async function all(sampler: Sampler, prompts: readonly Prompt[], decoding: Decoding): Promise<Completion[]> {
  const found: Completion[] = []
  for await (const completion of sampler.sample(prompts, decoding, control())) found.push(completion)
  return found.sort((a, b) => a.prompt - b.prompt || a.sample - b.sample)
}

describe.each(models)('the sampler on %s', (model) => {
  const golden = goldenOf<Golden>(model)
  let sampler: Sampler
  /** torch's logits after each token of each prompt, [tokens][vocabulary] */
  const logits: number[][][] = []
  beforeAll(async () => {
    sampler = await open(model)
    const tensors = await indexTensors([goldenTensorFile(model)])
    for (const [i, tokens] of golden.prompts.entries()) {
      const flat = await readTensor(tensors.get(`logits.${i}`)!)
      logits.push(tokens.map((_, t) => [...flat.slice(t * vocabulary, (t + 1) * vocabulary)]))
    }
    return () => sampler.release()
  })

  it('continues greedily as transformers does', async () => {
    const completions = await all(
      sampler,
      golden.prompts.map((tokens) => prompt(tokens, 1)),
      greedy,
    )
    expect(completions.map(({ tokens }) => tokens)).toEqual(golden.greedy)
  })

  it('draws from torch’s distribution: the first index whose cumulative probability passes the uniform number', async () => {
    // Every prefix of every prompt is a prompt: logits after 1, 2, 3, … tokens.
    const cases = golden.prompts.flatMap((tokens, i) =>
      tokens.map((_, t) => ({ tokens: tokens.slice(0, t + 1), logits: logits[i]![t]! })),
    )
    const samples = 8
    const prompts = cases.map(({ tokens }) => prompt(tokens, samples))
    const completions = await all(sampler, prompts, { ...free, maxTokens: 1 })
    expect(completions.length).toBe(14 * samples)
    let close = 0
    for (const { prompt: i, sample, tokens, logprobs } of completions) {
      const p = softmax(cases[i]!.logits)
      expect(Math.abs(logprobs[0]! - Math.log(p[tokens[0]!]!))).toBeLessThan(1e-4)
      const uniform = stream({ ...prompts[i]!.at, sample }).uniform(0)
      const upTo = p.slice(0, tokens[0]! + 1).reduce((a, b) => a + b, 0)
      if (Math.min(Math.abs(upTo - uniform), Math.abs(upTo - p[tokens[0]!]! - uniform)) < 1e-5) close++
      else {
        expect(uniform).toBeLessThan(upTo)
        expect(uniform).toBeGreaterThanOrEqual(upTo - p[tokens[0]!]!)
      }
    }
    expect(close).toBeLessThan(3) // within rounding of an edge either neighbour is right
  })
})

function softmax(logits: readonly number[], temperature = 1): number[] {
  const most = Math.max(...logits)
  const weights = logits.map((z) => Math.exp((z - most) / temperature))
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map((w) => w / sum)
}

describe.each([
  ['two query heads a key head', 4, 2],
  ['a key head for each query head', 2, 2],
  ['one key head', 4, 1],
])('a sample does not depend on what shares its batch: %s', (_name, heads, kvHeads) => {
  const walk = (n: number, from: number) => Array.from({ length: n }, (_, i) => (from + 17 * i) % vocabulary)
  const prompts = [
    prompt(walk(1, 5), 5),
    prompt(walk(2, 9), 3),
    prompt(walk(2, 10), 1),
    prompt(walk(40, 1), 6),
    prompt(walk(40, 30), 2),
    prompt(walk(17, 4), 1),
    prompt(walk(300, 3), 7),
  ]
  const decoding = { ...free, maxTokens: 40 } // end tokens end most of them earlier, at different lengths
  let folder: string
  let files: PolicyFile[]
  let together: Completion[]
  const sampled = async (asked: readonly Prompt[], options: Partial<SamplerOptions> = {}) => {
    const sampler = await Sampler.open(await openPolicy(files), { threads: 1, ...options })
    const found = await all(sampler, asked, decoding)
    await sampler.release()
    return found
  }
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'policy-'))
    files = await randomPolicy(folder, heads, kvHeads)
    together = await sampled(prompts)
    return () => rm(folder, { recursive: true })
  })

  it('of which there is something to see: different lengths, and refilled rows', () => {
    const lengths = together.map(({ tokens }) => tokens.length)
    expect(Math.max(...lengths)).toBe(40)
    expect(new Set(lengths).size).toBeGreaterThan(8)
  })

  it.each([
    ['two rows at a time', { rows: 2 }],
    ['five rows at a time', { rows: 5 }],
    ['eleven rows at a time', { rows: 11 }],
    ['two threads', { threads: 2 }],
    ['four threads and four rows', { threads: 4, rows: 4 }],
  ])('with %s', async (_way, options) => {
    expect(await sampled(prompts, options)).toEqual(together)
  })

  it('with every prompt, and every sample, alone', async () => {
    for (const [i, whole] of prompts.entries()) {
      const own = together.filter((c) => c.prompt === i).map((c) => ({ ...c, prompt: 0 }))
      expect(await sampled([whole])).toEqual(own)
      expect(await sampled([{ ...whole, samples: [whole.samples.at(-1)!] }], { threads: 3 })).toEqual([
        own.at(-1),
      ])
    }
  })
})

describe('a completion', () => {
  let sampler: Sampler
  beforeAll(async () => {
    sampler = await open('llama3-tied')
    return () => sampler.release()
  })
  const { prompts } = goldenOf<Golden>('llama3-tied')
  const many = prompts.map((tokens) => prompt(tokens, 16))

  it('ends with an end token, or at the limit', async () => {
    const completions = await all(sampler, many, { ...free, maxTokens: 24 })
    const ended = completions.filter(({ stop }) => stop === 'end')
    const cut = completions.filter(({ stop }) => stop === 'length')
    expect(ended.length + cut.length).toBe(32)
    expect(Math.min(ended.length, cut.length)).toBeGreaterThan(0)
    for (const { tokens } of ended) expect([2, 3]).toContain(tokens.at(-1))
    for (const { tokens } of completions)
      expect(tokens.slice(0, -1).some((t) => t === 2 || t === 3)).toBe(false)
    for (const { tokens } of cut) expect(tokens.length).toBe(24)
  })

  it('goes on past end tokens when asked to', async () => {
    const completions = await all(sampler, many, { ...free, maxTokens: 24, ignoreEnd: true })
    expect(new Set(completions.map(({ tokens }) => tokens.length))).toEqual(new Set([24]))
  })

  it('ends with the first stop string, kept whole, and has the same tokens up to there', async () => {
    const decoding = { ...free, maxTokens: 24, ignoreEnd: true }
    const unstopped = await all(sampler, many, decoding)
    const { text } = unstopped[0]!
    const stop = text.slice(3, 5) // two characters: it begins in one token and ends in the next
    const stopped = await all(sampler, many, { ...decoding, stop: ['never there', stop] })
    expect(stopped[0]).toMatchObject({ stop: 'stop', text: text.slice(0, text.indexOf(stop) + 2) })
    for (const [i, { tokens, stop: reason }] of stopped.entries()) {
      expect(tokens).toEqual(unstopped[i]!.tokens.slice(0, tokens.length))
      expect(reason).toBe(unstopped[i]!.text.includes(stop) ? 'stop' : 'length')
    }
  })

  it('has the text of its tokens', async () => {
    const tokenizer = await openTokenizer(policyFiles('llama3-tied'))
    for (const { tokens, text } of await all(sampler, many, free)) expect(text).toBe(tokenizer.decode(tokens))
  })

  it('is drawn from the nucleus only: top-p 0.5 leaves the fewest tokens that reach one half', async () => {
    const first = prompts.map((tokens) => prompt(tokens, 64))
    const everything = await all(sampler, first, { ...free, maxTokens: 1 })
    const nucleus = await all(sampler, first, { ...free, maxTokens: 1, topP: 0.5 })
    for (const i of prompts.keys()) {
      const kept = new Map(
        nucleus.filter((c) => c.prompt === i).map((c) => [c.tokens[0], Math.exp(c.logprobs[0]!)]),
      )
      const mass = [...kept.values()].sort((a, b) => a - b)
      const sum = mass.reduce((a, b) => a + b, 0)
      expect(sum).toBeGreaterThanOrEqual(0.5)
      expect(sum - mass[0]!).toBeLessThan(0.5)
      expect(everything.some((c) => c.prompt === i && !kept.has(c.tokens[0]))).toBe(true)
    }
  })

  it('at a low temperature is the likeliest, with its log-probability at temperature 1', async () => {
    const once = prompts.map((tokens) => prompt(tokens, 1))
    expect(await all(sampler, once, { ...free, temperature: 1e-4, ignoreEnd: true })).toEqual(
      await all(sampler, once, greedy),
    )
  })
})

describe('at the ends of what a spec may say, and of what float32 has', () => {
  const asked = goldenOf<Golden>('llama3-tied').prompts.map((tokens) => prompt(tokens, 3))
  const settings = [1, 1e-7, 1e-38, 1e-45, 5e-324].flatMap((topP) =>
    [10, 1, 1e-3, 1e-30, 1e-38, 1e-45, 1e-320, 5e-324].map((temperature) => [topP, temperature] as const),
  )
  let sampler: Sampler
  let likeliest: Completion[]
  let drawn: Completion[]
  beforeAll(async () => {
    sampler = await open('llama3-tied')
    likeliest = await all(sampler, asked, greedy)
    drawn = await all(sampler, asked, { ...greedy, temperature: 10 })
    return () => sampler.release()
  })

  it.each(settings)(
    'topP %d at temperature %d: the likeliest token, unless all are kept and the temperature is high',
    async (topP, temperature) => {
      const found = await all(sampler, asked, { ...greedy, topP, temperature })
      if (topP === 1 && temperature >= 1) {
        expect(found).not.toEqual(likeliest)
        if (temperature === 10) expect(found).toEqual(drawn)
      } else {
        expect(found.map(({ tokens }) => tokens)).toEqual(likeliest.map(({ tokens }) => tokens))
        for (const [i, { logprobs }] of found.entries()) expect(logprobs).toEqual(likeliest[i]!.logprobs)
      }
    },
  )
})

describe('a policy whose numbers are none', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'policy-'))
    return () => rm(folder, { recursive: true })
  })
  /** The random policy with one of its weights, by tensor and place, set to a value. */
  const spoilt = async (name: string, at: number, value: number) => {
    const files = await randomPolicy(folder, 4, 2)
    const { config, tensors } = await openPolicy(files)
    const read = [...tensors.values()].map(async (t) => ({ ...t, data: await readTensor(t) }))
    const all = await Promise.all(read)
    all.find((t) => t.name === name)!.data[at] = value
    expect(config.width).toBe(32)
    const [path] = await writeSafetensors(all, join(folder, 'spoilt'))
    const others = files.filter((file) => file.name !== 'model.safetensors')
    const policy = await openPolicy([...others, { name: 'model.safetensors', path: path! }])
    return { policy, sampler: await Sampler.open(policy, { threads: 1 }) }
  }
  const once = { ...greedy, maxTokens: 1 }
  const prompts = [prompt([5, 6, 7], 2, 'p'), prompt([5, 9, 7], 2, 'q'), prompt([6, 7], 1, 'r')]
  const row9 = 9 * 32 // of the embedding, 32 wide

  it.each<[string, string, number]>([
    ['one weight of the head that is NaN', 'lm_head.weight', NaN],
    ['one that is infinite: log of ∞ over ∞', 'lm_head.weight', Infinity],
    ['one norm that is NaN', 'model.norm.weight', NaN],
    ['one weight of the last layer', 'model.layers.1.mlp.down_proj.weight', NaN],
  ])('is refused at the first token, greedy, drawn or from the nucleus: %s', async (_, name, value) => {
    const { sampler } = await spoilt(name, 0, value)
    for (const decoding of [once, { ...free, temperature: 0.5 }, { ...free, topP: 0.9 }]) {
      const run = all(sampler, prompts, decoding)
      await expect(run).rejects.toThrow(NonFiniteLogits)
      await expect(run).rejects.toThrow(
        /^sample: prompt 0 \(problem p\), sample 0, token 0: expected a token in 0\.\.63 .*, found token \d+ with NaN$/,
      )
    }
    await sampler.release()
  })

  it('is refused by the prompt whose token has the broken row, whatever shares its batch; others get their tokens', async () => {
    const { sampler } = await spoilt('model.embed_tokens.weight', row9 + 3, NaN)
    await expect(all(sampler, prompts, once)).rejects.toThrow('prompt 1 (problem q), sample 0, token 0: ')
    const sound = await Sampler.open(await openPolicy(await randomPolicy(folder, 4, 2)), { threads: 1 })
    const [p, , r] = prompts
    expect(await all(sampler, [p!, r!], once)).toEqual(await all(sound, [p!, r!], once))
    await sound.release()
    await sampler.release()
  })

  it('is refused at the token behind the one whose row is broken, as soon as that was drawn', async () => {
    const drawing = { ...free, maxTokens: 200, ignoreEnd: true }
    const sound = await Sampler.open(await openPolicy(await randomPolicy(folder, 4, 2)), { threads: 1 })
    const [{ tokens }] = (await all(sound, [prompt([5, 6], 1, 'p')], drawing)) as [Completion]
    const at = tokens.indexOf(9)
    expect(at).toBeGreaterThan(0)
    const { sampler } = await spoilt('model.embed_tokens.weight', row9, NaN)
    await expect(all(sampler, [prompt([5, 6], 1, 'p')], drawing)).rejects.toThrow(
      `sample 0, token ${at + 1}: `,
    )
    await sound.release()
    await sampler.release()
  })

  it('is refused where its finite logits leave float32 over the temperature: 1e10 · 2^100 = 1e40', async () => {
    const { sampler } = await spoilt('model.norm.weight', 0, 1e10)
    expect((await all(sampler, prompts, free)).length).toBe(5)
    await expect(all(sampler, prompts, { ...free, temperature: 1e-40 })).rejects.toThrow(NonFiniteLogits)
    await sampler.release()
  })

  it('is refused by scoring, by the sequence that has the token', async () => {
    const { policy, sampler } = await spoilt('model.embed_tokens.weight', row9, NaN)
    await sampler.release()
    const trainer = await Trainer.open(policy, null, { threads: 1 })
    const sequence = (completion: number[], prompt: number[]) => ({ group: prompt.join(), prompt, completion, logprobs: [], advantage: 0 }) // prettier-ignore
    const sound = await trainer.score([sequence([7, 8, 10], [5, 6])], control())
    expect(sound[0]!.every(Number.isFinite)).toBe(true)
    // The two share a micro-batch, in which 0 times the other's NaN is NaN.
    const run = trainer.score([sequence([7, 8, 10], [5, 6]), sequence([7, 8], [5, 9, 6])], control())
    await expect(run).rejects.toThrow(NonFiniteLogits)
    await expect(run).rejects.toThrow('score: sequence 1: expected finite log-probabilities, found NaN')
    trainer.release()
  })
})

it('an end token that the vocabulary lacks ends nothing, and harms nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'policy-'))
  const files = await randomPolicy(folder, 4, 2)
  const ends = { eos_token_id: [64, 70000] }
  await writeFile(join(folder, 'generation_config.json'), JSON.stringify(ends))
  const named = { name: 'generation_config.json', path: join(folder, 'generation_config.json') }
  const sampler = await Sampler.open(await openPolicy([...files, named]), { threads: 1 })
  const found = await all(sampler, [prompt([5, 6], 8)], { ...free, maxTokens: 40 })
  expect(new Set(found.map(({ stop }) => stop))).toEqual(new Set(['length']))
  await sampler.release()
  await rm(folder, { recursive: true })
})

describe('a request', () => {
  let sampler: Sampler
  beforeAll(async () => {
    sampler = await open('olmo2')
    return () => sampler.release()
  })

  const ofLength = (tokens: number) => prompt(Array<number>(tokens).fill(7), 1)

  it('whose prompt leaves no room is refused with both numbers', async () => {
    const run = all(sampler, [prompt([1], 1), ofLength(512)], free)
    await expect(run).rejects.toThrow(PromptTooLong)
    await expect(run).rejects.toThrow("expected fewer tokens than the model's 512 positions, found 512")
    await expect(run).rejects.toThrow(/^prompt 1 \(problem 7,7,.*\): expected/)
  })

  it('whose completion would outgrow the model’s positions is cut off where they end', async () => {
    const { maxTokens } = free
    const completions = await all(sampler, [ofLength(512 - maxTokens), ofLength(509)], free)
    const found = completions.map(({ prompt, tokens, stop }) => [prompt, tokens.length, stop])
    expect(found.sort()).toEqual([
      [0, maxTokens, 'length'],
      [1, 3, 'length'],
    ])
    // The cut one is the beginning of what it would be with more room: tokens do not depend on the limit.
    const alone = await all(sampler, [ofLength(509)], { ...free, maxTokens: 2 })
    expect(completions.find(({ prompt }) => prompt === 1)?.tokens.slice(0, 2)).toEqual(alone[0]?.tokens)
  })

  it('with a token that is none is refused', async () => {
    for (const id of [64, -1, 1.5, NaN]) {
      const run = all(sampler, [prompt([5], 1), prompt([5, id], 1, 'p')], free)
      await expect(run).rejects.toThrow(CorruptModel)
      await expect(run).rejects.toThrow(
        `prompt 1 (problem p): the tokenizer knows id ${id}, the embedding has 64 rows`,
      )
    }
    const run = all(sampler, [prompt([], 1, 'p')], free)
    await expect(run).rejects.toThrow(EmptyPrompt)
    await expect(run).rejects.toThrow('prompt 0 (problem p): expected at least one token, found none')
  })

  it('stops within a step of an abort, and the sampler serves the next one', async () => {
    const abort = new AbortController()
    let steps = 0
    const counting: Control = {
      signal: abort.signal,
      progress: () => {
        if (++steps === 3) setImmediate(() => abort.abort(new Error('preempted')))
      },
    }
    const decoding = { ...greedy, maxTokens: 400 }
    const run = (async () => {
      for await (const completion of sampler.sample([prompt([5, 6], 2)], decoding, counting)) void completion
    })()
    await expect(run).rejects.toThrow('preempted')
    expect(steps).toBeLessThan(6)
    expect((await all(sampler, [prompt([5, 6], 2)], greedy)).length).toBe(2)
  })

  it('without prompts, or without samples, ends at once', async () => {
    expect(await all(sampler, [], free)).toEqual([])
    expect(await all(sampler, [prompt([5], 0)], free)).toEqual([])
  })
})
