import { describe, expect, it } from 'vitest'
import { GraphBuilder, type Value } from '../../activities/onnx/graph.ts'
import { evaluate, f32, i64, numbers, run, type Numbers } from './run.ts'

type F = (g: GraphBuilder, ...x: Value[]) => Value
const n = numbers
const a = n([2, 2], 1, 2, 3, 4)
const b = n([2, 2], 5, 6, 7, 8)
const yes = (g: GraphBuilder, v: Value): Value => g.cast(v, 'f32')

describe('each operator gives what is worked out by hand', () => {
  it.each<[string, F, Numbers[], Numbers]>([
    ['Add: a column of 2 broadcasts', (g, x, y) => g.add(x, y), [a, n([2, 1], 10, 20)], n([2, 2], 11, 12, 23, 24)],
    ['Sub', (g, x, y) => g.sub(x, y), [b, a], n([2, 2], 4, 4, 4, 4)],
    ['Mul: a row broadcasts', (g, x, y) => g.mul(x, y), [a, n([2], 10, 100)], n([2, 2], 10, 200, 30, 400)],
    ['Div', (g, x, y) => g.div(x, y), [a, n([], 2)], n([2, 2], 0.5, 1, 1.5, 2)],
    ['Pow: 3² and 2³', (g, x, y) => g.op('Pow', [x, y]), [n([2], 3, 2), n([2], 2, 3)], n([2], 9, 8)],
    ['Min', (g, x, y) => g.op('Min', [x, y]), [a, n([], 2.5)], n([2, 2], 1, 2, 2.5, 2.5)],
    ['Max', (g, x, y) => g.op('Max', [x, y]), [a, n([], 2.5)], n([2, 2], 2.5, 2.5, 3, 4)],
    ['Neg', (g, x) => g.neg(x), [n([2], 1, -2)], n([2], -1, 2)],
    ['Abs', (g, x) => g.op('Abs', [x]), [n([2], 1, -2)], n([2], 1, 2)],
    ['Exp: e⁰ and e¹', (g, x) => g.exp(x), [n([2], 0, 1)], n([2], 1, Math.E)],
    ['Log', (g, x) => g.log(x), [n([2], 1, Math.E)], n([2], 0, 1)],
    ['Sqrt', (g, x) => g.op('Sqrt', [x]), [n([2], 9, 2)], n([2], 3, Math.SQRT2)],
    ['Reciprocal', (g, x) => g.op('Reciprocal', [x]), [n([2], 4, -2)], n([2], 0.25, -0.5)],
    ['Sigmoid: σ(0) = 1/2, σ(ln 3) = 3/4', (g, x) => g.op('Sigmoid', [x]), [n([2], 0, Math.log(3))], n([2], 0.5, 0.75)],
    ['Tanh of ln 4: (4 - 1/4) / (4 + 1/4)', (g, x) => g.op('Tanh', [x]), [n([1], Math.log(4))], n([1], 15 / 17)],
    ['QuickGelu, alpha 1: x σ(x)', (g, x) => g.op('QuickGelu', [x], { alpha: 1 }), [n([1], Math.log(3))], n([1], 0.75 * Math.log(3))],
    ['Identity', (g, x) => g.op('Identity', [x]), [a], a],
    ['Cast cuts towards zero', (g, x) => g.cast(g.cast(x, 'i64'), 'f32'), [n([2], 1.9, -1.9)], n([2], 1, -1)],
    ['Less', (g, x, y) => yes(g, g.op('Less', [x, y])), [a, n([], 2)], n([2, 2], 1, 0, 0, 0)],
    ['LessOrEqual', (g, x, y) => yes(g, g.op('LessOrEqual', [x, y])), [a, n([], 2)], n([2, 2], 1, 1, 0, 0)],
    ['Greater', (g, x, y) => yes(g, g.op('Greater', [x, y])), [a, n([], 2)], n([2, 2], 0, 0, 1, 1)],
    ['GreaterOrEqual', (g, x, y) => yes(g, g.op('GreaterOrEqual', [x, y])), [a, n([], 2)], n([2, 2], 0, 1, 1, 1)],
    ['Equal', (g, x, y) => yes(g, g.op('Equal', [x, y])), [a, n([], 2)], n([2, 2], 0, 1, 0, 0)],
    ['And', (g, x, y) => yes(g, g.op('And', [g.cast(x, 'bool'), g.cast(y, 'bool')])), [n([4], 0, 0, 1, 1), n([4], 0, 1, 0, 1)], n([4], 0, 0, 0, 1)],
    ['Or', (g, x, y) => yes(g, g.op('Or', [g.cast(x, 'bool'), g.cast(y, 'bool')])), [n([4], 0, 0, 1, 1), n([4], 0, 1, 0, 1)], n([4], 0, 1, 1, 1)],
    ['Not', (g, x) => yes(g, g.op('Not', [g.cast(x, 'bool')])), [n([2], 0, 1)], n([2], 1, 0)],
    ['Where', (g, c, x, y) => g.where(g.cast(c, 'bool'), x, y), [n([2], 1, 0), a, b], n([2, 2], 1, 6, 3, 8)],
    ['MatMul: 1·5 + 2·7 = 19', (g, x, y) => g.matmul(x, y), [a, b], n([2, 2], 19, 22, 43, 50)],
    ['FusedMatMul: half of a·bᵀ, (1·5 + 2·6) / 2 = 8.5', (g, x, y) => g.op('FusedMatMul', [x, y], { transB: true, alpha: 0.5 }), [a, b], n([2, 2], 8.5, 11.5, 19.5, 26.5)],
    ['Gemm: aᵀ·b + 10·c', (g, x, y, z) => g.op('Gemm', [x, y, z], { transA: true, beta: 10 }), [a, b, n([2], 1, 2)], n([2, 2], 36, 50, 48, 64)],
    ['Reshape', (g, x) => g.reshape(x, [4, 1]), [a], n([4, 1], 1, 2, 3, 4)],
    ['Expand', (g, x) => g.expand(x, [2, 2]), [n([2, 1], 1, 2)], n([2, 2], 1, 1, 2, 2)],
    ['Transpose', (g, x) => g.transpose(x, [1, 0]), [a], n([2, 2], 1, 3, 2, 4)],
    ['Squeeze', (g, x) => g.squeeze(x, 0, -1), [n([1, 2, 1], 1, 2)], n([2], 1, 2)],
    ['Unsqueeze', (g, x) => g.unsqueeze(x, 0, -1), [n([2], 1, 2)], n([1, 2, 1], 1, 2)],
    ['Concat', (g, x, y) => g.concat([x, y], 1), [a, n([2, 1], 8, 9)], n([2, 3], 1, 2, 8, 3, 4, 9)],
    ['Split, second piece', (g, x) => g.split(x, [1, 3], 0)[1]!, [n([4], 1, 2, 3, 4)], n([3], 2, 3, 4)],
    ['Slice 1:3', (g, x) => g.slice(x, 0, 1, 3), [n([4], 1, 2, 3, 4)], n([2], 2, 3)],
    ['Slice with step 2', (g, x) => g.op('Slice', [x, g.i64(0), g.i64(5), g.i64(0), g.i64(2)]), [n([4], 1, 2, 3, 4)], n([2], 1, 3)],
    ['Pad: one zero before, two behind', (g, x) => g.op('Pad', [x, g.i64(1, 2), null, g.i64(0)], { dims: [5] }), [n([2], 7, 8)], n([5], 0, 7, 8, 0, 0)],
    ['Gather', (g, x) => g.gather(x, g.i64(1, 1, 0)), [a], n([3, 2], 3, 4, 3, 4, 1, 2)],
    ['GatherElements: one of each row', (g, x) => g.op('GatherElements', [x, g.constant(BigInt64Array.of(1n, 0n), [2, 1])], { axis: 1 }), [a], n([2, 1], 2, 3)],
    ['ScatterElements adds at equal indices: 1 + 10 + 20', (g, x, u) => g.op('ScatterElements', [x, g.i64(0, 0, 2), u], { axis: 0, reduction: 'add' }), [n([3], 1, 2, 3), n([3], 10, 20, 30)], n([3], 31, 2, 33)],
    ['ScatterND adds rows', (g, x, u) => g.op('ScatterND', [x, g.constant(BigInt64Array.of(1n), [1, 1]), u], { reduction: 'add' }), [a, n([1, 2], 10, 20)], n([2, 2], 1, 2, 13, 24)],
    ['ReduceSum', (g, x) => g.sum(x, [1]), [a], n([2, 1], 3, 7)],
    ['ReduceMean without its axis', (g, x) => g.mean(x, [0], false), [a], n([2], 2, 3)],
    ['ReduceMax', (g, x) => g.max(x, [0, 1]), [a], n([1, 1], 4)],
    ['ArgMax: the first of equals', (g, x) => yes(g, g.op('ArgMax', [x], { axis: 1, keepdims: false })), [n([2, 3], 1, 5, 5, 9, 0, 3)], n([2], 1, 0)],
    ['TopK values', (g, x) => g.op('TopK', [x, g.i64(2)], { axis: 0 }), [n([4], 3, 9, 1, 5)], n([2], 9, 5)],
    ['TopK indices', (g, x) => yes(g, g.ops('TopK', [x, g.i64(2)], { axis: 0 })[1]!), [n([4], 3, 9, 1, 5)], n([2], 1, 3)],
    ['Softmax of 0 and ln 3: 1/4, 3/4', (g, x) => g.softmax(x), [n([2], 0, Math.log(3))], n([2], 0.25, 0.75)],
    ['LogSoftmax', (g, x) => g.op('LogSoftmax', [x], { axis: 0 }), [n([2], 0, Math.log(3))], n([2], Math.log(0.25), Math.log(0.75))],
    ['CumSum', (g, x) => g.op('CumSum', [x, g.constant(BigInt64Array.of(0n), [])]), [n([3], 1, 2, 3)], n([3], 1, 3, 6)],
    ['CumSum, exclusive and from the end', (g, x) => g.op('CumSum', [x, g.constant(BigInt64Array.of(0n), [])], { exclusive: true, reverse: true }), [n([3], 1, 2, 3)], n([3], 5, 3, 0)],
    ['Shape, second axis', (g, x) => yes(g, g.op('Shape', [x], { start: 1, end: 2 })), [n([1, 3], 1, 2, 3)], n([1], 3)],
    ['ConstantOfShape', (g, x) => g.add(g.zeros([2, 2]), x), [a], a],
    ['Range', (g, x) => g.mul(x, g.op('Range', [g.f32(1), g.f32(7), g.f32(2)], { dims: [3] })), [n([3], 1, 1, 1)], n([3], 1, 3, 5)],
    // (3² + 4² + 0 + 0) / 4 = 6.25 = 2.5²
    ['SimplifiedLayerNormalization divides by the root mean square', (g, x, w) => g.op('SimplifiedLayerNormalization', [x, w], { axis: -1, epsilon: 0 }), [n([1, 4], 3, 4, 0, 0), n([4], 1, 10, 1, 1)], n([1, 4], 1.2, 16, 0, 0)],
    ['SimplifiedLayerNormalization, inverse root mean square', (g, x, w) => g.ops('SimplifiedLayerNormalization', [x, w], { axis: -1, epsilon: 0 })[1]!, [n([1, 4], 3, 4, 0, 0), n([4], 1, 1, 1, 1)], n([1, 1], 0.4)],
    ['SkipSimplifiedLayerNormalization normalises the sum', (g, x, y, w) => g.op('SkipSimplifiedLayerNormalization', [x, y, w], { epsilon: 0 }), [n([1, 4], 1, 4, 0, 0), n([1, 4], 2, 0, 0, 0), n([4], 1, 1, 1, 1)], n([1, 4], 1.2, 1.6, 0, 0)],
    ['SkipSimplifiedLayerNormalization, fourth output: the sum', (g, x, y, w) => g.ops('SkipSimplifiedLayerNormalization', [x, y, w], { epsilon: 0 })[3]!, [n([1, 4], 1, 4, 0, 0), n([1, 4], 2, 0, 0, 0), n([4], 1, 1, 1, 1)], n([1, 4], 3, 4, 0, 0)],
    // Position 1 turns by 90°: the half-split pairs (1, 3) and (2, 4) go to (-3, 1) and (-4, 2).
    ['RotaryEmbedding by a quarter turn', (g, x) => g.op('RotaryEmbedding', [x, g.constant(BigInt64Array.of(1n), [1, 1]), g.constant(Float32Array.of(1, 1, 0, 0), [2, 2]), g.constant(Float32Array.of(0, 0, 1, 1), [2, 2])]), [n([1, 1, 4], 1, 2, 3, 4)], n([1, 1, 4], -3, -4, 1, 2)],
  ])('%s', async (_name, f, inputs, expected) => {
    const found = await evaluate(f, ...inputs)
    expect(found.shape).toEqual(expected.shape)
    for (const [i, v] of expected.values.entries()) expect(found.values[i]).toBeCloseTo(v, 5)
  }) // prettier-ignore

  it('GroupQueryAttention, one head of width 8: the second token weighs both values by softmax(q·k)', async () => {
    const g = new GraphBuilder('attention')
    const [q, k, v] = ['q', 'k', 'v'].map((name) => g.input(name, 'f32', [1, 2, 8]))
    const past = g.input('past', 'f32', [1, 1, 'P', 8])
    const last = g.constant(Int32Array.of(1)) // [B], index of the last token
    const total = g.constant(Int32Array.of(2), [])
    const [y, key] = g.ops('GroupQueryAttention', [q!, k!, v!, past, past, last, total], {
      num_heads: 1,
      kv_num_heads: 1,
      scale: 1,
      dims: [1, 1, 2, 8],
    })
    g.output('y', y!)
    g.output('key', key!)
    const rows = (x: number, z: number): Numbers =>
      n([1, 2, 8], x, 0, 0, 0, 0, 0, 0, 0, z, 0, 0, 0, 0, 0, 0, 0)
    const out = await run(g, {
      q: f32(rows(1, 1)),
      k: f32(rows(0, Math.log(3))),
      v: f32(rows(4, 8)),
      past: f32(n([1, 1, 0, 8])),
    })
    expect(out.y!.values[0]).toBeCloseTo(4, 5) // sees itself only
    expect(out.y!.values[8]).toBeCloseTo(4 * 0.25 + 8 * 0.75, 5)
    expect(out.key!.values[8]).toBeCloseTo(Math.log(3), 5)
  })

  it('int64 inputs and outputs keep their values beyond 2^31', async () => {
    const g = new GraphBuilder('wide')
    const x = g.input('x', 'i64', [1])
    g.output('y', g.add(x, g.i64(1)))
    expect((await run(g, { x: i64(n([1], 2 ** 40)) })).y!.values).toEqual([2 ** 40 + 1])
  })
})
