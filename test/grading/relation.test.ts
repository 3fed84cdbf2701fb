/** Relations that have a direction, sets by their names, and what "and" and "or" say between statements: asked both ways. */
import { describe, expect, it } from 'vitest'
import { equivalent } from '../../activities/grading/index.ts'

type Row = readonly [gold: string, given: string, equal: boolean, why: string]

const rows: Readonly<Record<string, readonly Row[]>> = {
  'sets by their names': [
    ['x\\in\\mathbb{Z}', 'x\\in\\mathbb{N}', false, 'another set'],
    ['x\\in\\mathbb{Z}', '$x \\in Z$', true, 'the same set'],
    ['x\\in A', 'x\\in B', false, 'another set'],
    ['x\\in A', 'y\\in A', false, 'another element'],
    ['x\\in\\mathbb{Z}', 'x\\in[0,1]', false, 'a set by its name beside an interval'],
    ['k\\pi, k\\in\\mathbb{Z}', 'k\\pi, k\\in\\mathbb{N}', false, 'another set of k'],
    ['k\\pi, k\\in\\mathbb{Z}', 'n\\pi, n\\in\\mathbb{Z}', true, 'another name for k'],
    ['x=2k\\pi, k\\in\\mathbb{Z}', 'x=2k\\pi, k\\in\\mathbb{N}', false, 'another set of k'],
    ['x=2k\\pi, k\\in\\mathbb{Z}', 'x=2n\\pi, n\\in\\mathbb{Z}', true, 'another name for k'],
  ],
}

describe.each(Object.entries(rows))('%s', (_, all) => {
  it.each(all)('%j and %j: %j, %s', (gold, given, equal) => {
    expect(equivalent(gold, given)).toBe(equal)
    expect(equivalent(given, gold)).toBe(equal)
  })
})
