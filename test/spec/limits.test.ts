/** Each limit of a spec, one row: what lies just inside is taken, what lies just outside is refused by its path. */
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import {
  EvaluateSpec,
  ExportSpec,
  GcSpec,
  LabelSpec,
  ProbeSpec,
  ScoreSpec,
  SweepSpec,
} from '../../activities/contracts.ts'
import { shapeFault, utf8Bytes } from '../../activities/contracts/shape.ts'
import { loadProblems } from '../benchmarks/loading.ts'
import { evaluatedOf, problemsOf } from '../../activities/benchmarks/sizes.ts'
import { requireCells } from '../../activities/spec/arms.ts'
import { parseSpec, resolveTrain } from '../../activities/spec/resolve.ts'
import { evaluationFaults } from '../../activities/spec/within.ts'

const given = { model: 'nano/coder', reward: 'format', preset: 'demo' }
const messageOf = (call: () => unknown): string => {
  try {
    call()
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  }
  return 'accepted'
}
const train = (more: object) => messageOf(() => resolveTrain({ ...given, ...more }))
const x = (characters: number) => 'x'.repeat(characters)
const nested = (depth: number): unknown =>
  JSON.parse('{"not":'.repeat(depth - 1) + '"format"' + '}'.repeat(depth - 1))
const named = (count: number) => Array.from({ length: count }, (_, i) => `p${i}`)

describe('of a training spec', () => {
  it.each<[path: string, inside: object, outside: object, message: string]>([
    ['model', { model: x(600) }, { model: x(601) }, 'model: expected at most'],
    ['prompt', { prompt: x(32_768) }, { prompt: x(32_769) }, 'prompt: expected at most'],
    ['steps', { steps: 1e6, evaluate: { every: 10 } }, { steps: 1e6 + 1 }, 'steps: expected at most 1000000, found 1000001'],
    ['problems', { batch: { problems: 15_000, group: 16 } }, { batch: { problems: 1e10 } }, 'batch.problems: expected at most 65536, found 10000000000'],
    ['group', { batch: { problems: 1, group: 16_384 } }, { batch: { group: 2e8 } }, 'batch.group: expected at most 16384, found 200000000'],
    ['minibatch', { batch: { minibatch: 1_048_576 } }, { batch: { minibatch: 1_048_577 } }, 'batch.minibatch: expected at most'],
    ['microbatchTokens', { batch: { microbatchTokens: 1_048_576 } }, { batch: { microbatchTokens: 1e9 } }, 'batch.microbatchTokens: expected at most'],
    // 65 groups of 16,384 are 1,064,960 completions; 64 of them are 1,048,576.
    ['completions', { batch: { problems: 64, group: 16_384 } }, { batch: { problems: 65, group: 16_384 } }, 'batch: problems x group: expected at most 1048576 completions a step, found 1064960'],
    // 16 groups of 16 are a shard of 256: 16,000 problems are 1,000 shards, one more problem begins another.
    ['shards', { batch: { problems: 16_000, group: 16 } }, { batch: { problems: 16_001, group: 16 } }, 'batch: problems x group: expected at most 1000 shards a step, found 1001'],
    // 2^20 completions of 2^14 tokens are 2^34.
    ['tokens of a step', { batch: { problems: 64, group: 16_384 }, sampling: { maxTokens: 16_384 } }, { batch: { problems: 64, group: 16_384 }, sampling: { maxTokens: 16_385 } }, 'batch x sampling.maxTokens: expected at most 17179869184 tokens a step, found 17180917760'],
    ['maxTokens', { sampling: { maxTokens: 131_072 } }, { sampling: { maxTokens: 131_073 } }, 'sampling.maxTokens: expected at most'],
    ['labels', { labels: { samples: 16_384 } }, { labels: { samples: 9e15 } }, 'labels.samples: expected at most'],
    ['labels’ tokens', { labels: { sampling: { maxTokens: 131_072 } } }, { labels: { sampling: { maxTokens: 1e6 } } }, 'labels.sampling.maxTokens: expected at most'],
    ['evaluated samples', { evaluate: { samples: 16 } }, { evaluate: { samples: 9e15 } }, 'evaluate.samples: expected at most 16384'],
    ['evaluated problems', { evaluate: { limit: 1e7 } }, { evaluate: { limit: 1e7 + 1 } }, 'evaluate.limit: expected at most'],
    ['evaluated tokens', { evaluate: { maxTokens: 131_072 } }, { evaluate: { maxTokens: 131_073 } }, 'evaluate.maxTokens: expected at most'],
    ['benchmarks', { evaluate: { benchmarks: ['nano', 'amc'] } }, { evaluate: { benchmarks: ['nano', 'amc', 'nano'] } }, 'evaluate.benchmarks.2: expected each once, found "nano" as number 1 and number 3'],
    ['evaluated steps', { steps: 1e5, evaluate: { every: 1 } }, { steps: 1e5 + 1, evaluate: { every: 1 } }, 'evaluate.every: expected at most 100000 evaluated steps, found 100001'],
    ['checkpoint.every', { checkpoint: { every: 1e6 } }, { checkpoint: { every: 1e7 } }, 'checkpoint.every: expected at most'],
    ['checkpoint.keep', { checkpoint: { keep: 1e6 } }, { checkpoint: { keep: 1e7 } }, 'checkpoint.keep: expected at most'],
    ['stop', { stop: { entropy: { below: 1, steps: 100 } } }, { stop: { entropy: { below: 1, steps: 101 } } }, 'stop.entropy.steps: expected at most'],
    ['learning rate', { optimizer: { learningRate: 3.4e38 } }, { optimizer: { learningRate: 1e39 } }, 'optimizer.learningRate: expected at most'],
    ['betas', { optimizer: { name: 'adamw', betas: [0, 0.9999] } }, { optimizer: { name: 'adamw', betas: [0.9, 1] } }, 'optimizer.betas.1: expected less than 1'],
    ['eps', { optimizer: { name: 'adamw', eps: 1e-30 } }, { optimizer: { name: 'adamw', eps: 1e-46 } }, 'optimizer.eps: expected at least'],
    ['weight decay', { optimizer: { name: 'adamw', weightDecay: 1 } }, { optimizer: { name: 'adamw', weightDecay: 1e39 } }, 'optimizer.weightDecay: expected at most'],
    ['clip', { objective: { clip: [1, 1e6] } }, { objective: { clip: [0.2, 1e39] } }, 'objective.clip.1: expected at most'],
    ['kl', { objective: { kl: 1e6 } }, { objective: { kl: 1e308 } }, 'objective.kl: expected at most'],
    ['source', { data: { source: x(4096) } }, { data: { source: x(4097) } }, 'data.source: expected at most'],
    ['only', { data: { only: named(10_000) } }, { data: { only: named(10_001) } }, 'data.only: expected at most'],
    ['only once', { data: { only: ['a', 'b'] } }, { data: { only: ['a', 'b', 'a'] } }, 'data.only.2: expected each once, found "a" as number'],
    ['names in only', { data: { only: [x(1000)] } }, { data: { only: [x(1001)] } }, 'data.only.0: expected at most'],
    ['limit', { data: { limit: 1e7 } }, { data: { limit: 9e15 } }, 'data.limit: expected at most'],
    ['filter', { data: { where: { level: named(1000) } } }, { data: { where: { level: named(1001) } } }, 'data.where.level'],
    ['filters', { data: { where: Object.fromEntries(named(64).map((n) => [n, 1])) } }, { data: { where: Object.fromEntries(named(65).map((n) => [n, 1])) } }, 'data.where: expected at most 64 columns, found 65'],
    ['columns', { data: { source: 's', columns: Object.fromEntries(named(64).map((n) => [n, n])) } }, { data: { source: 's', columns: Object.fromEntries(named(65).map((n) => [n, n])) } }, 'data.columns: expected at most 64 columns, found 65'],
    ['depth', { reward: nested(16) }, { reward: nested(17) }, 'reward: expected at most 16 rewards within one another, found 17'],
    // `all` itself is a part.
    ['parts', { reward: { all: named(63).map(() => 'format') } }, { reward: { all: named(64).map(() => 'format') } }, 'reward: expected at most 64 parts, found 65'],
  ])('%s', (_path, inside, outside, message) => {
    expect(train(inside)).toBe('accepted')
    expect(train(outside)).toContain(message)
  }) // prettier-ignore

  it.each([3_000, 100_000])('a reward %i deep is refused before anything goes through it', (depth) => {
    expect(train({ reward: nested(depth) })).toBe(
      'InvalidSpec: train spec: reward.not.not.not.not.not: expected at most 64 objects and lists within one another, found more',
    )
  })

  it('lists within lists, wherever they stand, too', () => {
    const lists: unknown = JSON.parse('['.repeat(5000) + ']'.repeat(5000))
    expect(train({ data: { where: { level: lists } } })).toMatch(/^InvalidSpec: .*objects and lists/)
    expect(train({ nobody: lists })).toMatch(/^InvalidSpec: .*objects and lists/)
  })

  it('ten thousand mistakes are counted, and the first dozen named; a hundred thousand are not looked at', () => {
    const keys = (count: number) => Object.fromEntries(named(count).map((name) => [name, 1]))
    expect(train(keys(10_000))).toMatch(
      / p0: expected one of "tags", "preset", .*, found an unknown key; p1: .*p11: expected one of those, found an unknown key; and 9988 more$/,
    )
    expect(train(keys(100_000))).toMatch(
      /spec: \(whole spec\): expected at most 50000 entries in all, found more$/,
    )
    expect(train({ data: { only: named(10_000).map(() => 7) } })).toMatch(/only.11: .*; and 9988 more$/)
  })

  it('a megabyte in an odd place is cut where it is shown', () => {
    for (const odd of [{ model: x(1e6) }, { [x(1e6)]: 1 }, { preset: x(1e6) }, { reward: x(1e6) }, { steps: x(1e6) }, { data: { where: { [x(1e6)]: [[]] } } }]) {
      const message = train(odd)
      expect(message).toMatch(/^InvalidSpec/)
      expect(message.length).toBeLessThan(1000)
    }
  }) // prettier-ignore
})

describe('of the other specs', () => {
  const parsed = (schema: z.ZodType, input: object) => messageOf(() => parseSpec(schema, input, 'spec'))
  const evaluate = { model: 'm', benchmarks: ['nano'] }
  const label = { model: 'm', data: { name: 'nano' } }
  const probe = { model: 'm' }
  const score = { run: 'r', reward: 'format' }
  it.each<[z.ZodType, object, inside: object, outside: object, message: string]>([
    [EvaluateSpec, evaluate, { samples: 16_384 }, { samples: 9e15 }, 'samples: expected at most'],
    [EvaluateSpec, evaluate, { limit: 1e7 }, { limit: 2e7 }, 'limit: expected at most'],
    [EvaluateSpec, evaluate, { maxTokens: 131_072 }, { maxTokens: 131_073 }, 'maxTokens: expected at most'],
    [EvaluateSpec, evaluate, { prompts: named(32) }, { prompts: named(33) }, 'prompts: expected at most'],
    [EvaluateSpec, evaluate, { prompts: ['r1', 'plain'] }, { prompts: ['r1', 'r1'] }, 'prompts.1: expected each once, found "r1" as number'],
    [EvaluateSpec, evaluate, { prompts: [x(32_768)] }, { prompts: [x(32_769)] }, 'prompts.0: expected at most'],
    [EvaluateSpec, evaluate, { benchmarks: ['nano'] }, { benchmarks: ['nano', 'nano'] }, 'benchmarks.1: expected each once, found "nano" as number'],
    [EvaluateSpec, { benchmarks: ['nano'] }, { checkpoint: 'a/12' }, { checkpoint: '..' }, 'checkpoint: expected <run> or <run>/<step>'],
    [LabelSpec, label, { samples: 16_384 }, { samples: 16_385 }, 'samples: expected at most'],
    [LabelSpec, label, { sampling: { maxTokens: 131_072 } }, { sampling: { maxTokens: 1e6 } }, 'sampling.maxTokens: expected at most'],
    [LabelSpec, label, { data: { name: 'nano', limit: 5 } }, { data: { name: 'nano', source: 's' } }, 'data.name: expected either name or source, found both'],
    [LabelSpec, label, { prompt: x(32_768) }, { prompt: x(32_769) }, 'prompt: expected at most'],
    [ProbeSpec, probe, { shares: [0.1, 0.2] }, { shares: [0.1, 0.1] }, 'shares.1: expected each once, found 0.1 as number 1 and number 2'],
    [ProbeSpec, probe, { shares: named(20).map((_, i) => (i + 1) / 22) }, { shares: named(21).map((_, i) => (i + 1) / 23) }, 'shares: expected at most'],
    [ProbeSpec, probe, { limit: 1e7 }, { limit: 9e15 }, 'limit: expected at most'],
    [ScoreSpec, score, { steps: named(5000).map((_, i) => i + 1) }, { steps: named(5001).map((_, i) => i + 1) }, 'steps: expected at most'],
    [ScoreSpec, score, { reward: nested(16) }, { reward: nested(17) }, 'reward: expected at most 16'],
    [ExportSpec, { to: 'file:///x' }, { checkpoint: 'a' }, { checkpoint: 'a/b' }, 'checkpoint: expected <run> or <run>/<step>'],
    [ExportSpec, { checkpoint: 'a' }, { to: x(4096) }, { to: x(4097) }, 'to: expected at most'],
    [GcSpec, {}, { graceHours: 876_000 }, { graceHours: 1e308 }, 'graceHours: expected at most'],
  ])('%#', (schema, base, inside, outside, message) => {
    expect(parsed(schema, { ...base, ...inside })).toBe('accepted')
    expect(parsed(schema, { ...base, ...outside })).toContain(message)
  }) // prettier-ignore

  it('benchmarks x prompts x samples are shards, of which so many may wait at once', () => {
    // 500 problems of 300 samples are 500 shards: three prompts are 1,500, a fourth is too many.
    const asked = { benchmarks: ['math-500'] as const, samples: 300 }
    expect(evaluationFaults(asked, 3, 'evaluate')).toEqual([])
    expect(evaluationFaults(asked, 4, 'evaluate')).toEqual([
      'evaluate: benchmarks x prompts x samples: expected at most 1500 shards at once, found 2000',
    ])
  })
})

describe('of a sweep', () => {
  const base = { base: { preset: 'demo' }, models: ['nano/coder'], arms: { truth: {} }, seeds: [1] }
  const cells = (more: object, id = 's') =>
    messageOf(() => requireCells(id, parseSpec(SweepSpec, { ...base, ...more }, 'sweep spec')))
  it.each<[object, object, string]>([
    [{ seeds: [1, 2] }, { seeds: [1, 2, 1] }, 'seeds.2: expected each once, found 1 as number 1 and number 3'],
    [{ models: ['a', 'b'] }, { models: ['a', 'b', 'b'] }, 'models.2: expected each once, found "b" as number 2 and number 3'],
    [{ models: ['file:///a/b', 'file:///a-c'] }, { models: ['file:///a/b', 'file:///a-b'] }, 'models: "file:///a/b" and "file:///a-b" have one name in run ids, "a-b"'],
    [{ models: ['nano/coder'] }, { models: ['nano/coder', 'hf://nano/coder'] }, 'models: "nano/coder" and "hf://nano/coder" have one name'],
    [{ models: ['a'] }, { models: [`nano/${x(200)}`] }, 'arm truth, seed 1: expected an id of at most 200 letters'],
    [{ models: named(200) }, { models: named(201) }, 'models: expected at most'],
    [{ models: ['a'], arms: { t: {} }, seeds: named(10_000).map((_, i) => i) }, { seeds: named(10_001).map((_, i) => i) }, 'seeds: expected at most'],
    [{ models: ['a'], seeds: named(9_000).map((_, i) => i) }, { seeds: named(5_001).map((_, i) => i), models: ['a', 'b'] }, 'models x arms x seeds: expected at most 10000 runs, found 10002'],
    [{ arms: { a: {} } }, { arms: {}, controls: false }, 'arms: expected at least one arm, or controls'],
    [{ arms: Object.fromEntries(named(1000).map((n) => [n, {}])) }, { arms: Object.fromEntries(named(1001).map((n) => [n, {}])) }, 'arms: expected at most 1000 arms, found 1001'],
    [{ concurrency: 1000 }, { concurrency: 1001 }, 'concurrency: expected at most'],
    [{ models: [x(150)] }, { models: [x(150)], seeds: named(3000).map((_, i) => i) }, 'bytes of models, arms and run ids'],
  ])('%#', (inside, outside, message) => {
    expect(cells(inside)).toBe('accepted')
    expect(cells(outside)).toContain(message)
  }) // prettier-ignore
})

describe('what limits are counted by', () => {
  it('a value’s depth and entries, by the place of the first that are too many', () => {
    const [value, entries] = [{ a: { b: [1] } }, 9]
    expect(shapeFault(value, { nesting: 3, entries })).toBeNull()
    expect(shapeFault(value, { nesting: 2, entries })).toMatch(/^a.b: expected at most 2 objects and lists/)
    expect(shapeFault(value, { nesting: 3, entries: 3 })).toBeNull()
    expect(shapeFault(value, { nesting: 3, entries: 2 })).toBe(
      'a.b: expected at most 2 entries in all, found more',
    )
    expect(shapeFault('text', { nesting: 0, entries: 0 })).toBeNull()
  })

  it('texts in whole characters only: half of one has no bytes in UTF-8', () => {
    const shape = { nesting: 8, entries: 99 }
    expect(shapeFault({ a: ['😀', { '😀€': 'é' }] }, shape)).toBeNull()
    const found = 'expected text in whole characters, found half of one (a lone surrogate) at the end of'
    expect(shapeFault({ a: ['😀', '😀x\ude00y'] }, shape)).toBe(`a.1: ${found} "😀x\\ude00"`)
    expect(shapeFault({ '\ud800': 1 }, shape)).toBe(`(whole spec): ${found} "\\ud800"`)
    expect(shapeFault({ a: { '\ud800': 1 } }, shape)).toBe(`a: ${found} "\\ud800"`)
    expect(shapeFault('\ud800', shape)).toBe(`(whole spec): ${found} "\\ud800"`)
  })

  it('bytes in UTF-8, as an encoder counts them', () => {
    for (const text of ['', 'abc', 'é', '€', '😀', 'a😀€é'])
      expect(utf8Bytes(text)).toBe(new TextEncoder().encode(text).length)
  })

  it('the sizes of the sets that are made here', async () => {
    const reach = { folder: null, fetch: () => Promise.reject(new Error('no network')) }
    for (const name of ['nano', 'arithmetic'] as const) {
      expect(evaluatedOf(name)).toBe((await loadProblems({ name, split: 'test' }, reach)).length)
      expect(problemsOf({ name })).toBe((await loadProblems({ name }, reach)).length)
    }
    expect(problemsOf({ name: 'deepscaler', limit: 10 })).toBe(10)
    expect(problemsOf({ source: 'file:///x' })).toBeNull()
  })
})

describe('an object with names of a user', () => {
  const named = (value: unknown) => JSON.parse(`{"__proto__":${JSON.stringify(value)}}`) as object
  const fault = 'expected a name, found __proto__'
  it('with __proto__ among them is refused by its path, in data and in a sweep', () => {
    expect(train({ data: { name: 'nano', where: named('x') } })).toContain(`data.where: ${fault}`)
    const sweep = { models: ['nano/coder'], arms: { a: { reward: 'format' } }, seeds: [0] }
    const asked = (more: object) => messageOf(() => parseSpec(SweepSpec, { ...sweep, ...more }, 'sweep spec'))
    expect(asked({})).toBe('accepted')
    expect(asked({ arms: named({ reward: 'format' }) })).toContain(`arms: ${fault}`)
    expect(asked({ priorities: named(1) })).toContain(`priorities: ${fault}`)
  })
})
