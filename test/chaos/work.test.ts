import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@temporalio/client'
import { describe, expect, it } from 'vitest'
import { SweepSpec } from '../../activities/contracts.ts'
import { cellsOf, specOf } from '../../activities/spec/arms.ts'
import { shardsOf } from '../../activities/spec/batch.ts'
import { connectTo } from '../../infra/chaos/settle.ts'
import { execute, keepBusy, sweepId, sweepSpec } from '../../infra/chaos/work.ts'
import { freePort } from '../../infra/servers.ts'

/** The runs of a sweep of 6 steps. */
function runsOf(number: number) {
  const sweep = SweepSpec.parse(sweepSpec(number, 6))
  return cellsOf(sweepId(number), sweep).map((cell) => ({ ...cell, spec: specOf(sweep, cell) }))
}

describe('the work', () => {
  it('is a valid sweep of four runs, another seed for each sweep', () => {
    const runs = [1, 2].flatMap(runsOf)
    expect(runs.map(({ run }) => run)).toEqual(
      [1, 2].flatMap((number) =>
        ['coder:truth', 'coder:random', 'talker:truth', 'talker:random'].map(
          (name) => `chaos-${number}:nano-${name}:${number}`,
        ),
      ),
    )
    expect(runs.map(({ spec }) => spec.steps)).toEqual([6, 6, 6, 6, 3, 3, 3, 3])
    // Between two checkpoints the optimizer's state is nowhere but with its worker.
    expect(runs.every(({ spec }) => spec.optimizer.name === 'adamw' && spec.checkpoint.every > 1)).toBe(true)
  })

  it('has every second sweep sample 256 completions in one activity, so that a signal meets it', () => {
    const perShard = (number: number) =>
      runsOf(number)
        .slice(0, 1)
        .flatMap(({ spec }) => shardsOf(spec).map(({ from, to }) => (to - from) * spec.batch.group))
    expect([perShard(1), perShard(2), perShard(3)]).toEqual([[32], [256, 256], [32]])
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

describe('a workflow that is waited for', () => {
  it('is left at once when the harness is told to stop, and nothing is thrown where nobody can catch it', async () => {
    // Nobody answers: every call fails and is asked again. The client's own repetition would wait in a timer and, on
    // a closed connection, throw from there, which the test runner reports as a failure.
    const connection = connectTo(`127.0.0.1:${await freePort(0)}`)
    const controller = new AbortController()
    const client = new Client({ connection })
    const waited = execute(client, 'sweep', 'w', {}, controller.signal)
    await sleep(100) // the first call has failed by now, or is about to
    controller.abort(new Error('stopped'))
    await expect(waited).rejects.toThrow('stopped')
    await connection.close()
    await sleep(1500) // longer than the client would have waited
  })
})
