import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../activities/onnx/graph.ts'
import { print } from '../../activities/onnx/print.ts'
import { f32, run, spread } from './run.ts'

describe('a graph', () => {
  it('prints as one line a node, with types and shapes', () => {
    const g = new GraphBuilder('mlp')
    const x = g.input('x', 'f32', ['B', 4])
    const w = g.weight('w', 'f32', [4, 2], { location: 'model.safetensors', offset: 128, sizeBytes: 32 })
    const mask = g.constant(new Float32Array(9), [9], 'mask')
    g.output('y', g.softmax(g.mul(g.matmul(x, w), g.f32(0.5))))
    g.output('mask', mask)
    expect(print(g.finish())).toBe(`graph mlp
  input x f32[B,4]
  weight w f32[4,2] at model.safetensors:128 (32 bytes)
  constant mask f32[9]
  MatMul_0 f32[B,2] = MatMul(x, w)
  Mul_1 f32[B,2] = Mul(MatMul_0, 0.5)
  Softmax_2 f32[B,2] = Softmax(Mul_1) axis=-1
  output y = Softmax_2
  output mask
`)
  })

  it('makes equal nodes and equal constants once', () => {
    const g = new GraphBuilder('shared')
    const x = g.input('x', 'f32', [2])
    expect(g.exp(g.mul(x, g.f32(2)))).toBe(g.exp(g.mul(x, g.f32(2))))
    expect(g.i64(1, 2)).toBe(g.constant(BigInt64Array.of(1n, 2n)))
    expect(g.f32(1)).not.toBe(g.constant(Float32Array.of(1))) // a scalar and a list
    expect(g.f32(0)).not.toBe(g.f32(-0)) // 1 / x tells them apart
  })

  it('drops what no output needs, but keeps its inputs: they are its signature', () => {
    const g = new GraphBuilder('dropped')
    const [x, unused] = [g.input('x', 'f32', [2]), g.input('unused', 'f32', [2])]
    g.exp(g.mul(unused, g.f32(7)))
    g.output('y', g.neg(x))
    expect(print(g.finish())).toBe(`graph dropped
  input x f32[2]
  input unused f32[2]
  Neg_2 f32[2] = Neg(x)
  output y = Neg_2
`)
  })

  it('refuses a name twice and a graph without outputs', () => {
    const g = new GraphBuilder('names')
    const x = g.input('x', 'f32', [2])
    expect(() => g.input('x', 'f32', [2])).toThrow('graph names: the name x is taken')
    expect(() => g.finish()).toThrow('graph names: no outputs')
    g.output('y', x)
    expect(() => g.output('y', x)).toThrow('output: the name y is taken')
    expect(() => g.output('x', g.neg(x))).toThrow('output: the name x is taken')
  })
})

describe('shape errors say where, what was expected and what was found', () => {
  const g = new GraphBuilder('errors')
  const [a, b] = [g.input('a', 'f32', [2, 3]), g.input('b', 'f32', [4, 5])]
  const [n, m] = [g.input('n', 'f32', ['N', 3]), g.input('m', 'f32', ['M', 3])]
  const ids = g.input('ids', 'i64', [2, 3])
  it.each<[string, () => unknown, string]>([
    ['inner sizes', () => g.matmul(a, b), 'matmul: inner dims differ, left [2,3], right [4,5]'],
    [
      'inner sizes, transposed',
      () => g.op('Gemm', [a, b], { transA: true }),
      'gemm: inner dims differ, left [2,3] transposed, right [4,5]',
    ],
    [
      'rank',
      () => g.op('Gemm', [g.unsqueeze(a, 0), b]),
      'gemm: expected a matrix, found Unsqueeze_0 [1,2,3]',
    ],
    ['broadcast', () => g.add(a, b), 'add: dims do not broadcast, left [2,3], right [4,5]'],
    ['two names', () => g.add(n, m), 'add: dims do not broadcast, left [N,3], right [M,3]'],
    ['types', () => g.add(a, ids), 'add: types differ, left f32[2,3], right i64[2,3]'],
    ['condition', () => g.where(a, a, a), 'where: expected bool, found a f32[2,3]'],
    ['size', () => g.reshape(a, [4, 2]), 'reshape: sizes differ, from [2,3] to [4,2]'],
    ['size with names', () => g.reshape(n, ['N', 4]), 'reshape: sizes differ, from [N,3] to [N,4]'],
    ['axis', () => g.softmax(g.sum(a, [2])), 'reduce sum: axis 2 outside of [2,3]'],
    ['permutation', () => g.transpose(a, [0, 0]), 'transpose: expected a permutation of 2 axes, found [0,0]'],
    ['pieces', () => g.split(a, [1, 1], 1), 'split: pieces [1,1] do not fill axis 1 of [2,3]'],
    ['concat', () => g.concat([a, b], 0), 'concat: pieces differ beside axis 0, a f32[2,3] and b f32[4,5]'],
    ['squeeze', () => g.squeeze(a, 0), 'squeeze: axis 0 of [2,3] is not 1'],
    [
      'rotary caches shorter than the sequence',
      () => g.op('RotaryEmbedding', [g.reshape(a, [1, 3, 2]), ids, g.zeros([2, 1]), g.zeros([2, 1])]),
      'f32[1,3,2] is longer than the caches, 2 rows',
    ],
    ['unknown name', () => g.size('Q'), 'size: no value of graph errors has a dimension Q'],
    ['constant', () => g.constant(Float32Array.of(1), [2]), 'constant: expected 2 elements for [2], found 1'],
    [
      'axes that are not constant',
      () => g.op('ReduceSum', [a, ids]),
      'reduce sum: axes must be an int64 constant (or declare dims), found ids i64[2,3]',
    ],
  ])('%s', (_name, make, message) => {
    expect(make).toThrow(message)
  })
})

describe('symbolic dimensions', () => {
  it('reshape copies, infers or reads a size, whichever says it', () => {
    const g = new GraphBuilder('reshape')
    const x = g.input('x', 'f32', ['B', 'T', 6])
    const rows = g.reshape(x, ['B*T', 6]) // one unknown: inferred
    const heads = g.reshape(rows, ['B', 'T', 2, 3]) // two: B inferred, T read
    g.output('y', g.reshape(heads, ['B', 'T', 6])) // B and T copied
    g.output('flat', g.reshape(x, ['elements'])) // a new name
    expect(print(g.finish())).toBe(`graph reshape
  input x f32[B,T,6]
  Reshape_0 f32[B*T,6] = Reshape(x, [-1,6])
  Shape_1 i64[1] = Shape(x) end=2 start=1
  Concat_2 i64[4] = Concat([-1], Shape_1, [2], [3]) axis=0
  Reshape_3 f32[B,T,2,3] = Reshape(Reshape_0, Concat_2)
  Reshape_4 f32[B,T,6] = Reshape(Reshape_3, [0,0,6])
  Reshape_5 f32[elements] = Reshape(x, [-1])
  output y = Reshape_4
  output flat = Reshape_5
`)
  })

  it('sums and products of names are read from their parts: zeros of (C + 1) x 2B', async () => {
    const g = new GraphBuilder('sizes')
    const x = g.input('x', 'f32', ['B', 'C'])
    g.output('z', g.zeros(['C+1', '2*B']))
    g.output('x2', g.concat([x, g.zeros(['B', 1])], 1)) // names its axis C+1
    const out = await run(g, { x: f32(spread([2, 3])) })
    expect([out.z!.shape, out.x2!.shape]).toEqual([[4, 4], [2, 4]]) // prettier-ignore
  })

  it('splits into pieces of sizes known only at run time', async () => {
    const g = new GraphBuilder('split')
    const [p, q] = [g.input('p', 'f32', ['P', 2]), g.input('q', 'f32', ['Q', 2])]
    const both = g.concat([p, q], 0)
    const [first, second] = g.split(both, ['P', 'Q'], 0)
    g.output('first', first!)
    g.output('second', second!)
    const out = await run(g, { p: f32(spread([1, 2])), q: f32(spread([3, 2], 1)) })
    expect(out.first!.values).toEqual(spread([1, 2]).values)
    expect(out.second!.values).toEqual(spread([3, 2], 1).values)
  })
})
