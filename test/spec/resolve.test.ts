import { describe, expect, it } from 'vitest'
import { differences, identityOf, InvalidSpec, overlay, resolveTrain } from '../../activities/spec/resolve.ts'
import { cellsOf, tagsOfCell } from '../../activities/spec/arms.ts'
import { SweepSpec } from '../../activities/contracts.ts'

const given = { model: 'nano/coder', reward: 'ground-truth', preset: 'demo' }
const messageOf = (input: unknown) => {
  try {
    resolveTrain(input)
  } catch (error) {
    return error instanceof InvalidSpec ? error.message : String(error)
  }
  return 'accepted'
}

describe('a training spec', () => {
  it('gets every field from its preset, and keeps what the user wrote', () => {
    const spec = resolveTrain({ ...given, batch: { group: 4 }, steps: 3 })
    expect(spec.batch).toEqual({ problems: 8, group: 4, minibatch: 16, microbatchTokens: 8192 })
    expect([spec.steps, spec.seed, spec.optimizer.name]).toEqual([3, 0, 'sgd'])
  })

  it('takes the paper preset unless another is named', () => {
    expect(resolveTrain({ model: 'm', reward: 'format' })).toMatchObject({
      steps: 300,
      batch: { problems: 64, group: 16, minibatch: 128 },
    })
  })

  it('has `evaluate.required` only where it is false: its default was there before it had a name', () => {
    const evaluated = (required: boolean) => resolveTrain({ ...given, evaluate: { required } })
    expect(evaluated(true)).toEqual(resolveTrain(given))
    expect('required' in evaluated(true).evaluate).toBe(false)
    expect(evaluated(false).evaluate.required).toBe(false)
  })

  it('starts from the named optimizer when it is not the preset’s', () => {
    expect(resolveTrain({ ...given, optimizer: { name: 'adamw', learningRate: 1e-4 } }).optimizer).toEqual({
      name: 'adamw',
      learningRate: 1e-4,
      betas: [0.9, 0.95],
      eps: 1e-8,
      weightDecay: 0,
      maxGradNorm: 1,
    })
  })

  it.each([
    [
      { ...given, step: 3 },
      'step: expected one of "tags", "preset", "model", "prompt", "date", "reward", "seed", "steps", "data", "labels", "batch", "sampling", "objective", "optimizer", "evaluate", "checkpoint", "stop", "engine", found an unknown key (did you mean "steps"?)',
    ],
    [
      { ...given, batch: { groups: 4 } },
      'batch.groups: expected one of "problems", "group", "minibatch", "microbatchTokens", found an unknown key (did you mean "group"?)',
    ],
    [{ ...given, steps: '3' }, 'steps: expected a whole number from 0 to 1000000, found "3"'],
    [{ ...given, sampling: { topP: 0 } }, 'sampling.topP'],
    [{ reward: 'format' }, 'model: expected a text, found nothing'],
    [{ ...given, reward: { random: 2 } }, 'reward.random: expected at most 1, found 2'],
    [
      { ...given, reward: 'grund-truth' },
      'reward: expected "ground-truth", "majority", "incorrect", "format", "python", "no-repetition", { "random": a number from 0 to 1 }, { "all": […] } or { "not": … }, found "grund-truth" (did you mean "ground-truth"?)',
    ],
    [
      { ...given, reward: { ramdom: 0.5 } },
      '{ "all": […] } or { "not": … }, found {"ramdom":0.5} (did you mean "random"?)',
    ],
    [
      { ...given, reward: { all: ['format', { not: 'pyton' }] } },
      'reward.all.1.not: expected "ground-truth", ',
    ],
    [{ ...given, engine: 'onnx' }, 'engine: expected { "name": "onnx" }, found "onnx"'],
    [
      { ...given, objective: 'grpo' },
      'objective: expected an object with "name", "clip", "kl", "scale", "whiten", "average", found "grpo"',
    ],
    [
      { ...given, objective: { name: 'gpro' } },
      'objective.name: expected "grpo" or "nll", found "gpro" (did you mean "grpo"?)',
    ],
    [
      { ...given, optimizer: { name: 'sgd', betas: [0, 0] } },
      'optimizer.betas: expected one of "name", "learningRate", "maxGradNorm", found an unknown key',
    ],
    [
      { ...given, preset: 'papr' },
      'preset: expected "paper", "reference" or "demo", found "papr" (did you mean "paper"?)',
    ],
    [
      { ...given, evaluate: { benchmarks: ['math500'] } },
      'evaluate.benchmarks.0: expected "nano", "arithmetic", "math-500", "amc", "aime-2024" or "aime-2025", found "math500" (did you mean "math-500"?)',
    ],
    [
      { ...given, data: { where: { level: true } } },
      'data.where.level: expected a text, a number or [a text or a number, …] or { "not": a text, a number or [a text or a number, …] }, found true',
    ],
    [JSON.parse('{"model":"m","reward":"format","toString":1,"__proto__":1}'), '__proto__: expected one of'],
    [null, '(whole spec)'],
  ])('refuses %j, naming the path', (input, expected) => {
    expect(messageOf(input)).toContain(expected)
  })

  const source = 'file:///x.jsonl'
  it.each<[data: object, expected: object, why: string]>([
    [{ limit: 5 }, { name: 'nano', limit: 5 }, 'the preset’s set, filtered'],
    [{ source, shuffle: 3 }, { source, shuffle: 3 }, 'a file in the place of the preset’s set'],
    [
      { source, columns: { problem: 'q' } },
      { source, columns: { problem: 'q' } },
      'a file with other columns',
    ],
    [{ name: 'amc' }, { name: 'amc' }, 'another set'],
  ])('reads data %j as %j: %s', (data, expected) => {
    expect(resolveTrain({ ...given, data }).data).toEqual(expected)
  })

  it.each([
    [{ name: 'nano', source }, 'data.name: expected either name or source, found both'],
    [{ columns: { problem: 'q' } }, 'data.columns: expected none but of a source'],
    [{ source, split: 'test' }, 'data.split: expected none of a file'],
    [{ source, columns: { 'a b': 'q' } }, 'data.columns.a b'],
    [{ name: 'mine' }, 'data.name'],
  ])('refuses data %j', (data, expected) => expect(messageOf({ ...given, data })).toContain(expected))

  it('forgets the filters of a set when an arm names another, and keeps them when it does not', () => {
    const base = { data: { source, where: { level: 1 } } }
    const dataOf = (data: object) => overlay(base, { data }).data
    expect(dataOf({ source: 'file:///y.jsonl' })).toEqual({ source: 'file:///y.jsonl' })
    expect(dataOf({ name: 'nano' })).toEqual({ name: 'nano' })
    expect(dataOf({ limit: 3 })).toEqual({ ...base.data, limit: 3 })
  })

  it('names every mistake at once', () => {
    expect(messageOf({ ...given, steps: -1, seed: 0.5 })).toMatch(/seed: .*; steps: /)
  })
})

describe('labels', () => {
  const labelled = (more: object) => resolveTrain({ ...given, reward: 'majority', ...more }).labels

  it('are made under the run’s own prompt and limit, at temperature 1', () => {
    expect(labelled({ sampling: { temperature: 0.6, maxTokens: 40 } })).toEqual({
      samples: 8,
      seed: 0,
      prompt: 'plain',
      sampling: { temperature: 1, topP: 1, maxTokens: 40 },
      vote: 'equivalent',
      extract: 'box',
      unlabelled: 'drop',
    })
  })

  it('are 64 samples in the paper, counted as texts of a raw prompt in its published code', () => {
    expect(labelled({ preset: 'paper' })).toMatchObject({
      samples: 64,
      prompt: 'default',
      sampling: { temperature: 1, maxTokens: 3072 },
      vote: 'equivalent',
    })
    expect(labelled({ preset: 'reference', labels: { samples: 8 } })).toMatchObject({
      samples: 8,
      prompt: 'plain',
      vote: 'string',
      extract: 'any',
      unlabelled: 'keep',
    })
  })

  it('belong to rewards that compare with them, in any part, and to no other', () => {
    const labels = { samples: 4 }
    expect(resolveTrain({ ...given, labels })).not.toHaveProperty('labels')
    expect(labelled({ reward: { all: ['format', { not: 'incorrect' }] }, labels })).toMatchObject(labels)
  })

  it('stay as they are when a resolved spec is resolved again', () => {
    const once = resolveTrain({ ...given, reward: 'incorrect', preset: 'reference' })
    expect(resolveTrain(once)).toEqual(once)
  })

  it('make another run of it when they are made otherwise', () => {
    const origin = (more: object) => ({
      spec: resolveTrain({ ...given, reward: 'majority', ...more }),
      policy: 'p',
      problems: 'q',
    })
    expect(differences(origin({}), origin({ labels: { samples: 16 } }))).toEqual(['labels.samples: 8 → 16'])
  })
})

describe('the identity of a run', () => {
  const origin = (spec: object) => ({ spec: resolveTrain({ ...given, ...spec }), policy: 'p', problems: 'q' })

  it('does not change with steps, evaluations and checkpoints', () => {
    const more = origin({ steps: 99, evaluate: { every: 1 }, checkpoint: { every: 1 } })
    expect(identityOf(more)).toBe(identityOf(origin({})))
  })

  it('changes with anything that is computed from, and the differences name it', () => {
    const other = origin({ seed: 7, reward: { random: 0.5 } })
    expect(identityOf(other)).not.toBe(identityOf(origin({})))
    expect(differences(origin({}), other)).toEqual(['reward: "ground-truth" → {"random":0.5}', 'seed: 0 → 7'])
  })
})

describe('tags', () => {
  it('are no part of what is computed: neither of the resolved spec nor of its identity', () => {
    expect(resolveTrain({ ...given, tags: ['night', 'a/b'] })).toEqual(resolveTrain(given))
  })

  it.each<[unknown, string]>([
    [[], 'tags: '],
    [
      ['a b'],
      'tags.0: expected letters, digits and . _ : @ = + / - (first a letter or digit, at most 64), found "a b"',
    ],
    [['"'], 'tags.0: expected letters, digits'],
    [['x'.repeat(65)], 'tags.0: expected letters, digits'],
    [['a', 'a'], 'tags.1: expected each once, found "a" as number 1 and number 2'],
    [Array.from({ length: 11 }, (_, i) => `t${i}`), 'tags: '],
    ['night', 'tags: '],
  ])('%j are refused', (tags, message) => {
    expect(() => resolveTrain({ ...given, tags })).toThrow(message)
  })

  it('of a sweep’s run are the sweep’s and its arm’s, or the base’s', () => {
    const arms = { truth: { tags: ['arm', 'all'] }, format: {} }
    const sweep = SweepSpec.parse({
      base: { tags: ['base'] },
      models: ['m'],
      arms,
      seeds: [1],
      tags: ['all'],
    })
    expect(cellsOf('s', sweep).map((cell) => tagsOfCell(sweep, cell))).toEqual([
      { tags: ['all', 'arm'] },
      { tags: ['all', 'base'] },
    ])
    const without = SweepSpec.parse({ models: ['m'], arms, seeds: [1] })
    expect(cellsOf('s', without).map((cell) => tagsOfCell(without, cell))).toEqual([
      { tags: ['arm', 'all'] },
      {},
    ])
  })
})

describe('a sweep', () => {
  const sweep = SweepSpec.parse({
    base: { preset: 'demo' },
    models: ['nano/coder', 'nano/talker'],
    arms: { truth: { reward: 'ground-truth' } },
    seeds: [1, 2],
  })

  it('has one run for each model, arm and seed, all of a seed before the next', () => {
    expect(cellsOf('s', sweep).map(({ run }) => run)).toEqual([
      's:nano-coder:truth:1',
      's:nano-talker:truth:1',
      's:nano-coder:truth:2',
      's:nano-talker:truth:2',
    ])
  })
})
