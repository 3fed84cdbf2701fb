import { describe, expect, it } from 'vitest'
import { parseJson } from '../../activities/faults/json.ts'

describe('JSON of a file', () => {
  it.each(['{}', ' [1, -2.5e3, "a\\u00e9\\n", true, false, null, {"a": {}}] ', '"x"', '0'])(
    '%s is its value',
    (text) => expect(parseJson(text, { distinctKeys: true })).toEqual({ value: JSON.parse(text) as unknown }),
  )

  it.each([
    ['root:x:0:0', 'line 1, column 1: expected a value'],
    ['aws_secret = 1', 'line 1, column 1: expected a value'],
    ['{"a": 1,\n "b": hunter2}', 'line 2, column 7: expected a value'],
    ['{"a" 1}', 'line 1, column 6: expected a colon'],
    ['{"a": 1 "b"', 'line 1, column 9: expected , or }'],
    ['{"a": 1,}', 'line 1, column 9: expected a key'],
    ['{a: 1}', 'line 1, column 2: expected a key or }'],
    ['[1 2]', 'line 1, column 4: expected , or ]'],
    ['[1,]', 'line 1, column 4: expected a value'],
    ['{"a": [1', 'its end (line 1, column 9): expected , or ]'],
    ['{"a": "hunt', 'its end (line 1, column 12): expected the end of a text'],
    ['"a\\x"', 'line 1, column 4: expected an escape that JSON has'],
    ['"a\nb"', 'line 1, column 3: expected no control character within a text'],
    ['{} hunter2', 'line 1, column 4: expected nothing more'],
    ['01', 'line 1, column 2: expected nothing more'],
    ['', 'the file is empty'],
    [' \n', 'the file is empty'],
  ])('%j is told by its place: %s', (text, fault) => {
    expect(parseJson(text)).toEqual({ fault })
    expect(parseJson(text, { distinctKeys: true })).toEqual({ fault })
  })

  it('with a key twice in one object is its last value, or a fault where keys must differ', () => {
    const twice = '{"a": {"x": 1}, "b": {"x": 2},\n "\\u0061": 3}'
    expect(parseJson(twice)).toEqual({ value: { a: 3, b: { x: 2 } } })
    expect(parseJson(twice, { distinctKeys: true })).toEqual({
      fault: 'line 2, column 2: expected a key that its object does not have yet',
    })
  })

  it('nested 1,000,000 deep is read through without a stack', () => {
    const deep = '['.repeat(1e6)
    expect(parseJson(deep)).toEqual({ fault: 'its end (line 1, column 1000001): expected a value or ]' })
  })
})
