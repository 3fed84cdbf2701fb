import { describe, expect, it } from 'vitest'
import { countsOf, kinds, planOf } from '../../infra/chaos/plan.ts'

describe('the plan of faults', () => {
  it('is a function of seed and minutes', () => {
    expect(planOf(7, 5)).toEqual(planOf(7, 5))
    expect(planOf(7, 5)).not.toEqual(planOf(8, 5))
    expect(planOf(7, 5)).not.toEqual(planOf(7, 6))
  })

  it('has every kind, however short the time', () => {
    expect(Object.values(countsOf(planOf(1, 0.1)))).toEqual(kinds.map(() => 1))
  })

  it('has as many of a kind as its rate and the minutes give: 5 minutes of 4 kills a minute are 20', () => {
    expect(countsOf(planOf(1, 5))).toMatchObject({ 'worker SIGKILL': 20, 'Temporal server kill -9': 3 })
    expect(countsOf(planOf(1, 10))['worker SIGKILL']).toBe(40)
  })

  it('takes another number of one kind without moving the others', () => {
    const more = planOf(7, 5, { 'worker SIGKILL': 200 })
    expect(countsOf(more)['worker SIGKILL']).toBe(200)
    const others = (faults: typeof more) => faults.filter(({ kind }) => kind !== 'worker SIGKILL')
    expect(others(more)).toEqual(others(planOf(7, 5)))
  })

  it('spreads the faults of a kind: one in each n-th of the time, in order of time overall', () => {
    const faults = planOf(3, 5)
    for (const kind of kinds) {
      const times = faults.filter((fault) => fault.kind === kind).map(({ atSeconds }) => atSeconds)
      expect(times.map((at) => Math.floor((at / 300) * times.length))).toEqual(times.map((_, i) => i))
    }
    expect(faults.map(({ atSeconds }) => atSeconds)).toEqual(
      faults.map(({ atSeconds }) => atSeconds).sort((a, b) => a - b),
    )
  })

  it('draws whom it strikes, and how much of it, evenly', () => {
    const draws = planOf(5, 100).flatMap(({ target, amount }) => [target, amount])
    expect(draws.every((draw) => draw >= 0 && draw < 1)).toBe(true)
    expect(draws.reduce((sum, draw) => sum + draw) / draws.length).toBeCloseTo(0.5, 1)
  })
})
