import { expect, it } from 'vitest'
import { essentialsOf } from '../../infra/essentials.ts'

const placed = (key: string) => `/store/${key}`
const at = (step: number, accuracy: number, benchmark = 'nano') => ({
  step, benchmark, prompt: 'plain', accuracy, low: accuracy - 0.04, high: accuracy + 0.05,
}) // prettier-ignore

it('of a run are its accuracies at both ends with their intervals, its notes and where its checkpoint lies', () => {
  const result = {
    run: 'first',
    curve: [at(0, 0.25), at(0, 0.5, 'amc'), at(5, 0.4), at(10, 0.625), at(10, 0.5, 'amc')],
    notes: ['Data: 3 statements come again'],
    stopped: { rule: 'entropy', step: 10, message: 'entropy below 1 for 2 steps' },
    checkpoint: 'runs/first/checkpoints/000010.json',
    metrics: { reward: 1 },
  }
  expect(essentialsOf(result, placed)).toEqual([
    'nano, prompt plain: 25.0% [21.0, 30.0] at step 0, 62.5% [58.5, 67.5] at step 10',
    'amc, prompt plain: 50.0% [46.0, 55.0] at step 0, 50.0% [46.0, 55.0] at step 10',
    'stopped: entropy below 1 for 2 steps',
    'note: Data: 3 statements come again',
    'checkpoint: /store/runs/first/checkpoints/000010.json',
  ])
})

it('of a sweep are its table and its report; of an evaluation its accuracies; of anything else its plain fields', () => {
  const sweep = { text: 'arm  gain\n', page: 'sweeps/s/report.html', failed: 0 }
  expect(essentialsOf(sweep, placed)).toEqual(['arm  gain', 'report: /store/sweeps/s/report.html'])
  expect(essentialsOf({ results: [at(0, 0.5)], deviceSeconds: 1 }, placed)).toEqual([
    'nano, prompt plain: 50.0% [46.0, 55.0]',
  ])
  expect(essentialsOf({ removed: 3, problems: [], deep: {} }, placed)).toEqual(['removed: 3'])
})

it('of what is no result are none', () => {
  for (const result of [undefined, null, 3, 'text', [1], { curve: [null, 3, {}], notes: 7, stopped: null }])
    expect(essentialsOf(result, placed)).toEqual([])
})
