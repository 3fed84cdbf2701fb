/**
 * The work that is disturbed: sweeps of nano models, one after another in two lanes, so that there is always something
 * to disturb. Sweep n is the same whatever happened before it, so the undisturbed run can repeat exactly those that ran.
 *
 * AdamW with a checkpoint every third step only: its state dies with its worker and must be computed again. Every
 * second sweep has half the steps and groups so large that one sampling or update lasts for seconds: with activities of
 * a tenth of a second, what tells a worker to stop would hardly ever meet one.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError, type Client } from '@temporalio/client'
import { taskQueues } from '../../temporal.config.ts'

export const sweepId = (number: number) => `chaos-${number}`

const quick = { problems: 8, group: 4, minibatch: 16 }
/** A shard holds whole groups, so each of these two is one. */
const slow = { problems: 2, group: 256, minibatch: 128 }

/** The spec of sweep `number`: two models, two arms, `steps` steps each, or half as many slow ones. */
export function sweepSpec(number: number, steps: number): unknown {
  const isSlow = number % 2 === 0
  return {
    base: {
      preset: 'demo',
      steps: isSlow ? Math.ceil(steps / 2) : steps,
      batch: isSlow ? slow : quick,
      optimizer: { name: 'adamw', learningRate: 1e-4 },
      evaluate: { every: 4, limit: 16, samples: 2, temperature: 1 },
      checkpoint: { every: 3, keep: 2 },
    },
    models: ['nano/coder', 'nano/talker'],
    arms: { truth: { reward: 'ground-truth' }, random: { reward: { random: 0.5 } } },
    seeds: [number],
    controls: false,
    concurrency: 3,
  }
}

/**
 * Runs a workflow to its end although the server may go away at any moment, as a person would with the CLI: start it,
 * and ask again. Throws what the workflow failed with.
 */
export async function execute<T>(
  client: Client,
  type: string,
  workflowId: string,
  input: unknown,
  signal: AbortSignal,
): Promise<T> {
  let started = false
  const told = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
  )
  told.catch(() => undefined) // it may come when nobody waits for it
  for (;;) {
    signal.throwIfAborted()
    try {
      const options = { taskQueue: taskQueues.light, workflowId, args: [input] }
      if (!started) await Promise.race([client.workflow.start(type, options), told])
      started = true
      return (await Promise.race([client.workflow.getHandle(workflowId).result(), told])) as T
    } catch (error) {
      if (error instanceof WorkflowFailedError || signal.aborted) throw error
      // An earlier try whose answer was lost.
      if (error instanceof WorkflowExecutionAlreadyStartedError) started = true
      await sleep(500)
    }
  }
}

/**
 * Two lanes, each with a sweep after another, until `enough` says so; resolves with how many ran. A lane that is late
 * finishes its sweep: a half one could not be compared.
 */
export async function keepBusy(run: (number: number) => Promise<void>, enough: (begun: number) => boolean) {
  let begun = 0
  const lane = async () => {
    while (!enough(begun)) await run(++begun)
  }
  await Promise.all([lane(), lane()])
  return begun
}

/** What the sweep's workflow returns, as far as it matters here. */
export interface SweepResult {
  readonly failed: number
}
