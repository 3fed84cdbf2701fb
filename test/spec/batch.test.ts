import { describe, expect, it } from 'vitest'
import { batchOf, cut, shardsOf } from '../../activities/spec/batch.ts'
import { resolveTrain } from '../../activities/spec/resolve.ts'

const spec = resolveTrain({
  preset: 'demo',
  model: 'm',
  reward: 'format',
  seed: 5,
  batch: { problems: 4, group: 2 },
})
const problems = Array.from({ length: 6 }, (_, i) => ({ id: `p${i}`, problem: `${i}`, answer: `${i}` }))
const ids = (step: number) =>
  batchOf(problems, spec, step).map(({ problem, occurrence }) => `${problem.id}#${occurrence}`)

describe('the batch of a step', () => {
  it('is a function of seed and step', () => {
    expect(ids(3)).toEqual(ids(3))
    expect(batchOf(problems, { ...spec, seed: 6 }, 1)).not.toEqual(batchOf(problems, spec, 1))
  })

  it('sees every problem once an epoch: 6 problems in 3 steps of 4 are two epochs', () => {
    const seen = [1, 2, 3].flatMap(ids).map((id) => id.split('#')[0] ?? '')
    expect([...new Set(seen.slice(0, 6))]).toHaveLength(6)
    expect([...new Set(seen.slice(6))]).toHaveLength(6)
  })

  it('numbers the occurrences of a problem that comes round again within the batch', () => {
    const alone = batchOf(problems.slice(0, 1), spec, 1)
    expect(alone.map(({ occurrence }) => occurrence)).toEqual([0, 1, 2, 3])
  })
})

describe('shards', () => {
  it('are planned from the spec: 64 problems x 16 samples in 4 shards of 16 problems', () => {
    const paper = resolveTrain({ model: 'm', reward: 'format' })
    expect(shardsOf(paper)).toEqual([0, 16, 32, 48].map((from) => ({ from, to: from + 16 })))
  })

  it('cover every place once, the last one shorter', () => {
    expect(cut(5, 128)).toEqual([
      { from: 0, to: 2 },
      { from: 2, to: 4 },
      { from: 4, to: 5 },
    ])
  })
})
