import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Objective, Optimizer } from '../../activities/contracts.ts'
import { NonFiniteLoss, type Sequence } from '../../activities/engine/port.ts'
import { readOptimizerState, writeOptimizerState } from '../../activities/policy/state.ts'
import { Trainer } from '../../activities/policy/trainer.ts'
import { goldenModels, quiet, readGolden, relativeDifference } from './golden.ts'

type Grpo = Extract<Objective, { name: 'grpo' }>
const grpo: Grpo = {
  name: 'grpo',
  clip: [0.2, 0.2],
  kl: 0,
  scale: 'group',
  whiten: false,
  average: 'tokens',
}
const plan = { microbatchTokens: 4096 }
const open = async (name: (typeof goldenModels)[number], threads = 1) => {
  const golden = await readGolden(name)
  return { golden, trainer: await Trainer.open(golden.policy, null, { threads }) }
}

describe.each(goldenModels)('%s equals torch', (name) => {
  test('log-probabilities, loss, entropy, clips and the gradient of every tensor', async () => {
    const { golden, trainer } = await open(name)
    const { grpo: expected } = golden.document
    const found = await trainer.score(golden.sequences, quiet())
    for (const [i, { logprobs }] of expected.rollouts.entries())
      for (const [t, logprob] of logprobs.entries()) expect(found[i]![t]).toBeCloseTo(logprob, 4)
    const { sums, gradients } = await trainer.differentiate(golden.sequences, grpo, 4096, quiet())
    expect(sums.loss).toBeCloseTo(expected.loss, 5)
    expect([sums.tokens, sums.sequences]).toEqual([expected.tokens, expected.rollouts.length])
    expect([sums.clipLow, sums.clipHigh]).toEqual([expected.clippedLow, expected.clippedHigh])
    expect(sums.gradNorm / expected.gradNorm).toBeCloseTo(1, 5)
    const total = (of: 'entropies' | 'ratios') =>
      expected.rollouts.flatMap((r) => r[of]).reduce((sum, x) => sum + x, 0)
    expect(sums.entropy / total('entropies')).toBeCloseTo(1, 5)
    expect(sums.ratio / total('ratios')).toBeCloseTo(1, 4)
    for (const { name, data } of gradients)
      expect(relativeDifference(data, await golden.tensor(`gradient.${name}`)), name).toBeLessThan(1e-4)
    trainer.release()
  })

  test('the weights after AdamW steps on the same rollouts', async () => {
    const { golden, trainer } = await open(name)
    const { optimizer, grpo: expected } = golden.document
    const before = new Map(trainer.weights().map(({ name, data }) => [name, data.slice()]))
    for (const key of expected.secondLoss === undefined ? ['change'] : ['change', 'change2']) {
      const [sums] = await trainer.update([{ sequences: golden.sequences }], grpo, optimizer, plan, quiet())
      if (key === 'change2') {
        expect(sums!.loss).toBeCloseTo(expected.secondLoss!, 4)
        expect(sums!.gradNorm / expected.secondGradNorm!).toBeCloseTo(1, 3)
      }
      for (const { name, data } of trainer.weights()) {
        const change = data.map((w, i) => w - before.get(name)![i]!)
        expect(relativeDifference(change, await golden.tensor(`${key}.${name}`)), name).toBeLessThan(2e-3)
      }
    }
    trainer.release()
  })
})

test.each(['llama3-untied', 'qwen2-tied'] as const)(
  '%s: the head in slices of the vocabulary gives what it gives in one',
  async (name) => {
    const golden = await readGolden(name)
    const found = []
    for (const logits of [2 ** 20, 300, 1]) {
      const trainer = await Trainer.open(golden.policy, null, { threads: 1, logits })
      const { sums, gradients } = await trainer.differentiate(golden.sequences, grpo, 4096, quiet())
      found.push({ sums, gradients: gradients.map(({ name, data }) => ({ name, data: data.slice() })) })
      trainer.release()
    }
    for (const { sums, gradients } of found.slice(1)) {
      expect(sums.entropy).toBeCloseTo(found[0]!.sums.entropy, 3)
      for (const [i, { data }] of gradients.entries())
        expect(relativeDifference(data, found[0]!.gradients[i]!.data)).toBeLessThan(1e-5)
    }
  },
)

describe('a minibatch cut for memory', () => {
  test.each(['tokens', 'sequence', 'microbatch'] as const)(
    'average %s: loss and gradient are the same by rounding, however small the micro-batches',
    async (average) => {
      const { golden, trainer } = await open('qwen2-tied')
      const at = async (tokens: number) => {
        const { sums, gradients } = await trainer.differentiate(
          golden.sequences,
          { ...grpo, average },
          tokens,
          quiet(),
        )
        return { sums, gradients: gradients.map(({ name, data }) => ({ name, data: data.slice() })) }
      }
      const [whole, cut] = [await at(4096), await at(1)] // one sequence at a time
      expect(cut.sums.loss).toBeCloseTo(whole.sums.loss, 6)
      expect(cut.sums.clipHighByDecile).toEqual(whole.sums.clipHighByDecile)
      for (const [i, { name, data }] of whole.gradients.entries())
        expect(relativeDifference(cut.gradients[i]!.data, data), name).toBeLessThan(2e-5)
      trainer.release()
    },
  )

  test('where a prompt ends and its completion begins does not matter to the log-probabilities', async () => {
    const { golden, trainer } = await open('llama3-tied')
    const tokens = [5, 9, 11, 40, 2, 33]
    // A prompt of one token has nothing but its last: its part of the attention is all masked.
    const sequences = [1, 2, 4].map((cut): Sequence => ({
      group: `${cut}`,
      prompt: tokens.slice(0, cut),
      completion: tokens.slice(cut),
      logprobs: [],
      advantage: 0,
    }))
    const together = await trainer.score(sequences, quiet())
    const [alone] = await trainer.score([sequences[0]!], quiet())
    for (const [i, cut] of [1, 2, 4].entries())
      for (let t = cut; t < tokens.length; t++) {
        expect(together[i]![t - cut]).toBeCloseTo(together[0]![t - 1]!, 5)
        expect(alone![t - 1]).toBeCloseTo(together[0]![t - 1]!, 5)
      }
    expect(golden.policy.config.family).toBe('llama')
    trainer.release()
  })

  test('one group with two prompts is refused', async () => {
    const { golden, trainer } = await open('qwen2-tied')
    const [a] = golden.sequences
    const mixed = [a!, { ...a!, prompt: [...a!.prompt.slice(1), 7] }]
    await expect(trainer.score(mixed, quiet())).rejects.toThrow('group 0, expected one prompt')
    trainer.release()
  })
})

describe('objectives', () => {
  test('nll is the mean negative log-likelihood, and its gradient that of an unclipped ratio of 1 with advantage 1', async () => {
    const { golden, trainer } = await open('olmo2')
    const scores = await trainer.score(golden.sequences, quiet())
    const onPolicy = golden.sequences.map((s, i) => ({ ...s, advantage: 1, logprobs: [...scores[i]!] }))
    const nll = await trainer.differentiate(onPolicy, { name: 'nll' }, 4096, quiet())
    const all = scores.flatMap((s) => [...s])
    expect(nll.sums.loss).toBeCloseTo(-all.reduce((sum, x) => sum + x, 0) / all.length, 5)
    expect(nll.sums.ratio).toBe(nll.sums.tokens)
    const expected = nll.gradients.map(({ data }) => data.slice())
    const free = await trainer.differentiate(onPolicy, { ...grpo, clip: null }, 4096, quiet())
    for (const [i, { data }] of free.gradients.entries())
      expect(relativeDifference(data, expected[i]!)).toBeLessThan(1e-5)
    trainer.release()
  })

  test('on-policy the KL term has no gradient, off-policy it has', async () => {
    const { golden, trainer } = await open('qwen2-untied')
    const scores = await trainer.score(golden.sequences, quiet())
    const idle = golden.sequences.map((s, i) => ({ ...s, advantage: 0, logprobs: [...scores[i]!] }))
    const on = await trainer.differentiate(idle, { ...grpo, kl: 1 }, 4096, quiet())
    expect(on.sums.gradNorm).toBeLessThan(1e-4)
    const moved = idle.map((s) => ({ ...s, logprobs: s.logprobs.map((x) => x - 0.5) }))
    const off = await trainer.differentiate(moved, { ...grpo, kl: 1 }, 4096, quiet())
    expect(off.sums.gradNorm).toBeGreaterThan(0.01)
    expect(off.sums.loss).toBeCloseTo(Math.exp(-0.5) + 0.5 - 1, 4) // k3 at log ρ = 0.5
    trainer.release()
  })
})

describe('updates', () => {
  const sgd = { name: 'sgd', learningRate: 0.1, maxGradNorm: 1 } as const
  const adamw = {
    name: 'adamw',
    learningRate: 1e-3,
    betas: [0.9, 0.95],
    eps: 1e-8,
    weightDecay: 0,
    maxGradNorm: 1,
  } satisfies Parameters<Trainer['update']>[2]

  test('the same arguments give the same bits, at one thread and at two', async () => {
    const runs = []
    for (const threads of [1, 1, 2]) {
      const { golden, trainer } = await open('llama3-untied', threads)
      const minibatches = [golden.sequences.slice(0, 4), golden.sequences.slice(3)].map((sequences) => ({
        sequences,
      }))
      const sums = await trainer.update(minibatches, grpo, adamw, { microbatchTokens: 30 }, quiet())
      runs.push({ sums, weights: trainer.weights().map(({ data }) => [...data]) })
      trainer.release()
    }
    expect(runs[1]).toEqual(runs[0])
    expect(runs[2]).toEqual(runs[0])
  })

  test('a trainer opened on saved weights and state goes on as if it had never stopped', async () => {
    const { golden, trainer } = await open('olmo2')
    const minibatches = [golden.sequences.slice(0, 3), golden.sequences.slice(3)].map((sequences) => ({
      sequences,
    }))
    await trainer.update(minibatches.slice(0, 1), grpo, adamw, plan, quiet())
    const folder = await mkdtemp(join(tmpdir(), 'placebo-state-'))
    const { writeSafetensors, indexTensors } = await import('../../activities/policy/safetensors.ts')
    const paths = await writeSafetensors(trainer.weights(), join(folder, 'model'))
    const statePaths = await writeOptimizerState(trainer.optimizerState(), join(folder, 'optimizer'))
    const tensors = await indexTensors(paths.map((path) => ({ name: path, path })))
    const resumed = await Trainer.open(
      { config: golden.policy.config, tensors },
      await readOptimizerState(statePaths, 1),
      { threads: 1 },
    )
    const expected = await trainer.update(minibatches.slice(1), grpo, adamw, plan, quiet())
    const found = await resumed.update(minibatches.slice(1), grpo, adamw, plan, quiet())
    expect(found).toEqual(expected)
    expect(resumed.weights()).toEqual(trainer.weights())
    expect(resumed.optimizerState()).toEqual(trainer.optimizerState())
    expect(resumed.optimizerState().updates).toBe(2)
    trainer.release()
    resumed.release()
    await rm(folder, { recursive: true })
  })

  test("sgd moves against the clipped gradient, at the minibatch's own learning rate", async () => {
    const { golden, trainer } = await open('qwen2-tied')
    const { gradients, sums } = await trainer.differentiate(golden.sequences, grpo, 4096, quiet())
    const name = 'model.norm.weight'
    const gradient = gradients.find((g) => g.name === name)!.data.slice()
    const weights = trainer.weights().find((w) => w.name === name)!.data
    const before = weights.slice()
    const [found] = await trainer.update(
      [{ sequences: golden.sequences, learningRate: 0.5 }],
      grpo,
      sgd,
      plan,
      quiet(),
    )
    expect(found!.learningRate).toBe(0.5)
    expect(sums.gradNorm).toBeGreaterThan(1)
    for (const [i, w] of weights.entries())
      expect(w).toBeCloseTo(before[i]! - (0.5 * gradient[i]!) / sums.gradNorm, 5)
    expect(trainer.optimizerState()).toEqual({ updates: 1, moments: [] })
    trainer.release()
  })

  test('a loss that is not finite is refused by the number of its minibatch, before weights change', async () => {
    const { golden, trainer } = await open('qwen2-tied')
    const [first, ...others] = golden.sequences
    const poisoned = [{ ...first!, advantage: NaN }, ...others]
    const once = await Trainer.open(golden.policy, null, { threads: 1 })
    await once.update([{ sequences: golden.sequences }], grpo, sgd, plan, quiet())
    const failure: unknown = await trainer
      .update([{ sequences: golden.sequences }, { sequences: poisoned }], grpo, sgd, plan, quiet())
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(NonFiniteLoss)
    expect((failure as NonFiniteLoss).minibatch).toBe(1)
    expect(trainer.weights()).toEqual(once.weights()) // the first minibatch was applied, the second not
    trainer.release()
    once.release()
  })

  test.each<[string, Optimizer, number, string]>([
    [
      'AdamW',
      { ...adamw, learningRate: 1e39 },
      0,
      'weights of lm_head.weight: 2048 of 2048 values, the first at index 0 is ',
    ],
    ['SGD', { ...sgd, learningRate: 1e308 }, 0, 'weights of lm_head.weight: '],
    ['a schedule', sgd, 1, 'weights of lm_head.weight: '],
  ])(
    'a step that leaves float32 is refused, the last one too: %s',
    async (_, optimizer, minibatch, found) => {
      const { golden, trainer } = await open('qwen2-untied')
      const { sequences } = golden
      const batches = minibatch === 0 ? [{ sequences }] : [{ sequences }, { sequences, learningRate: 1e300 }]
      const failure = trainer.update(batches, grpo, optimizer, plan, quiet())
      await expect(failure).rejects.toMatchObject({ name: 'NonFiniteLoss', minibatch })
      await expect(failure).rejects.toThrow(
        `update: minibatch ${minibatch} of ${batches.length}, expected finite weights`,
      )
      await expect(failure).rejects.toThrow(found)
      trainer.release()
    },
  )

  test('pretraining’s steps are looked at as well', async () => {
    const { golden, trainer } = await open('qwen2-untied')
    const learn = trainer.update([golden], { name: 'nll' }, { ...adamw, learningRate: 1e39 }, plan, quiet())
    await expect(learn).rejects.toThrow(
      'expected finite weights and optimizer state after a step at learning rate 1e+39',
    )
    trainer.release()
  })

  test('a policy so far from its sampler’s that a metric overflows is refused by the metric: e^2000', async () => {
    const { golden, trainer } = await open('qwen2-tied')
    // log π_old - log π is 2,000 or so: the loss is ρA = 0, and k3 = e^2000 - 2001.
    const far = golden.sequences.map((s) => ({ ...s, logprobs: s.logprobs.map(() => 2000) }))
    const failure = trainer.update([{ sequences: far }], { ...grpo, clip: null }, sgd, plan, quiet())
    await expect(failure).rejects.toThrow('minibatch 0 of 1, expected finite metrics, found kl Infinity')
    trainer.release()
  })

  test('progress counts every run and ends at its total; an abort stops between runs', async () => {
    const { golden, trainer } = await open('qwen2-tied')
    const control = quiet()
    await trainer.update([{ sequences: golden.sequences }], grpo, sgd, plan, control)
    // two layers forward, the head, two layers backward
    expect(control.told).toEqual([1, 2, 3, 4, 5].map((done) => ({ phase: 'update', done, total: 5 })))
    const abort = new AbortController()
    const before = trainer.weights().map(({ data }) => data.slice())
    let done = 0
    const stopping = {
      signal: abort.signal,
      progress: () => {
        if (++done === 2) abort.abort(new Error('preempted'))
      },
    }
    await expect(
      trainer.update([{ sequences: golden.sequences }], grpo, sgd, plan, stopping),
    ).rejects.toThrow('preempted')
    expect(done).toBe(2)
    expect(trainer.weights().map(({ data }) => data)).toEqual(before)
    trainer.release()
  })
})
