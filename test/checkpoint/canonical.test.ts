import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonical, digestOf } from '../../activities/checkpoint/canonical.ts'

test('keys are sorted by code units at every depth, without white space', () => {
  expect(canonical({ b: [1, { d: null, c: 'é' }], a: true, B: 1e21 })).toBe(
    '{"B":1e+21,"a":true,"b":[1,{"c":"é","d":null}]}',
  )
})

test('a property that is undefined is as one that is not there', () => {
  expect(canonical({ a: 1, b: undefined })).toBe(canonical({ a: 1 }))
})

test('what JSON cannot hold is an error that names its path', () => {
  expect(() => canonical({ metrics: [{ loss: NaN }] })).toThrow('$.metrics[0].loss is NaN')
  expect(() => canonical({ at: [1n] })).toThrow('$.at[0] is of type bigint')
})

test('the digest is SHA-256 of the text', () => {
  // printf '{"a":1}' | sha256sum
  expect(digestOf({ a: 1 })).toBe('015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862')
})

test('it reads back as the value it was, whatever the value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})
