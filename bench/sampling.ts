/**
 * Sampling: tokens/s end to end, prefill included, of exactly `fresh` new tokens a sample; peer: transformers `generate`.
 * Building the session (once a policy) is a figure of its own, and loading is not in the peer's either.
 */
import { Sampler } from '../activities/policy/generation.ts'
import type { Decoding, Prompt } from '../activities/engine/port.ts'
import type { Benchmark, Comparison, Settings } from './comparison.ts'
import { openFolder, peakMemoryMiB, randomIds, secondsSince, sizeName, untouched } from './model.ts'

interface Work {
  readonly model: string
  readonly threads: number
  readonly groups: number
  readonly samples: number
  readonly prompt: number
  readonly fresh: number
}

/** Groups x samples, prompt tokens, new tokens, and the least ratio to the peer that we want. */
const large = [
  { groups: 1, samples: 1, prompt: 128, fresh: 64, target: 3 },
  { groups: 1, samples: 16, prompt: 128, fresh: 64, target: 3 },
  { groups: 4, samples: 16, prompt: 128, fresh: 64, target: 4 },
]
const small = [{ groups: 16, samples: 16, prompt: 32, fresh: 96, target: 2.5 }]

export const sampling: Benchmark = {
  async comparisons(settings) {
    const rows = [
      ...(settings.model === null ? [] : await rowsOf(settings.model, large, settings)),
      ...(settings.small === null ? [] : await rowsOf(settings.small, small, settings)),
    ]
    return { comparisons: rows, missing: missingModels(settings) }
  },

  async measure(args) {
    const work = args as Work
    const policy = await openFolder(work.model)
    const start = performance.now()
    const sampler = await Sampler.open(policy, { threads: work.threads })
    const sessionSeconds = secondsSince(start)
    await sample(sampler, policy.config.vocabulary, { ...work, fresh: 4 }) // as the peer warms up
    const begun = performance.now()
    const tokens = await sample(sampler, policy.config.vocabulary, work)
    const seconds = secondsSince(begun)
    return {
      tokensPerSecond: tokens / seconds,
      seconds,
      sessionSeconds,
      peakMemoryMiB: await peakMemoryMiB(),
    }
  },
}

async function rowsOf(
  model: string,
  table: typeof large,
  { threads }: Settings,
): Promise<readonly Comparison[]> {
  const size = await sizeName(model)
  return table.map(({ target, ...work }) => {
    const { groups, samples, prompt, fresh } = work
    const label = `sampling ${size}, ${groups} x ${samples}, ${prompt} + ${fresh} tokens`
    const args = { model, threads, groups, samples, prompt, new: fresh, repeats: 1 }
    return {
      label,
      ours: { ...work, model, threads } satisfies Work,
      peer: {
        script: 'generate.py',
        args: Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)]),
      },
      figures: [
        {
          name: label,
          unit: 'tokens/s',
          better: 'more',
          ours: 'tokensPerSecond',
          peer: 'tokensPerSecond',
          target: { of: 'ratio', bound: target },
        },
        { name: `${label}: session build`, unit: 's', better: 'less', ours: 'sessionSeconds' },
        {
          name: `${label}: peak memory`,
          unit: 'MiB',
          better: 'less',
          ours: 'peakMemoryMiB',
          peer: 'peakMemoryMiB',
        },
      ],
    }
  })
}

/** Samples and counts the new tokens; each completion has as many as asked for. */
async function sample(sampler: Sampler, vocabulary: number, work: Work): Promise<number> {
  const prompts = Array.from({ length: work.groups }, (_, group): Prompt => ({
    tokens: randomIds(vocabulary, work.prompt, group),
    at: { seed: 0, purpose: 'sample', problem: String(group) },
    samples: Array.from({ length: work.samples }, (_, i) => i),
  }))
  const decoding: Decoding = { temperature: 1, topP: 1, maxTokens: work.fresh, stop: [], ignoreEnd: true }
  let tokens = 0
  for await (const completion of sampler.sample(prompts, decoding, untouched)) {
    if (completion.tokens.length !== work.fresh)
      throw new Error(`sampling: expected ${work.fresh} tokens, found ${completion.tokens.length}`)
    tokens += completion.tokens.length
  }
  return tokens
}

export function missingModels({ model, small }: Settings): string[] {
  return [
    ...(model === null ? ['the 135M model: give its folder with --model or PLACEBO_BENCH_MODEL'] : []),
    ...(small === null ? ['the 0.8M model: bench/peers/make_small.py writes it where torch is there'] : []),
  ]
}
