/** Children that fail beside their run, and what becomes of the run: an end by name or a note, never a task that fails for ever. */
import { WorkflowFailedError } from '@temporalio/client'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Cell, StepTask } from '../../activities/contracts.ts'
import { taskQueues } from '../../temporal.config.ts'
import type { train } from '../../workflows/train.ts'
import { compute, light, spec, startServer, type Server } from './handmade.ts'

let server: Server
beforeAll(async () => void (server = await startServer('wedge')))
afterAll(() => server.close())

/** A promise that a test resolves. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open }
}

const start = (workflowId: string, input: unknown) =>
  server.environment.client.workflow.start<typeof train>('train', {
    taskQueue: taskQueues.light,
    workflowId,
    args: [input],
  })
const child = (id: string) => server.environment.client.workflow.getHandle(`${id}:evaluate:0`)

/** Evaluations and steps wait until the body tells them to go on, or is over: both are open while the child is struck. */
async function held(body: (begun: Promise<unknown>, open: () => void) => Promise<void>): Promise<void> {
  const { opened, open } = gate()
  const begun = { complete: gate(), step: gate() }
  const waiting = {
    ...compute,
    complete: async () => {
      begun.complete.open()
      await opened
      return compute.complete()
    },
    step: async (task: Parameters<typeof compute.step>[0]) => {
      begun.step.open()
      await opened
      return compute.step(task)
    },
  }
  const both = Promise.all([begun.complete.opened, begun.step.opened])
  await server.serving({ light, compute: waiting }, () => body(both, open).finally(open))
}

/** The causes of a failed workflow, outermost first. */
async function failureOf(result: Promise<unknown>): Promise<Error[]> {
  const error = await result.then(
    () => undefined,
    (error: unknown) => error,
  )
  const causes: Error[] = []
  for (
    let at = error instanceof WorkflowFailedError ? error.cause : undefined;
    at;
    at = at.cause as Error | undefined
  )
    causes.push(at)
  return causes
}

it('a run whose evaluation is terminated beside a step fails at once, naming step, child and cause', async () => {
  await held(async (begun) => {
    const handle = await start('struck', spec)
    await begun // both are open
    await child('struck').terminate('by hand')
    // The step is still open: the run does not wait for it.
    const [failure] = await failureOf(handle.result())
    expect(failure).toBeInstanceOf(ApplicationFailure)
    expect(failure).toMatchObject({ type: 'EvaluationFailed', nonRetryable: true })
    expect(failure?.message).toMatch(
      /^the evaluation at step 0 \(struck:evaluate:0\) failed: it was terminated$/,
    )
    const { events } = await handle.fetchHistory()
    expect(events?.filter((event) => event.workflowTaskFailedEventAttributes)).toEqual([])
  })
})

it('an evaluation that is not required is a note of its run, which goes on without the point', async () => {
  await held(async (begun, open) => {
    const handle = await start('optional', { ...spec, evaluate: { ...spec.evaluate, required: false } })
    await begun
    await child('optional').terminate('by hand')
    const note = /^No evaluation at step 0 \(optional:evaluate:0\): it was terminated$/
    open()
    const result = await handle.result()
    expect(result).toMatchObject({ steps: 2, policy: 'p2' })
    expect(result.curve.map(({ step }) => step)).toEqual([2])
    expect(result.notes).toEqual([expect.stringMatching(note)])
    expect(await handle.query('progress')).toMatchObject({ phase: 'done', notes: result.notes })
    const metadata = await handle.query<{ currentDetails?: string }, []>('__temporal_workflow_metadata')
    expect(metadata.currentDetails).toContain(result.notes?.[0])
  })
})

it('an activity of an evaluation that fails for good is named in its run’s end', async () => {
  const failing = { ...compute, complete: async () => Promise.reject(ApplicationFailure.nonRetryable('a blob is torn', 'CorruptObject')) } // prettier-ignore
  await server.serving({ light, compute: failing }, async () => {
    const causes = await failureOf((await start('torn', spec)).result())
    expect(causes[0]?.message).toBe(
      'the evaluation at step 0 (torn:evaluate:0) failed: CorruptObject: a blob is torn',
    )
    expect(causes.at(-1)).toMatchObject({ type: 'CorruptObject' })
  })
})

it.each([true, false])(
  'a cancelled run ends as cancelled while it evaluates, required or not: %s',
  async (required) => {
    await held(async (begun) => {
      const id = `cancelled-${required}`
      const handle = await start(id, { ...spec, evaluate: { ...spec.evaluate, required } })
      await begun
      await handle.cancel()
      const [failure] = await failureOf(handle.result())
      expect(failure).toBeInstanceOf(CancelledFailure)
      expect((await handle.describe()).status.name).toBe('CANCELLED')
    })
  },
)

it('an evaluation that somebody else cancelled does not end its run as cancelled', async () => {
  await held(async (begun) => {
    const handle = await start('bereft', spec)
    await begun
    await child('bereft').cancel()
    const [failure] = await failureOf(handle.result())
    expect(failure).toMatchObject({ type: 'EvaluationFailed' })
    expect((await handle.describe()).status.name).toBe('FAILED')
  })
})

it('a run of a sweep that somebody cancelled is a row of it, and a sweep that was cancelled ends as cancelled', async () => {
  const cells = [1, 2].map((seed) => ({ run: `s:${seed}`, model: 'm', arm: 'a', seed }))
  const ofSweep = {
    admitSweep: async () => ({
      total: 2,
      initial: [],
      labels: [],
      concurrency: 2,
      attributes: [],
      missing: [],
    }),
    planCells: async ({ from }: { from: number }) =>
      cells
        .slice(from)
        .map((cell) => ({ ...cell, spec: { ...spec, evaluate: { benchmarks: [] } }, priority: 3 })),
    report: async ({ cells }: { cells: Cell[] }) => cells.map(({ run, status }) => `${run} ${status}`),
  }
  const { workflow } = server.environment.client
  const sweep = () => workflow.start('sweep', { taskQueue: taskQueues.light, workflowId: 's', args: [{}] })
  const running = async (id: string) =>
    (
      await workflow
        .getHandle(id)
        .describe()
        .catch(() => null)
    )?.status.name
  for (const whole of [false, true]) {
    const { opened, open } = gate()
    const waiting = { ...compute, step: async (task: StepTask) => (await opened, compute.step(task)) }
    await server.serving({ light: { ...light, ...ofSweep }, compute: waiting }, async () => {
      const handle = await sweep()
      for (const { run } of cells) await expect.poll(() => running(run), { timeout: 30_000 }).toBe('RUNNING')
      await workflow.getHandle(whole ? 's' : 's:1').cancel()
      if (!whole) await expect.poll(() => running('s:1'), { timeout: 30_000 }).toBe('CANCELLED')
      open()
      if (whole) expect((await failureOf(handle.result()))[0]).toBeInstanceOf(CancelledFailure)
      else expect(await handle.result()).toEqual(['s:1 failed', 's:2 completed'])
    })
  }
})
