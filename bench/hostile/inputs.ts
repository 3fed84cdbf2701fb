/** What is sent to a worker that must survive it: specs, models and files of problems, each with the answers that do. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { hostileData } from './data.ts'
import { hostileModels } from './models.ts'
import { tiny } from '../tiny.ts'

export interface Hostile {
  readonly name: string
  /** The workflow's type and input. */
  readonly type: string
  readonly input: unknown
  /** Names of the faults that are an answer. */
  readonly expect: RegExp
}
const train = (name: string, changed: object, expect = /^InvalidSpec$/): Hostile => ({
  name,
  type: 'train',
  input: { ...tiny, ...changed },
  expect,
})

function nested(depth: number): unknown {
  let reward: unknown = 'format'
  for (let i = 0; i < depth; i++) reward = { not: reward }
  return reward
}

const sweep = (name: string, changed: object): Hostile => ({
  name,
  type: 'sweep',
  input: { base: tiny, models: ['nano/coder'], arms: { one: {} }, seeds: [1], ...changed },
  expect: /^InvalidSpec$/,
})

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)

const specs: readonly Hostile[] = [
  train('1e10 problems a batch', { batch: { problems: 1e10 } }),
  train('groups of 2e8', { batch: { problems: 1, group: 2e8 } }),
  train('65,536 problems in groups of 65,536', { batch: { problems: 65536, group: 65536 } }),
  train('9e15 samples of each problem', { evaluate: { benchmarks: ['nano'], samples: 9e15 } }),
  train('a reward nested 3,000 deep', { reward: nested(3000) }),
  train('a reward of 100,000 parts', { reward: { all: numbers(1e5).map(() => 'format') } }),
  train('100,000 unknown keys', Object.fromEntries(numbers(1e5).map((i) => [`key${i}`, i]))),
  train('a prompt of a megabyte', { prompt: `{problem}${'x'.repeat(1e6)}` }, /^(InvalidSpec|PromptTooLong)$/),
  train('a learning rate of 1e39', { optimizer: { name: 'adamw', learningRate: 1e39 } }, /^(InvalidSpec|NonFiniteLoss)$/),
  train('a learning rate of 1e308', { optimizer: { name: 'sgd', learningRate: 1e308 } }, /^(InvalidSpec|NonFiniteLoss)$/),
  train('25,000 problems of arithmetic', { data: { name: 'arithmetic', limit: 25000 } }, /^(InvalidSpec|InvalidData|completed)$/),
  train('1e9 problems of arithmetic', { data: { name: 'arithmetic', limit: 1e9 } }, /^(InvalidSpec|InvalidData)$/),
  train('an escape that leads up', { model: 'file:///%2F..%2Fetc' }, /^(InvalidSpec|NotAllowed|ModelUnavailable)$/),
  train('an escape cut short', { model: 'file:///%' }, /^(InvalidSpec|NotAllowed|ModelUnavailable)$/),
  train('somebody else as host', { data: { source: 'file://elsewhere/problems.jsonl' } }, /^(InvalidSpec|InvalidData|NotAllowed)$/),
  { name: 'a checkpoint that is ..', type: 'evaluate', input: { checkpoint: '..', benchmarks: ['nano'] }, expect: /^InvalidSpec$/ },
  { name: 'a checkpoint with a step of 400 digits', type: 'evaluate', input: { checkpoint: `a/${'9'.repeat(400)}`, benchmarks: ['nano'] }, expect: /^InvalidSpec$/ },
  { name: 'an input that is null', type: 'train', input: null, expect: /^InvalidSpec$/ },
  sweep('a seed twice', { seeds: [1, 2, 1] }),
  sweep('a model twice', { models: ['nano/coder', 'nano/coder'] }),
  sweep('two models of one name', { models: ['file:///a/b', 'file:///a-b'] }),
  sweep('a million runs', { seeds: numbers(1e5), arms: Object.fromEntries(numbers(10).map((i) => [`a${i}`, {}])) }),
] // prettier-ignore

/** All of them; their files lie beneath `folder`, which workers must allow. */
export function hostileInputs(folder: string): Hostile[] {
  const place = (name: string) => {
    const path = join(folder, name)
    mkdirSync(path)
    return [path, pathToFileURL(path).href] as const
  }
  return [...specs, ...hostileModels(...place('models')), ...hostileData(...place('data'))]
}
