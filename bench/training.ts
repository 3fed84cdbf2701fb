/**
 * Training: seconds of one forward and backward pass of the cross entropy of every token but the first of its row, and of
 * AdamW over all parameters; peer: eager PyTorch with sdpa attention, and its fused AdamW. A warm-up call is not counted.
 */
import { Trainer } from '../activities/policy/trainer.ts'
import { optimizerStep, type Moments } from '../activities/policy/optimize.ts'
import type { Sequence } from '../activities/engine/port.ts'
import type { Benchmark, Comparison, Figure, Measured } from './comparison.ts'
import {
  openFolder,
  parametersOf,
  peakMemoryMiB,
  randomIds,
  secondsSince,
  sizeName,
  untouched,
} from './model.ts'
import { missingModels } from './sampling.ts'

interface Work {
  readonly model: string
  readonly threads: number
  readonly batch: number
  readonly tokens: number
  readonly adamw: boolean
}

/** As the presets have it. */
const MICROBATCH_TOKENS = 8192
const REPEATS = 3

export const training: Benchmark = {
  async comparisons(settings) {
    const { model, small, threads } = settings
    const rows: Comparison[] = []
    if (model !== null) rows.push(await row({ model, threads, batch: 4, tokens: 256, adamw: true }))
    if (small !== null) rows.push(await row({ model: small, threads, batch: 256, tokens: 128, adamw: false }))
    return { comparisons: rows, missing: missingModels(settings) }
  },

  async measure(args) {
    const work = args as Work
    const learnt = await differentiate(work)
    return { ...learnt, ...(work.adamw && { adamwSeconds: await adamw(work) }) }
  },
}

async function row(work: Work): Promise<Comparison> {
  const size = await sizeName(work.model)
  const label = `training ${size}, ${work.batch} x ${work.tokens} tokens`
  const { adamw, ...args } = work
  const figures: Figure[] = [
    {
      name: `${label}: forward and backward`,
      unit: 's',
      better: 'less',
      ours: 'seconds',
      peer: 'seconds',
      target: { of: 'ratio', bound: 0.8 },
    },
    {
      name: `${label}: peak memory`,
      unit: 'MiB',
      better: 'less',
      ours: 'peakMemoryMiB',
      peer: 'peakMemoryMiB',
    },
  ]
  const optimizer: Figure = {
    name: `AdamW ${size}`,
    unit: 's',
    better: 'less',
    ours: 'adamwSeconds',
    peer: 'adamwFusedSeconds',
    target: { of: 'value', bound: 0.6 },
  }
  const flags = Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)])
  return {
    label,
    ours: work,
    peer: {
      script: 'train.py',
      args: [...flags, '--repeats', String(REPEATS), ...(adamw ? ['--adamw'] : [])],
    },
    figures: adamw ? [...figures, optimizer] : figures,
  }
}

async function differentiate({ model, threads, batch, tokens }: Work): Promise<Measured> {
  const policy = await openFolder(model)
  const trainer = await Trainer.open(policy, null, { threads })
  const sequences = Array.from({ length: batch }, (_, i): Sequence => {
    const ids = randomIds(policy.config.vocabulary, tokens, i)
    return {
      group: String(i),
      prompt: ids.slice(0, 1),
      completion: ids.slice(1),
      logprobs: [],
      advantage: 1,
    }
  })
  const seconds = await medianSeconds(async () => {
    await trainer.differentiate(sequences, { name: 'nll' }, MICROBATCH_TOKENS, untouched)
  })
  const figures = { seconds, peakMemoryMiB: await peakMemoryMiB() }
  trainer.release()
  return figures
}

async function adamw({ model }: Work): Promise<number> {
  const count = parametersOf(await openFolder(model))
  const weights = new Float32Array(count).fill(0.02)
  const gradient = new Float32Array(count).fill(1e-4)
  const moments: Moments = { m: new Float32Array(0), v: new Float32Array(0) }
  let updates = 0
  return medianSeconds(() => {
    updates += 1
    optimizerStep(
      { name: 'adamw', learningRate: 1e-6, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0, maxGradNorm: 1 },
      weights,
      gradient,
      moments,
      { updates, norm: 1, learningRate: 1e-6 },
    )
  })
}

async function medianSeconds(work: () => void | Promise<void>): Promise<number> {
  await work()
  const taken: number[] = []
  for (let i = 0; i < REPEATS; i++) {
    const start = performance.now()
    await work()
    taken.push(secondsSince(start))
  }
  return taken.sort((a, b) => a - b)[Math.floor(REPEATS / 2)]!
}
