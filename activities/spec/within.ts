/** Limits on what several fields of a spec make together. Each fault names its fields, what was expected and what was found. */
import { evaluatedOf } from '../benchmarks/sizes.ts'
import { isPrompt, promptNames } from '../benchmarks/prompts.ts'
import { benchmarks as protocols } from '../benchmarks/protocols.ts'
import type { Benchmark, ResolvedTrain } from '../contracts.ts'
import { most } from '../contracts/limits.ts'
import { didYouMean } from '../contracts/nearest.ts'
import { shardCount } from './batch.ts'
import { gradientFaults } from './gradient.ts'

/** Of a training spec with every field. */
export function trainFaults(spec: ResolvedTrain): string[] {
  const { batch, sampling, steps, evaluate } = spec
  const completions = batch.problems * batch.group
  const points = evaluate.benchmarks.length === 0 || evaluate.every === 0 ? 0 : steps / evaluate.every
  return [
    ...above('batch: problems x group', completions, most.batchCompletions, 'completions a step'),
    ...above(
      'batch: problems x group',
      shardCount(batch.problems, batch.group),
      most.shardsAStep,
      'shards a step',
    ),
    ...above(
      'batch x sampling.maxTokens',
      completions * sampling.maxTokens,
      most.stepTokens,
      'tokens a step',
    ),
    ...above('evaluate.every', Math.floor(points), most.evaluatedSteps, 'evaluated steps'),
    ...evaluationFaults(evaluate, 1, 'evaluate'),
    ...gradientFaults(spec),
  ]
}

/** Of what is evaluated at once: benchmarks x prompts, each in shards. */
export function evaluationFaults(
  asked: {
    readonly benchmarks: readonly Benchmark[]
    readonly limit?: number | undefined
    readonly samples?: number | undefined
  },
  prompts: number,
  place: string,
): string[] {
  const shards = asked.benchmarks.map((name) =>
    shardCount(evaluatedOf(name, asked.limit), asked.samples ?? protocols[name].samples),
  )
  const all = prompts * shards.reduce((sum, n) => sum + n, 0)
  return above(`${place}: benchmarks x prompts x samples`, all, most.shardsAnEvaluation, 'shards at once')
}

/** Of the prompts that a spec names. */
export function promptFaults(names: readonly string[]): string[] {
  const unknown = names.find((name) => !isPrompt(name))
  if (unknown === undefined) return []
  const found = JSON.stringify(unknown.slice(0, 200))
  const hint = didYouMean(unknown, promptNames)
  return [`prompt: expected ${promptNames.join(', ')} or a template with {problem}, found ${found}${hint}`]
}

export const promptsOf = ({ prompt, labels }: ResolvedTrain): string[] =>
  labels ? [prompt, labels.prompt] : [prompt]

const above = (place: string, found: number, limit: number, what: string): string[] =>
  found <= limit ? [] : [`${place}: expected at most ${limit} ${what}, found ${found}`]
