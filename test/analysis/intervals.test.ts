import { describe, expect, it } from 'vitest'
import {
  accuracyInterval,
  bootstrapInterval,
  crossedInterval,
  mean,
  studentInterval,
  wilson,
} from '../../activities/analysis/intervals.ts'
import { normal95, student95 } from '../../activities/analysis/student.ts'
import { stream } from '../../activities/seed.ts'

describe("Student's t", () => {
  it.each([
    [1, 12.7062],
    [2, 4.30265],
    [3, 3.18245],
    [10, 2.22814],
    [30, 2.04227],
    [1000, 1.96234],
  ])('at %d degrees of freedom is the printed %d', (freedom, printed) => {
    expect(student95(freedom)).toBeCloseTo(printed, 4)
  })

  it('falls with the degrees of freedom, between whole ones too, down to the normal', () => {
    const points = [0.7, 1, 1.5, 2, 2.5, 100, 1e6, 1e9].map(student95)
    expect(points).toEqual([...points].sort((a, b) => b - a))
    expect(points.at(-1)).toBe(normal95)
  })

  it('refuses degrees of freedom that are not positive', () => {
    expect(() => student95(0)).toThrow('expected > 0, found 0')
  })
})

describe("Wilson's interval", () => {
  // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %d in %d is the published one', (successes, trials, low, high) => {
    const interval = wilson(successes, trials)
    expect(interval.low).toBeCloseTo(low, 4)
    expect(interval.high).toBeCloseTo(high, 4)
  })

  it('refuses more successes than trials', () => {
    expect(() => wilson(3, 2)).toThrow('found 3 of 2')
  })
})

describe('the accuracy of one evaluation', () => {
  const shares = Array.from({ length: 40 }, (_, i) => (i < 30 ? 1 : 0))

  it('with one sample a problem is Wilson’s interval: 30 of 40', () => {
    const { value, low, high } = accuracyInterval(shares, 1)
    expect(value).toBe(0.75)
    expect({ low, high }).toEqual(wilson(30, 40))
  })

  it('learns nothing from four samples that always agree', () => {
    expect(accuracyInterval(shares, 4)).toEqual(accuracyInterval(shares, 1))
  })

  it('counts four samples as four problems at most: 40 shares of one half are Wilson’s 80 of 160', () => {
    const half = accuracyInterval(
      shares.map(() => 0.5),
      4,
    )
    expect(half.low).toBeCloseTo(wilson(80, 160).low, 12)
  })

  it('keeps a width when everything is right, and its end at 1', () => {
    const { low, high } = accuracyInterval(
      shares.map(() => 1),
      8,
    )
    expect(high).toBe(1)
    expect(low).toBeCloseTo(wilson(40, 40).low, 12)
  })

  it.each([1, 4])(
    'covers the true accuracy in about 95% of 600 evaluations, samples a problem: %d',
    (samples) => {
      const covered = Array.from({ length: 600 }, (_, round) => {
        const next = numbers(round, `accuracy ${samples}`)
        const drawn = Array.from({ length: 100 }, () => {
          const p = next.uniform() // the problem's own chance; 1/2 on average
          return mean(Array.from({ length: samples }, () => (next.uniform() < p ? 1 : 0)))
        })
        return within(accuracyInterval(drawn, samples), 0.5)
      })
      expect(mean(covered)).toBeGreaterThan(0.92)
      expect(mean(covered)).toBeLessThan(0.98)
    },
  )
})

describe('a mean over seeds and problems', () => {
  it('adds what seeds and what problems do, each with its own t: [[0, 2, 4], [1, 3, 8]]', () => {
    // means: seeds 2, 4; problems .5, 2.5, 6; all 3. residuals ±(.5, .5, -1).
    // MS: seeds 3·(1 + 1) / 1 = 6, problems 2·(6.25 + .25 + 9) / 2 = 15.5, rest 2·(.25 + .25 + 1) / 2 = 1.5.
    // V: seeds 6 / 6 = 1, problems (15.5 - 1.5) / 6 = 7/3; t weighted 3 : 7.
    const half = (0.3 * student95(1) + 0.7 * student95(2)) * Math.sqrt(10 / 3)
    const { value, low, high, allows } = crossedInterval([
      [0, 2, 4],
      [1, 3, 8],
    ])
    expect([value, allows]).toEqual([3, 'seeds and problems'])
    expect(low).toBeCloseTo(3 - half, 9)
    expect(high).toBeCloseTo(3 + half, 9)
  })

  it('is the t interval over seed means where problems add nothing: [[1, 0], [3, 4]]', () => {
    // means: seeds .5, 3.5; problems 2, 2. MS: problems 0, rest 1, so their part is 0 and not negative.
    const { low, high } = crossedInterval([
      [1, 0],
      [3, 4],
    ])
    expect(low).toBeCloseTo(2 - 1.5 * student95(1), 9)
    expect(high).toBeCloseTo(2 + 1.5 * student95(1), 9)
  })

  it('allows for problems alone when there is one seed, and says so', () => {
    const row = [0, 0, 1, 1, 1]
    expect(crossedInterval([row])).toEqual(studentInterval(row, 'problems'))
    expect(crossedInterval([row]).allows).toBe('problems')
  })

  it('has no interval for a single number', () => {
    expect(crossedInterval([[0.4]])).toEqual({ value: 0.4, low: null, high: null, allows: 'nothing' })
  })

  it('has no width where nothing differs', () => {
    expect(crossedInterval([[0, 0], [0, 0]])).toMatchObject({ value: 0, low: 0, high: 0 }) // prettier-ignore
  })

  it('refuses seeds with different numbers of problems', () => {
    expect(() => crossedInterval([[1, 2], [1]])).toThrow('expected 2 problems for every seed')
  })

  // 600 rounds: the standard error of a coverage is 0.9 points.
  it.each([
    { seeds: 2, problems: 60, ofSeed: 0.05, ofProblem: 0.3, ofRest: 0.3 },
    { seeds: 2, problems: 60, ofSeed: 0.2, ofProblem: 0, ofRest: 0.45 },
    { seeds: 3, problems: 100, ofSeed: 0, ofProblem: 0.3, ofRest: 0.4 },
    { seeds: 3, problems: 60, ofSeed: 0.2, ofProblem: 0.3, ofRest: 0.3 },
    { seeds: 5, problems: 100, ofSeed: 0.02, ofProblem: 0.3, ofRest: 0.4 },
  ])(
    'covers the truth in about 95% of simulations with standard deviations $ofSeed, $ofProblem, $ofRest and $seeds seeds',
    ({ seeds, problems, ofSeed, ofProblem, ofRest }) => {
      const covered = Array.from({ length: 600 }, (_, round) => {
        const next = numbers(round, `crossed ${seeds} ${problems} ${ofSeed}`)
        const effects = Array.from({ length: problems }, () => ofProblem * next.normal())
        const values = Array.from({ length: seeds }, () => {
          const effect = ofSeed * next.normal()
          return effects.map((other) => effect + other + ofRest * next.normal())
        })
        return within(crossedInterval(values), 0)
      })
      expect(mean(covered)).toBeGreaterThan(0.925)
      expect(mean(covered)).toBeLessThan(0.985)
    },
  )

  it('holds where seeds share one evaluated baseline, and a t interval over seed means does not', () => {
    const rounds = Array.from({ length: 400 }, (_, round) => {
      const next = numbers(round, 'baseline')
      const chance = Array.from({ length: 100 }, () => next.uniform())
      const baseline = chance.map((p) => (next.uniform() < p ? 1 : 0)) // one draw, subtracted from every seed
      const gains = Array.from({ length: 3 }, () =>
        chance.map((p, i) => (next.uniform() < p ? 1 : 0) - baseline[i]!),
      )
      return [
        within(crossedInterval(gains), 0),
        within(studentInterval(gains.map(mean), 'seeds'), 0),
      ] as const
    })
    expect(mean(rounds.map(([crossed]) => crossed))).toBeGreaterThan(0.925)
    expect(mean(rounds.map(([, seedsOnly]) => seedsOnly))).toBeLessThan(0.9)
  })
})

describe('the bootstrap over problems', () => {
  const values = Array.from({ length: 100 }, (_, i) => (i * 37) % 100)
  const average = (indices: readonly number[]) => mean(indices.map((i) => values[i]!))

  it('agrees with Student’s interval on a mean', () => {
    const { value, low, high } = bootstrapInterval(100, average)
    const student = studentInterval(values, 'problems')
    expect(value).toBe(49.5)
    expect(Math.abs(low! - student.low!)).toBeLessThan(0.6)
    expect(Math.abs(high! - student.high!)).toBeLessThan(0.6)
  })

  it('is the same for the same seed and another for another', () => {
    const at = (seed: number) => bootstrapInterval(100, average, { seed, rounds: 200 })
    expect(at(1)).toEqual(at(1))
    expect(at(1)).not.toEqual(at(2))
  })

  it('leaves out resamples whose statistic is not a number, and gives up when most are', () => {
    expect(bootstrapInterval(100, () => NaN, { rounds: 50 }).low).toBeNull()
  })
})

/** Fixed random numbers of a simulation's round, taken one after the other. */
function numbers(round: number, simulation: string) {
  const uniform = stream({ seed: 7, purpose: 'bootstrap', step: round, problem: simulation })
  const normal = stream({ seed: 8, purpose: 'bootstrap', step: round, problem: simulation })
  let [u, n] = [0, 0]
  return { uniform: () => uniform.uniform(u++), normal: () => normal.normal(n++) }
}

const within = ({ low, high }: { low: number | null; high: number | null }, truth: number) =>
  low !== null && high !== null && low <= truth && truth <= high ? 1 : 0
