/** Plans against numbers counted by hand, and against what was measured (README.md, LOG.md). */
import { describe, expect, it } from 'vitest'
import type { ModelConfig } from '../../activities/policy/config.ts'
import { kindOf, readAsked } from '../../activities/spec/asked.ts'
import {
  activationBytes,
  bytesOf,
  fullMicrobatch,
  parametersOf,
  positionBytes,
  processBytes,
  samplingParts,
  updateParts,
} from '../../activities/spec/memory.ts'
import { plan, type Quantity } from '../../activities/spec/plan.ts'
import { durationOf, notesOf, sizeOf } from '../../activities/spec/shown.ts'
import { forwardFlops, learningWork, samplingWork } from '../../activities/spec/speed.ts'
import { nano, smollm2 } from './models.ts'

const MiB = 2 ** 20
const worker = { threads: 2, memoryBytes: 24 * 2 ** 30 }
const planned = (input: unknown, config: ModelConfig | null = nano) =>
  plan(readAsked(input).asked, () => config, worker)
const valueOf = (quantities: readonly Quantity[], of: string, name: string) =>
  quantities.find((one) => one.of === of && one.name === name)?.value
/** Within so many percent of what was measured. */
const near = (found: number, measured: number, percent: number) => {
  expect(found).toBeGreaterThan(measured * (1 - percent / 100))
  expect(found).toBeLessThan(measured * (1 + percent / 100))
}

describe('sizes', () => {
  it('of the nano coder: its embedding, three layers of 50,496 and a norm', () => {
    // q, k and v with biases 3·(64·64 + 64), o 64·64, the MLP 3·176·64, two norms of 64.
    const layer = 3 * (64 * 64 + 64) + 64 * 64 + 3 * 176 * 64 + 2 * 64
    expect(layer).toBe(50_496)
    expect(parametersOf(nano)).toBe(64 * 64 + 3 * layer + 64)
    expect(parametersOf(nano)).toBe(155_648)
    expect(positionBytes(nano)).toBe(2 * 4 * 3 * 4 * 16) // keys and values, float32, layers, heads, their width
  })

  it('of SmolLM2-135M', () => {
    // q and o 576², k and v 192·576, the MLP 3·1536·576, two norms; no biases; the head is the embedding.
    const layer = 2 * 576 ** 2 + 2 * 192 * 576 + 3 * 1536 * 576 + 2 * 576
    expect(parametersOf(smollm2)).toBe(49_152 * 576 + 30 * layer + 576)
    expect(parametersOf(smollm2)).toBe(134_515_008)
    expect(positionBytes(smollm2)).toBe(46_080)
  })

  it('are counted without a walk through the layers that a configuration claims', () => {
    expect(parametersOf({ ...nano, layers: 1e9 })).toBe(64 * 64 + 1e9 * 50_496 + 64)
  })
})

describe('memory', () => {
  it('of a micro-batch, counted by hand for one completion of 3 tokens behind a prompt of 2', () => {
    // M = 1·2 + 1·3 = 5; pairs 3·(2+3) + 2² = 19; masks 3·5 + 4 = 19.
    const held = 3 * 5 * 64
    const layer = 5 * (8 * 176 + 12 * 64 + 6 * 64 + 8 * 64)
    const floats = held + layer + 5 * 4 * 19 + 19 + 3 * MiB
    expect(activationBytes(nano, { prompts: 1, promptTokens: 2, rows: 1, tokens: 3 })).toBe(4 * floats)
  })

  it('of 4 x 256 tokens forward and backward at 135M: 1,439 MiB were measured', () => {
    const batch = { prompts: 1, promptTokens: 1, rows: 4, tokens: 256 }
    near((processBytes + 8 * parametersOf(smollm2) + activationBytes(smollm2, batch)) / MiB, 1439, 10)
  })

  it('of an update at 135M in micro-batches of 1,280 tokens: 2,570 MiB were measured', () => {
    const largest = fullMicrobatch({ promptTokens: 127, tokens: 64 }, 8, 64, 1280)
    expect(largest).toEqual({ prompts: 2, promptTokens: 127, rows: 16, tokens: 64 })
    near((processBytes + bytesOf(updateParts(smollm2, 'adamw', largest))) / MiB, 2570, 10)
  })

  it('of a GRPO step at 135M, 8 x 8 samples of 128 + 64 tokens: 2,880 MiB were measured', () => {
    const spec = {
      model: 'm', reward: 'format', batch: { problems: 8, group: 8, minibatch: 64, microbatchTokens: 1280 },
      sampling: { maxTokens: 64 }, evaluate: { benchmarks: [] },
    } // prettier-ignore
    near(valueOf(planned(spec, smollm2), 'step', 'peak memory')! / MiB, 2880, 10)
  })

  it('that sampling cannot do without: weights, the fewest rows at their full length, the completions', () => {
    // 9 heads on 3 key heads: one row is enough; one slot has 3 key heads for 2 threads. 100 + 50 positions.
    expect(samplingParts(smollm2, { promptTokens: 100, maxTokens: 50, completions: 10 }, 2)).toEqual([
      { what: 'weights', bytes: 4 * 134_515_008 },
      { what: 'keys and values of 1 rows', bytes: 46_080 * 150 },
      { what: '10 completions', bytes: 10 * 50 * 16 },
    ])
    // A completion ends where the model's 8,192 positions do.
    const [, caches] = samplingParts(smollm2, { promptTokens: 192, maxTokens: 131_072, completions: 1 }, 2)
    expect(caches?.bytes).toBe(46_080 * 8192)
  })
})

describe('work', () => {
  it('is 2 operations a parameter and token, and attention to what went before', () => {
    expect(forwardFlops(nano, 0)).toBe(2 * 155_648)
    expect(forwardFlops(nano, 10) - forwardFlops(nano, 0)).toBe(4 * 3 * 4 * 16 * 10)
    // A head of its own multiplies, an embedding is only looked up.
    expect(forwardFlops({ ...nano, tied: false }, 0)).toBe(2 * 155_648)
  })

  it.each([
    [1, 1, 33.9],
    [1, 16, 314],
    [4, 16, 523],
  ])(
    'of sampling %i groups of %i at 135M takes about the time that was measured',
    (prompts, samples, measured) => {
      const asked = { prompts, promptTokens: 128, samples, tokens: 64, rows: 256 }
      const { sampled, seconds } = samplingWork(smollm2, asked, 2)
      expect(sampled).toBe(prompts * samples * 64)
      near(sampled / seconds, measured, 20)
    },
  )

  it('of training on 1,024 tokens at 135M, 5.35 s measured', () => {
    const asked = { prompts: 4, promptTokens: 0, samples: 1, tokens: 256, rows: 4 }
    near(learningWork(smollm2, asked, 0, 2).seconds, 5.35, 20)
  })

  it('goes faster with more threads where it is products', () => {
    const asked = { prompts: 4, promptTokens: 0, samples: 1, tokens: 256, rows: 4 }
    expect(learningWork(smollm2, asked, 0, 4).seconds).toBeLessThan(
      0.6 * learningWork(smollm2, asked, 0, 2).seconds,
    )
  })
})

describe('a plan', () => {
  const demo = {
    preset: 'demo',
    model: 'nano/coder',
    reward: 'ground-truth',
    evaluate: { every: 5, limit: 200 },
  }

  it('of a run counts its tokens at their limit', () => {
    const found = planned(demo)
    const value = (of: string, name: string) => valueOf(found, of, name)
    // 8 problems x 16 samples of 46 tokens; 8 minibatches of 16; one shard of 256.
    expect(['completions', 'shards', 'updates', 'activities'].map((name) => value('step', name))).toEqual([
      128, 1, 8, 3,
    ])
    expect(value('step', 'tokens sampled')).toBe(128 * 46)
    // Steps 0, 5, 10 and 15, of 200 problems x 4 samples.
    expect(value('run', 'evaluations')).toBe(4)
    expect(value('evaluations', 'tokens sampled')).toBe(4 * 200 * 4 * 46)
    expect(value('run', 'tokens sampled')).toBe(15 * 128 * 46 + 4 * 200 * 4 * 46)
    expect(value('run', 'tokens learnt')).toBe(15 * 128 * 46)
    expect(value('run', 'events')).toBe(15 * 19) // a step of one shard has 19: LOG.md, 4,112 events for 216 steps
    expect(value('sampling', 'cache of a row')).toBe(1536 * (11 + 46))
    expect(value('model', 'optimizer state')).toBe(0)
  })

  it('says of every quantity where it comes from', () => {
    const found = planned({ ...demo, reward: 'majority' })
    for (const { of, name, value, source } of found) {
      expect(Number.isFinite(value), `${of} ${name}`).toBe(true)
      expect(['exact', 'measured', 'estimated']).toContain(source.kind)
    }
    // 1,600 problems x 8 samples of 46 tokens.
    expect(valueOf(found, 'labels', 'tokens sampled')).toBe(1600 * 8 * 46)
  })

  it('without the model’s configuration has what does not need it', () => {
    const found = planned(demo, null)
    expect(valueOf(found, 'step', 'completions')).toBe(128)
    expect(found.some(({ unit }) => unit === 'FLOP' || unit === 'bytes')).toBe(false)
  })

  it('of a sweep adds its runs up', () => {
    const base = { preset: 'demo', evaluate: { benchmarks: [] } }
    const sweep = { base, models: ['a', 'b'], arms: { truth: {} }, seeds: [1, 2, 3] }
    const found = planned(sweep)
    // truth, format and random train, null does not: 3 x 2 models x 3 seeds.
    expect(valueOf(found, 'sweep', 'runs')).toBe(24)
    expect(valueOf(found, 'sweep', 'tokens learnt')).toBe(18 * 15 * 128 * 46)
  })

  it.each([
    [{ model: 'm', benchmarks: ['nano'], limit: 10, samples: 2 }, 20, 1],
    [{ model: 'm', benchmarks: ['nano'], prompts: ['plain', 'r1'], limit: 10, samples: 2 }, 40, 1],
    [{ model: 'm', data: { name: 'nano', limit: 100 }, samples: 16 }, 1600, 7],
    [{ model: 'm', benchmarks: ['amc'], shares: [0.4, 0.8] }, 166, 2],
  ])('of %j has its completions in shards', (input, completions, shards) => {
    const found = planned(input)
    expect([valueOf(found, 'all', 'completions'), valueOf(found, 'all', 'shards')]).toEqual([
      completions,
      shards,
    ])
  })

  it('notes what is more than the machine has', () => {
    const small = { threads: 2, memoryBytes: 2 ** 30 }
    const spec = { model: 'm', reward: 'format' }
    const notes = (at: typeof small) =>
      notesOf(
        plan(readAsked(spec).asked, () => smollm2, at),
        at,
      )
    expect(notes(small)[0]).toMatch(/^sampling: memory of [\d.]+ GiB is more than this machine's 1.00 GiB/)
    expect(notes({ threads: 2, memoryBytes: 2 ** 40 })).toEqual([])
  })
})

describe('what kind of spec it is', () => {
  it.each<[string, object]>([
    ['train', { model: 'm', reward: 'format' }],
    ['train', { preset: 'demo' }],
    ['sweep', { base: {}, models: ['m'], arms: {}, seeds: [1] }],
    ['evaluate', { model: 'm', benchmarks: ['nano'] }],
    ['probe', { model: 'm', benchmarks: ['nano'], shares: [0.5] }],
    ['label', { model: 'm', data: { name: 'nano' } }],
    ['probe', { $schema: '../schemas/probe.json', model: 'm' }],
    ['gc', { $schema: 'schemas/gc.json' }],
  ])('%s', (kind, spec) => expect(kindOf(spec)).toBe(kind))

  it('is said outright where it must be, and refused by name', () => {
    const spec = { model: 'm' }
    expect(readAsked({ type: 'probe', spec }).asked.type).toBe('probe')
    expect(readAsked(spec, 'probe').asked.type).toBe('probe')
    expect(() => readAsked({ type: 'play', spec })).toThrow('type: expected train, sweep, evaluate')
    expect(() => readAsked(spec)).toThrow('train spec: reward')
    expect(() => readAsked({ model: 'm', reward: 'format', prompt: 'none' })).toThrow(
      'prompt: expected default, r1',
    )
  })
})

it('bytes and times are shown in the largest unit that says something', () => {
  expect([512, 1536, 3 * 2 ** 30, 2 ** 41].map(sizeOf)).toEqual(['512 B', '1.50 KiB', '3.00 GiB', '2.00 TiB'])
  expect([0.44, 12, 90, 3700, 200_000].map(durationOf)).toEqual([
    '0.4 s',
    '12 s',
    '2 min',
    '1 h 2 min',
    '2 d 8 h',
  ])
})
