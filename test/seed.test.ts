import { describe, expect, it } from 'vitest'
import { philox, stream } from '../activities/seed.ts'

const hex = (words: Uint32Array) => [...words].map((w) => w.toString(16).padStart(8, '0')).join(' ')

describe('philox 4x32-10', () => {
  // Random123 1.14, tests/kat_vectors.
  it.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      '408f276d 41c83b0e a20bc7c6 6d5451fd',
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ] as const)('maps counter %j and key %j to the published words', (counter, key, words) => {
    expect(hex(philox(counter, key))).toBe(words)
  })
})

describe('a stream', () => {
  const at = { seed: 1, purpose: 'sample', step: 3, problem: 'p', occurrence: 0, sample: 2 } as const

  it('gives the same value for an index whatever was asked before', () => {
    const forwards = stream(at)
    const first = Array.from({ length: 20 }, (_, i) => forwards.uniform(i))
    const backwards = stream(at)
    expect(Array.from({ length: 20 }, (_, i) => backwards.uniform(19 - i)).reverse()).toEqual(first)
  })

  it('differs when any one coordinate differs', () => {
    const others = [
      { ...at, seed: 2 },
      { ...at, purpose: 'reward' as const },
      { ...at, step: 4 },
      { ...at, problem: 'q' },
      { ...at, occurrence: 1 },
      { ...at, sample: 3 },
    ]
    const heads = [at, ...others].map((c) => stream(c).bits(0))
    expect(new Set(heads).size).toBe(7)
  })

  it('has uniform numbers on the 24-bit grid with mean 1/2 and variance 1/12', () => {
    const s = stream(at)
    const u = Array.from({ length: 20000 }, (_, i) => s.uniform(i))
    expect(u.every((x) => x >= 0 && x < 1 && Number.isInteger(x * 2 ** 24))).toBe(true)
    const mean = u.reduce((a, b) => a + b) / u.length
    expect(mean).toBeCloseTo(0.5, 2)
    expect(u.reduce((a, b) => a + (b - mean) ** 2, 0) / u.length).toBeCloseTo(1 / 12, 2)
  })

  it('permutes: every number once, and not always in order', () => {
    const order = stream(at).permutation(100)
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    expect(order).not.toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  it('has normal numbers with mean 0 and variance 1', () => {
    const s = stream(at)
    const z = Array.from({ length: 20000 }, (_, i) => s.normal(i))
    expect(z.reduce((a, b) => a + b) / z.length).toBeCloseTo(0, 1)
    expect(z.reduce((a, b) => a + b * b) / z.length).toBeGreaterThan(0.9)
    expect(z.reduce((a, b) => a + b * b, 0) / z.length).toBeCloseTo(1, 1)
  })
})
