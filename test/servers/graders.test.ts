/** A run that goes on under another grader than its earlier steps', with real workers: it says so, and nothing is lost. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import * as keys from '../../activities/checkpoint/keys.ts'
import { openStore } from '../../activities/checkpoint/open.ts'
import { requireTable, rewardsTable, rolloutsTable, writeTable } from '../../activities/checkpoint/tables.ts'
import { GRADER_VERSION } from '../../activities/grading/index.ts'
import { rewardInputs } from '../../activities/judged.ts'
import { taskQueues } from '../../temporal.config.ts'
import type { train } from '../../workflows/train.ts'
import { Fleet, startGrounds, type Grounds } from './fleet.ts'

let grounds: Grounds
beforeAll(async () => void (grounds = await startGrounds('graders')))
afterAll(() => grounds.close())

const spec = {
  preset: 'demo',
  model: 'nano/coder',
  reward: 'ground-truth',
  steps: 2,
  batch: { problems: 2, group: 4, minibatch: 8 },
  sampling: { maxTokens: 16 },
  evaluate: { benchmarks: [] },
}
const note = `Graders: rewards were given by more than one version, of steps 1 to 2 by placebo-2, from step 3 on by ${GRADER_VERSION}`

it('names both and from which step, in details, progress and result, and so does every later start', async () => {
  const fleet = new Fleet(grounds, 'graders')
  const start = (input: unknown) =>
    grounds.client.workflow.start<typeof train>('train', {
      taskQueue: taskQueues.light,
      workflowId: 'r',
      args: [input],
    })
  const execute = async (input: unknown) => fleet.orBroken((await start(input)).result())
  try {
    await Promise.all([fleet.add('light'), fleet.add('compute')])
    expect(await execute(spec)).not.toHaveProperty('notes')
    const store = await openStore(pathToFileURL(join(fleet.home, 'store')).href)
    for (const step of [1, 2]) {
      const rollouts = await requireTable(store, keys.rollouts('r', step, 0), rolloutsTable)
      const key = keys.rewards('r', step, 0)
      const { rows } = await requireTable(store, key, rewardsTable)
      const earlier = rewardInputs(rollouts.digest, 'ground-truth', 'placebo-2')
      await writeTable(store, key, rewardsTable, rows, earlier, { replace: true })
    }
    const longer = await start({ ...spec, steps: 4 })
    expect(await fleet.orBroken(longer.result())).toMatchObject({ steps: 4, notes: [note] })
    expect(await longer.query('progress')).toMatchObject({ notes: [note] })
    const { currentDetails } = await longer.query<{ currentDetails: string }, []>(
      '__temporal_workflow_metadata',
    )
    expect(currentDetails).toContain(note)
    const samples = await longer.query<object[], []>('samples')
    expect(samples).toHaveLength(3)
    for (const sample of samples)
      expect(sample).toMatchObject({
        step: 4,
        statement: expect.stringMatching(/\d/) as string,
        completion: expect.any(String) as string,
        verdict: expect.stringMatching(/^(correct|incorrect|unparsed)$/) as string,
      })
    // A later start reads it from the store: nothing is computed, and its completions are still to be looked at.
    const again = await start({ ...spec, steps: 4 })
    expect(await fleet.orBroken(again.result())).toMatchObject({ steps: 4, notes: [note] })
    expect(await again.query('samples')).toEqual(samples)
  } finally {
    await fleet.stop()
  }
})
