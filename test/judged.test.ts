/** Who judged the steps of a run: rewards by hand, as workers of three versions of the grader left them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { digestOf } from '../activities/checkpoint/canonical.ts'
import { commit } from '../activities/checkpoint/documents.ts'
import * as keys from '../activities/checkpoint/keys.ts'
import { openStore } from '../activities/checkpoint/open.ts'
import type { Store } from '../activities/checkpoint/store.ts'
import { rewardsTable, writeTable } from '../activities/checkpoint/tables.ts'
import { CheckpointDocument, type Scored } from '../activities/contracts.ts'
import { policyOf } from '../activities/engine/embedded.ts'
import { graderAt, gradersUpTo, rewardInputs } from '../activities/judged.ts'

let folder: string
let store: Store
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-judged-'))
  store = await openStore(pathToFileURL(join(folder, 'store')).href)
})
afterEach(() => rm(folder, { recursive: true }))

const digest = digestOf('any')
const row: Scored = { problem: 'p', occurrence: 0, sample: 0, value: 1, verdict: 'correct', reason: '', components: {} } // prettier-ignore
const policy = policyOf(['config.json', 'model.safetensors'].map((name) => ({ name, digest, sizeBytes: 1 })))

/** A committed step whose rewards a grader gave. */
async function judgedBy(grader: string, step: number): Promise<void> {
  const rollouts = digestOf(['rollouts', step])
  const inputs = rewardInputs(rollouts, 'ground-truth', grader)
  const rewards = await writeTable(store, keys.rewards('r', step, 0), rewardsTable, [row], inputs)
  await commit(store, keys.checkpoint('r', step), CheckpointDocument, {
    format: 1,
    identity: digest,
    step,
    policy,
    checkpoint: { lineage: digest, optimizer: { name: 'sgd', updates: step, state: [] } },
    learntFrom: [{ rollouts, rewards: rewards.digest }],
  })
}

it('each grader is named with the first step that it judged', async () => {
  const by = ['placebo-1', 'placebo-2', 'placebo-2', 'placebo-2', 'placebo-3', 'placebo-3', 'placebo-3']
  for (const [i, grader] of by.entries()) await judgedBy(grader, i + 1)
  const spans = (to: number) => gradersUpTo(store, 'r', to, 'ground-truth')
  expect(await spans(7)).toEqual([
    { grader: 'placebo-1', from: 1 },
    { grader: 'placebo-2', from: 2 },
    { grader: 'placebo-3', from: 5 },
  ])
  expect(await spans(4)).toEqual([
    { grader: 'placebo-1', from: 1 },
    { grader: 'placebo-2', from: 2 },
  ])
  expect(await spans(1)).toEqual([{ grader: 'placebo-1', from: 1 }])
  expect(await spans(0)).toEqual([])
})

it('a grader that this build has never heard of is another version; of tables that are gone nothing is said', async () => {
  await judgedBy('placebo-99', 1)
  expect(await graderAt(store, 'r', 1, 'ground-truth')).toBe('another version')
  expect(await gradersUpTo(store, 'r', 2, 'ground-truth')).toEqual([])
})
