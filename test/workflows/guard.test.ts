/** What a workflow is started with is handed on to activities: what cannot be is answered, not tried for ever. */
import { expect, it } from 'vitest'
import { faultOf, startFault } from '../../workflows/guard.ts'

it('inputs of any use pass', () => {
  for (const input of [undefined, null, 'text', { model: 'nano/coder', evaluate: { benchmarks: ['nano'] } }])
    expect(faultOf(input)).toBeNull()
})

it('an input that no program could write down again is refused', () => {
  const deep: unknown = JSON.parse('{"not":'.repeat(100_000) + '1' + '}'.repeat(100_000))
  expect(() => JSON.stringify(deep)).toThrow(RangeError)
  expect(faultOf(deep)).toMatch(/^not.not.not.not.not.not.*: expected at most 64 objects and lists/)
})

it('so is one that grows beyond a payload when it is written down again', () => {
  // 20 characters come in, and 21 digits with a comma go out: 49,000 x 22 bytes and a bracket.
  const digits = (count: number): unknown =>
    JSON.parse(`[${Array.from({ length: count }, () => '123456789012345678e3').join()}]`)
  expect(faultOf(digits(30_000))).toBeNull()
  expect(faultOf(digits(49_000))).toBe('expected at most 1000000 bytes as JSON, found 1078001')
})

it('only a parent, or an earlier history, hands on more than the spec', () => {
  const parent = { workflowId: 'a', runId: 'b', namespace: 'default' }
  expect(startFault([], {})).toBeNull()
  expect(startFault([{}], {})).toBeNull()
  expect(startFault([{}, 5], { parent })).toBeNull()
  expect(startFault([{}, 5], { continuedFromExecutionRunId: 'b' })).toBeNull()
  expect(startFault([{}, 5], {})).toBe('expected one argument, the spec, found 2')
})
