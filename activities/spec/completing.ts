/** What evaluations, labels and probes have sampled, as sets of completions, and what one such set takes. */
import { evaluatedOf } from '../benchmarks/sizes.ts'
import { benchmarks as protocols } from '../benchmarks/protocols.ts'
import type { Benchmark, DataSpec, EvaluateSpec, ProbeSpec } from '../contracts.ts'
import type { ModelConfig } from '../policy/config.ts'
import { bytesOf, completionTokens, samplerBounds, samplingParts } from './memory.ts'
import { samplingWork, type Samples, type Work } from './speed.ts'

export interface Completed {
  readonly prompts: number
  /** Of each prompt; null: as long as they are in general. */
  readonly promptTokens: number | null
  readonly samples: number
  readonly maxTokens: number
  readonly data?: DataSpec
}

/** Tokens of a prompt, where nobody has read the problems: those of nano have 11, statements of contests some 128. */
export function promptTokensOf(data: Pick<DataSpec, 'name'> | undefined, config: ModelConfig): number {
  return data?.name === 'nano' ? 11 : Math.min(128, Math.floor(config.maxPositions / 4))
}

export function evaluated({
  benchmarks,
  prompts,
  limit,
  samples,
  maxTokens,
}: Pick<EvaluateSpec, 'benchmarks' | 'prompts' | 'limit' | 'samples' | 'maxTokens'>): Completed[] {
  return benchmarks.map((name) => ({
    ...taskOf(name, limit, maxTokens),
    samples: (prompts?.length ?? 1) * (samples ?? protocols[name].samples),
  }))
}

/** Each statement is continued once from each share of it. */
export function probed({ benchmarks, shares, limit, maxTokens }: ProbeSpec): Completed[] {
  return benchmarks.flatMap((name) => shares.map(() => ({ ...taskOf(name, limit, maxTokens), samples: 1 })))
}

const taskOf = (name: Benchmark, limit: number | undefined, maxTokens: number | undefined) => ({
  prompts: evaluatedOf(name, limit),
  promptTokens: null,
  maxTokens: maxTokens ?? protocols[name].maxTokens,
  data: { name },
})

/** The work and the memory of one set, by shards of some 256 completions. */
export function completed(
  config: ModelConfig,
  { prompts, promptTokens, samples, maxTokens, data }: Completed,
  threads: number,
): { readonly work: Work; readonly memory: number; readonly shape: Samples } {
  const completions = Math.min(prompts * samples, Math.max(samples, 256))
  const drawn = { promptTokens: promptTokens ?? promptTokensOf(data, config), maxTokens, completions }
  const { most, rowBytes } = samplerBounds(config, drawn, threads)
  const rows = Math.min(most, completions)
  const tokens = completionTokens(config, drawn)
  const shape = { prompts, promptTokens: drawn.promptTokens, samples, tokens, rows }
  const others = samplingParts(config, drawn, threads).filter(({ what }) => !what.startsWith('keys'))
  return { work: samplingWork(config, shape, threads), memory: bytesOf(others) + rows * rowBytes, shape }
}
