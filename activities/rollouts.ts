/** Samples of problems, as the rows of a rollout table, in the order in which they finish. */
import { strategyOf } from './analysis/strategy.ts'
import type { Problem } from './benchmarks/problem.ts'
import type { Policy, Rollout } from './contracts.ts'
import type { Control, Decoding, Engine, Prompt } from './engine/port.ts'
import { promptOf } from './spec/prompt.ts'
import type { Tokenizer } from './policy/tokenizer.ts'

/** Samples wanted of one problem; `occurrence` counts its places in a batch. */
export interface Asked {
  readonly problem: Problem
  readonly occurrence: number
  readonly at: Prompt['at']
}

/** `samples` completions of each problem under the named prompt. */
export async function sampleRollouts(
  { engine, tokenizer }: { readonly engine: Engine; readonly tokenizer: Tokenizer },
  policy: Policy,
  asked: readonly Asked[],
  prompt: string,
  samples: number,
  sampling: Omit<Decoding, 'stop' | 'ignoreEnd'>,
  control: Control,
): Promise<Rollout[]> {
  const numbers = Array.from({ length: samples }, (_, sample) => sample)
  const prompts = asked.map(({ problem, at }) => ({
    ...promptOf(tokenizer, prompt, problem),
    at,
    samples: numbers,
  }))
  const decoding = { ...sampling, stop: prompts[0]?.stop ?? [] }
  const rollouts: Rollout[] = []
  for await (const completion of engine.sample(policy, prompts, decoding, control)) {
    const { problem, occurrence } = asked[completion.prompt]!
    const { text, tokens } = prompts[completion.prompt]!
    rollouts.push({
      problem: problem.id,
      occurrence,
      sample: completion.sample,
      prompt: text,
      completion: completion.text,
      promptTokens: [...tokens],
      tokens: [...completion.tokens],
      logprobs: [...completion.logprobs],
      stop: completion.stop,
      policy: policy.digest,
      strategy: strategyOf(completion.text),
    })
  }
  return rollouts
}
