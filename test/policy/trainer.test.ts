import { expect, test } from 'vitest'
import type { Objective } from '../../activities/contracts.ts'
import { Trainer } from '../../activities/policy/trainer.ts'
import { goldenModels, quiet, readGolden, relativeDifference } from './golden.ts'

const grpo = (clip: [number, number]): Objective => ({
  name: 'grpo',
  clip,
  kl: 0,
  scale: 'group',
  whiten: false,
  average: 'tokens',
})

test.each(goldenModels)(
  '%s: loss, clips, log-probabilities and gradients are those of torch',
  async (name) => {
    const golden = await readGolden(name)
    const { grpo: expected } = golden.document
    const trainer = await Trainer.open(golden.policy, null, { threads: 1 })
    const { sums, gradients } = await trainer.differentiate(
      golden.sequences,
      grpo(expected.clip),
      4096,
      quiet(),
    )
    expect(sums.loss).toBeCloseTo(expected.loss, 5)
    expect(sums.tokens).toBe(expected.tokens)
    expect([sums.clipLow, sums.clipHigh]).toEqual([expected.clippedLow, expected.clippedHigh])
    expect(sums.gradNorm / expected.gradNorm).toBeCloseTo(1, 4)
    const entropies = expected.rollouts.flatMap((r) => r.entropies)
    expect(sums.entropy).toBeCloseTo(
      entropies.reduce((a, b) => a + b, 0),
      3,
    )
    for (const gradient of gradients)
      expect(
        relativeDifference(gradient.data, await golden.tensor(`gradient.${gradient.name}`)),
        gradient.name,
      ).toBeLessThan(1e-3)
    trainer.release()
  },
)
