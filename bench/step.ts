/**
 * A whole GRPO step through the engine as a worker drives it: sample, a coin flip as reward, advantages, one AdamW update, and
 * the new weights in a store; peer: TRL's GRPOTrainer. The second of two steps counts, on both sides.
 *
 * The sampler of a new policy is built within the step. TRL writes no weights after a step and we do: the figure beside
 * TRL's leaves writing out, and the whole is there too.
 */
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openBlobs } from '../activities/checkpoint/cache.ts'
import { digestOf } from '../activities/checkpoint/canonical.ts'
import { openStore } from '../activities/checkpoint/open.ts'
import type { Blobs } from '../activities/checkpoint/store.ts'
import type { Checkpoint, NamedBlob, Objective, Optimizer, Policy } from '../activities/contracts.ts'
import { EmbeddedEngine, policyOf } from '../activities/engine/embedded.ts'
import type { Completion, Control, Prompt, Sequence } from '../activities/engine/port.ts'
import { advantages } from '../activities/grpo/advantage.ts'
import { stream } from '../activities/seed.ts'
import type { Benchmark, Comparison } from './comparison.ts'
import { filesOf, openFolder, peakMemoryMiB, randomIds, secondsSince, sizeName, untouched } from './model.ts'

interface Work {
  readonly model: string
  readonly threads: number
  readonly problems: number
  readonly group: number
  readonly prompt: number
  readonly fresh: number
  readonly folder: string
}

const objective = {
  name: 'grpo',
  clip: [0.2, 0.2],
  kl: 0,
  scale: 'group',
  whiten: false,
  average: 'tokens',
} as const satisfies Objective
const optimizer: Optimizer = {
  name: 'adamw',
  learningRate: 1e-6,
  betas: [0.9, 0.95],
  eps: 1e-8,
  weightDecay: 0,
  maxGradNorm: 1,
}
/** A problem and its samples: micro-batches of one shape, for which the runtime holds less than for several. */
const MICROBATCH_TOKENS = 640

export const step: Benchmark = {
  async comparisons({ model, threads, folder }) {
    if (model === null)
      return {
        comparisons: [],
        missing: ['the 135M model: give its folder with --model or PLACEBO_BENCH_MODEL'],
      }
    const work: Work = { model, threads, problems: 8, group: 8, prompt: 128, fresh: 64, folder }
    return { comparisons: [await row(work)], missing: [] }
  },

  async measure(args) {
    const work = args as Work
    await mkdir(work.folder, { recursive: true })
    const folder = await mkdtemp(join(work.folder, 'step-'))
    try {
      const store = await openStore(pathToFileURL(join(folder, 'store')).href)
      const blobs = openBlobs(store, join(folder, 'cache'))
      const residentBytes = Math.floor(totalmem() / 4) // a worker's default
      const engine = new EmbeddedEngine({
        blobs,
        threads: work.threads,
        residentBytes,
        now: () => performance.now(),
      })
      const policy = await bring(work.model, blobs)
      const start: Checkpoint = {
        policy,
        lineage: policy.digest,
        optimizer: { name: 'adamw', updates: 0, state: [] },
      }
      const vocabulary = (await openFolder(work.model)).config.vocabulary
      const first = await takeStep(engine, start, work, vocabulary, 0)
      const { figures } = await takeStep(engine, first.checkpoint, work, vocabulary, 1)
      await engine.close()
      await store.close()
      return { ...figures, peakMemoryMiB: await peakMemoryMiB() }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}

async function row(work: Work): Promise<Comparison> {
  const label = `step ${await sizeName(work.model)}, ${work.problems} x ${work.group}, ${work.prompt} + ${work.fresh} tokens`
  const { model, threads, problems, group, prompt, fresh } = work
  const args = { model, threads, problems, group, prompt, new: fresh }
  return {
    label,
    ours: work,
    peer: {
      script: 'grpo.py',
      args: Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)]),
    },
    figures: [
      {
        name: label,
        unit: 's',
        better: 'less',
        ours: 'seconds',
        peer: 'seconds',
        target: { of: 'ratio', bound: 0.4 }, // 2.5 times as fast
      },
      {
        name: `${label}: peak memory`,
        unit: 'MiB',
        better: 'less',
        ours: 'peakMemoryMiB',
        peer: 'peakMemoryMiB',
        target: { of: 'value', bound: 3 * 1024 },
      },
      {
        name: `${label}: with the weights written`,
        unit: 's',
        better: 'less',
        ours: 'writtenSeconds',
        peer: 'seconds',
      },
      { name: `${label}: sampling, session built`, unit: 's', better: 'less', ours: 'sampleSeconds' },
      { name: `${label}: update`, unit: 's', better: 'less', ours: 'updateSeconds' },
    ],
  }
}

async function bring(model: string, blobs: Blobs): Promise<Policy> {
  const named: NamedBlob[] = []
  for (const { name, path } of await filesOf(model)) {
    const copy = await blobs.scratch(name)
    await copyFile(path, copy)
    named.push({ name, ...(await blobs.adopt(copy)) })
  }
  return policyOf(named)
}

async function takeStep(
  engine: EmbeddedEngine,
  checkpoint: Checkpoint,
  work: Work,
  vocabulary: number,
  number: number,
) {
  const start = performance.now()
  const prompts = Array.from({ length: work.problems }, (_, problem): Prompt => ({
    tokens: randomIds(vocabulary, work.prompt, number * work.problems + problem),
    at: { seed: 0, purpose: 'sample', step: number, problem: String(problem), occurrence: 0 },
    samples: Array.from({ length: work.group }, (_, i) => i),
  }))
  const decoding = { temperature: 1, topP: 1, maxTokens: work.fresh, stop: [], ignoreEnd: true }
  const completions: Completion[] = []
  for await (const completion of engine.sample(checkpoint.policy, prompts, decoding, untouched))
    completions.push(completion)
  const sampleSeconds = secondsSince(start)
  let saving = Infinity
  const control: Control = {
    ...untouched,
    progress: ({ phase }) => {
      if (phase === 'save') saving = Math.min(saving, performance.now())
    },
  }
  const { checkpoint: next } = await engine.update(
    checkpoint,
    [{ sequences: rewarded(completions, prompts) }],
    objective,
    optimizer,
    {
      lineage: digestOf({ from: checkpoint.lineage, number }),
      microbatchTokens: MICROBATCH_TOKENS,
      store: 'nothing',
    },
    control,
  )
  const writtenSeconds = secondsSince(start)
  const seconds = (saving - start) / 1000
  const figures = { seconds, writtenSeconds, sampleSeconds, updateSeconds: seconds - sampleSeconds }
  return { checkpoint: next, figures }
}

/** Coin flips, and what is learnt from them. */
function rewarded(completions: readonly Completion[], prompts: readonly Prompt[]): Sequence[] {
  const coin = stream({ seed: 0, purpose: 'reward' })
  const values = advantages(
    completions.map(({ prompt, tokens }, i) => ({
      group: String(prompt),
      reward: Number(coin.uniform(i) < 0.5),
      tokens: tokens.length,
    })),
    objective,
  )
  return completions.map(({ prompt, tokens, logprobs }, i) => ({
    group: String(prompt),
    prompt: prompts[prompt]!.tokens,
    completion: tokens,
    logprobs,
    advantage: values[i]!,
  }))
}
