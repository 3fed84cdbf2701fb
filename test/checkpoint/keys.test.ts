import { expect, test } from 'vitest'
import * as keys from '../../activities/checkpoint/keys.ts'

const digest = 'ab'.repeat(32)

test('every key of the layout', () => {
  const run = 'sweep-1:coder/random'.replace('/', '.')
  expect([
    keys.store,
    keys.blob(digest),
    keys.spec(digest),
    keys.model(digest),
    keys.data(digest),
    keys.pretrain(digest),
    keys.evaluation(digest),
    keys.completions(digest, 3),
    keys.labels(digest),
    keys.labelsTable(digest),
    keys.votes(digest, 2),
    keys.scores(digest),
    keys.probe(digest),
    keys.run(run),
    keys.steps(run),
    keys.rollouts(run, 12, 0),
    keys.rewards(run, 12, 10),
    keys.metrics(run, 12),
    keys.provenance(run, 12),
    keys.runEvaluation(run, 0, 'math-500'),
    keys.checkpoints(run),
    keys.checkpoint(run, 1234567),
    keys.sweepResults('s'),
    keys.sweepReport('s'),
    keys.blobs('a'),
    keys.surveys(),
    keys.surveys('id'),
    keys.surveyed('id', 'a'),
    keys.surveyPage('id', 'a', 7),
  ]).toEqual([
    'store.json',
    `blobs/sha256/ab/${digest}`,
    `specs/${digest}.json`,
    `models/${digest}.json`,
    `data/${digest}.json`,
    `pretrain/${digest}.json`,
    `evaluations/${digest}.json`,
    `completions/${digest}/completions-03.parquet`,
    `labels/${digest}.json`,
    `labels/${digest}.parquet`,
    `labels/${digest}/votes-02.parquet`,
    `scores/${digest}.parquet`,
    `probes/${digest}.json`,
    'runs/sweep-1:coder.random/run.json',
    'runs/sweep-1:coder.random/steps/',
    'runs/sweep-1:coder.random/steps/000012/rollouts-00.parquet',
    'runs/sweep-1:coder.random/steps/000012/rewards-10.parquet',
    'runs/sweep-1:coder.random/steps/000012/metrics.json',
    'runs/sweep-1:coder.random/steps/000012/provenance.json',
    'runs/sweep-1:coder.random/steps/000000/evaluation-math-500.json',
    'runs/sweep-1:coder.random/checkpoints/',
    'runs/sweep-1:coder.random/checkpoints/1234567.json',
    'sweeps/s/results.parquet',
    'sweeps/s/report/index.html',
    'blobs/sha256/a',
    'surveys/',
    'surveys/id/',
    'surveys/id/a/',
    'surveys/id/a/000007.json',
  ])
})

test('the step of a key is read back from it', () => {
  expect(keys.stepOf(keys.checkpoint('a', 12))).toBe(12)
  expect(keys.stepOf(keys.metrics('a', 1234567))).toBe(1234567)
  expect(() => keys.stepOf(keys.run('a'))).toThrow("expected a step's or a checkpoint's")
})

test('an id that would leave its folder is refused, with what was expected', () => {
  for (const id of ['', '..', '../b', 'a/b', '.hidden', 'a b', 'a\n', 'é'])
    expect(() => keys.run(id)).toThrow(/cannot be part of a key: expected letters/)
  for (const key of ['', 'AB'.repeat(32), 'ab', '../'.repeat(21)])
    expect(() => keys.blob(key)).toThrow('a SHA-256 digest')
  for (const step of [-1, 1.5, NaN, Infinity])
    expect(() => keys.checkpoint('a', step)).toThrow('expected 0 or more, whole')
  expect(() => keys.runEvaluation('a', 1, '../x')).toThrow('expected lower-case letters')
})
