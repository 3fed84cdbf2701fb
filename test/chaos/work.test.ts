import { describe, expect, it } from 'vitest'
import { SweepSpec } from '../../activities/contracts.ts'
import { cellsOf, specOf } from '../../activities/spec/arms.ts'
import { keepBusy, sweepId, sweepSpec } from '../../infra/chaos/work.ts'

describe('the work', () => {
  it('is a valid sweep of four runs, another seed for each sweep', () => {
    const runs = [1, 2].flatMap((number) => {
      const sweep = SweepSpec.parse(sweepSpec(number, 6))
      return cellsOf(sweepId(number), sweep).map((cell) => ({ ...cell, spec: specOf(sweep, cell) }))
    })
    expect(runs.map(({ run }) => run)).toEqual(
      [1, 2].flatMap((number) =>
        ['coder:truth', 'coder:random', 'talker:truth', 'talker:random'].map(
          (name) => `chaos-${number}:nano-${name}:${number}`,
        ),
      ),
    )
    expect(runs.every(({ spec }) => spec.steps === 6)).toBe(true)
    // Between two checkpoints the optimizer's state is nowhere but with its worker.
    expect(runs.every(({ spec }) => spec.optimizer.name === 'adamw' && spec.checkpoint.every > 1)).toBe(true)
  })

  it('goes on in two lanes, each number once, until it is enough, and finishes what it began', async () => {
    const [begun, finished] = [new Set<number>(), new Set<number>()]
    let running = 0
    let most = 0
    const count = await keepBusy(
      async (number) => {
        begun.add(number)
        most = Math.max(most, ++running)
        await new Promise((resolve) => setTimeout(resolve, number % 3))
        running -= 1
        finished.add(number)
      },
      (number) => number >= 5,
    )
    expect(count).toBe(5)
    expect([...begun].sort()).toEqual([1, 2, 3, 4, 5])
    expect(finished).toEqual(begun)
    expect(most).toBe(2)
  })

  it('does nothing where nothing is wanted', async () => {
    const never = () => Promise.reject(new Error('was run'))
    expect(await keepBusy(never, () => true)).toBe(0)
  })
})
