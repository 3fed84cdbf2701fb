import { expect, test } from 'vitest'
import { isManifest, keptSteps } from '../../activities/checkpoint/manifests.ts'

const whole = (...steps: number[]) => steps.map((step) => ({ step, isWhole: true }))
const weights = (...steps: number[]) => steps.map((step) => ({ step, isWhole: false }))

test.each([
  ['nothing but step 0', whole(0), 1, [0]],
  [
    'before the first whole one all are needed for a replay',
    [...whole(0), ...weights(1, 2, 3)],
    1,
    [0, 1, 2, 3],
  ],
  ['the newest whole one and what follows it', [...whole(0, 4), ...weights(1, 2, 3, 5, 6)], 1, [0, 4, 5, 6]],
  ['the newest two', [...whole(0, 2, 4, 6), ...weights(1, 3, 5, 7)], 2, [0, 4, 6, 7]],
  ['step 0 stays beside them', whole(0, 1, 2, 3), 3, [0, 1, 2, 3]],
  ['fewer than are kept', whole(0, 1), 5, [0, 1]],
  ['in any order', whole(6, 0, 4, 2), 1, [0, 6]],
])('kept: %s', (_, checkpoints, keep, expected) => {
  expect([...keptSteps(checkpoints, keep)].sort((a, b) => a - b)).toEqual(expected)
})

test.each([
  ['models/a.json', true],
  ['runs/a/checkpoints/000001.json', true],
  ['anything/of/a/later/version.json', true],
  ['runs/a/run.json', false],
  ['runs/a/steps/000001/metrics.json', false],
  ['evaluations/a.json', false],
  ['surveys/a/0/000000.json', false], // its digests are notes, not names
  ['store.json', false],
  ['labels/a.parquet', false],
  ['blobs/sha256/ab/c.json', false],
])('%s is read for what it names: %s', (key, expected) => {
  expect(isManifest(key)).toBe(expected)
})
