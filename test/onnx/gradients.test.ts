import { describe, expect, it } from 'vitest'
import { GraphBuilder, type Value } from '../../activities/onnx/graph.ts'
import { gradients } from '../../activities/onnx/gradients.ts'
import { print } from '../../activities/onnx/print.ts'
import { f32, gradientError, i64, numbers, run, spread, type Numbers } from './run.ts'

type F = (g: GraphBuilder, ...x: Value[]) => Value
const [a23, b23, row3, positive] = [
  spread([2, 3]),
  spread([2, 3], 1),
  spread([3], 2),
  spread([2, 3], 3, 0.8, 1.5),
]

const cases: [name: string, f: F, ...inputs: Numbers[]][] = [
  ['Add', (g, a, b) => g.add(a, b), a23, b23],
  ['Add, right side broadcast over rows', (g, a, b) => g.add(a, b), a23, row3],
  ['Sub, left side broadcast over columns', (g, a, b) => g.sub(a, b), spread([2, 1]), b23],
  ['Mul', (g, a, b) => g.mul(a, b), a23, b23],
  ['Mul of a value with itself', (g, a) => g.mul(a, a), a23],
  ['Mul, both sides broadcast', (g, a, b) => g.mul(a, b), spread([2, 1]), row3],
  ['Div', (g, a, b) => g.div(a, b), a23, positive],
  ['Pow', (g, a, b) => g.op('Pow', [a, b]), positive, b23],
  ['Neg', (g, a) => g.neg(a), a23],
  ['Abs', (g, a) => g.op('Abs', [a]), a23],
  ['Exp', (g, a) => g.exp(a), a23],
  ['Log', (g, a) => g.log(a), positive],
  ['Sqrt', (g, a) => g.op('Sqrt', [a]), positive],
  ['Reciprocal', (g, a) => g.op('Reciprocal', [a]), positive],
  ['Sigmoid', (g, a) => g.op('Sigmoid', [a]), a23],
  ['Tanh', (g, a) => g.op('Tanh', [a]), a23],
  ['QuickGelu with alpha 1, SiLU', (g, a) => g.op('QuickGelu', [a], { alpha: 1 }), spread([2, 3], 0, 3)],
  ['QuickGelu with alpha 1.7', (g, a) => g.op('QuickGelu', [a], { alpha: 1.7 }), spread([2, 3], 0, 3)],
  ['Identity', (g, a) => g.op('Identity', [a]), a23],
  ['Min, away from ties', (g, a, b) => g.op('Min', [a, b]), a23, b23],
  ['Max against a scalar', (g, a) => g.op('Max', [a, g.f32(0.1)]), a23],
  ['Where', (g, a, b) => g.where(g.op('Less', [a, g.f32(0)]), g.mul(a, a), b), a23, b23],
  ['MatMul', (g, a, b) => g.matmul(a, b), spread([2, 3]), spread([3, 4], 1)],
  ['MatMul of a batch with one matrix', (g, a, b) => g.matmul(a, b), spread([2, 2, 3]), spread([3, 4], 1)],
  ['MatMul, left side broadcast', (g, a, b) => g.matmul(a, b), spread([1, 2, 3]), spread([2, 3, 2], 1)],
  ...[0, 1, 2, 3].flatMap((bits): typeof cases => {
    const [transA, transB] = [(bits & 1) === 1, (bits & 2) === 2]
    const flip = (t: boolean, ...[m, n]: [number, number]): [number, number] => (t ? [n, m] : [m, n])
    const [left, right] = [flip(transA, 2, 3), flip(transB, 3, 4)]
    const which = `transA ${transA}, transB ${transB}`
    const fused: F = (g, a, b) => g.op('FusedMatMul', [a, b], { transA, transB, alpha: 0.5 })
    return [
      [`FusedMatMul, ${which}`, fused, spread([2, ...left]), spread([2, ...right], 1)],
      [`FusedMatMul of a batch with one matrix, ${which}`, fused, spread([2, ...left]), spread(right, 1)],
      [
        `Gemm with bias, ${which}`,
        (g, a, b, c) => g.op('Gemm', [a, b, c], { transA, transB, alpha: 0.5, beta: 2 }),
        spread(left),
        spread(right, 1),
        spread([4], 2),
      ],
    ]
  }),
  [
    'Gemm without bias',
    (g, a, b) => g.op('Gemm', [a, b], { transB: true }),
    spread([2, 3]),
    spread([4, 3], 1),
  ],
  ['Reshape', (g, a, b) => g.mul(g.reshape(a, [3, 2]), b), a23, spread([3, 2], 1)],
  ['Expand', (g, a, b) => g.mul(g.expand(a, [2, 2, 3]), b), spread([1, 3]), spread([2, 2, 3], 1)],
  ['Transpose', (g, a, b) => g.mul(g.transpose(a, [2, 0, 1]), b), spread([2, 3, 2]), spread([2, 2, 3], 1)],
  ['Squeeze', (g, a) => g.exp(g.squeeze(a, 1)), spread([2, 1, 3])],
  ['Unsqueeze', (g, a, b) => g.mul(g.unsqueeze(a, -1), b), a23, spread([2, 3, 2], 1)],
  ['Concat', (g, a, b) => g.exp(g.concat([a, b], 1)), a23, spread([2, 2], 1)],
  ['Split, both pieces used', (g, a) => { const [p, q] = g.split(a, [1, 2], 1); return g.mul(p!, q!) }, a23], // prettier-ignore
  ['Split, one piece used', (g, a) => g.exp(g.split(a, [1, 2], 1)[1]!), a23],
  ['Slice', (g, a) => g.exp(g.slice(a, 1, 1, 3)), a23],
  ['Slice from the end', (g, a) => g.exp(g.slice(a, -1, -2, 3)), a23],
  ['Gather, a row taken twice', (g, a) => g.exp(g.gather(a, g.i64(1, 0, 1))), a23],
  ['Gather along the last axis, by a matrix', (g, a) => g.exp(g.gather(a, g.constant(BigInt64Array.of(2n, 0n, 2n, -1n), [2, 2]), 1)), a23], // prettier-ignore
  ['GatherElements, an element taken twice', (g, a) => g.exp(g.op('GatherElements', [a, g.constant(BigInt64Array.of(0n, 0n, 2n, 1n), [2, 2])], { axis: 1 })), a23], // prettier-ignore
  ['ReduceSum', (g, a, b) => g.mul(g.sum(a, [1]), b), a23, b23],
  ['ReduceSum without its axis', (g, a) => g.exp(g.sum(a, [0], false)), a23],
  ['ReduceMean', (g, a) => g.exp(g.mean(a, [0, 1], false)), a23],
  ['ReduceMax', (g, a) => g.exp(g.max(a, [1])), a23],
  ['CumSum', (g, a) => g.exp(g.op('CumSum', [a, g.constant(BigInt64Array.of(1n), [])], { exclusive: true })), a23], // prettier-ignore
  ['Softmax', (g, a) => g.softmax(a), a23],
  ['Softmax over the first axis', (g, a) => g.softmax(a, 0), a23],
  ['LogSoftmax', (g, a) => g.op('LogSoftmax', [a], { axis: -1 }), a23],
  [
    'SimplifiedLayerNormalization',
    (g, a, w) => g.op('SimplifiedLayerNormalization', [a, w], { axis: -1, epsilon: 1e-5 }),
    spread([2, 4]),
    spread([4], 1),
  ],
  [
    'RotaryEmbedding',
    (g, a) => {
      const angles = [0, 0, 0.3, 0.03, 0.6, 0.06]
      const cache = (f: (x: number) => number): Value => g.constant(Float32Array.from(angles, f), [3, 2])
      const positions = g.constant(BigInt64Array.of(2n, 0n, 1n), [1, 3])
      return g.op('RotaryEmbedding', [a, positions, cache(Math.cos), cache(Math.sin)])
    },
    spread([1, 3, 8]),
  ],
]

describe('each rule agrees with central differences', () => {
  it.each(cases)('%s', async (_name, f, ...inputs) => {
    // h² = 2.4e-4 times a third derivative of order one, over six.
    expect(await gradientError(f, inputs)).toBeLessThan(1e-3)
  })

  // These name sizes as numbers, or count from the end of an axis.
  const numbered = /^(Reshape|Expand|Transpose|Unsqueeze|Slice from the end)$|bias/
  it.each(cases.filter(([name]) => !numbered.test(name)))(
    '%s, with sizes known only at run time',
    async (_name, f, ...inputs) => {
      expect(await gradientError(f, inputs, { symbolic: true })).toBeLessThan(1e-3)
    },
  )
})

describe('the reverse walk', () => {
  it('adds what arrives by several ways: d(x·x + 3x)/dx = 2x + 3', async () => {
    const g = new GraphBuilder('sum')
    const x = g.input('x', 'f32', [2])
    const y = g.add(g.mul(x, x), g.mul(g.f32(3), x))
    const [dx] = gradients(g, [{ output: y, seed: g.f32(1) }], [x])
    g.output('dx', dx!)
    expect((await run(g, { x: f32(numbers([2], 5, -1)) })).dx!.values).toEqual([13, 1])
  })

  it('takes several seeds: d(2·eˣ + 10·x)/dx', async () => {
    const g = new GraphBuilder('seeds')
    const x = g.input('x', 'f32', [1])
    const y = g.exp(x)
    const [dx] = gradients(g, [{ output: y, seed: g.f32(2) }, { output: x, seed: g.f32(10) }], [x]) // prettier-ignore
    g.output('dx', dx!)
    expect((await run(g, { x: f32(numbers([1], 0)) })).dx!.values).toEqual([12])
  })

  it('gives null where nothing depends on the value, and stops at stopGradient', () => {
    const g = new GraphBuilder('nothing')
    const [x, w, u] = ['x', 'w', 'u'].map((name) => g.input(name, 'f32', [2]))
    const y = g.mul(g.mul(x!, g.stopGradient(w!)), g.f32(2))
    const found = gradients(g, [{ output: y, seed: g.f32(1) }], [x!, w!, u!])
    expect(found.map((v) => v !== null)).toEqual([true, false, false])
  })

  it('does not follow integers: the argmax of x takes no gradient, the row it picks does', async () => {
    const g = new GraphBuilder('pick')
    const x = g.input('x', 'f32', [3])
    const y = g.gather(x, g.op('ArgMax', [x], { axis: 0 }))
    const [dx] = gradients(g, [{ output: y, seed: g.f32(1) }], [x])
    g.output('dx', dx!)
    expect((await run(g, { x: f32(numbers([3], 1, 5, 2)) })).dx!.values).toEqual([0, 1, 0])
  })

  it('refuses an operator without a derivative on the way, by name', () => {
    const g = new GraphBuilder('no')
    const x = g.input('x', 'f32', ['B', 5])
    const [top] = g.ops('TopK', [x, g.i64(2)], { axis: 1 })
    const loss = g.exp(top!)
    expect(() => gradients(g, [{ output: loss, seed: g.f32(1) }], [x])).toThrow(
      'gradients: TopK has no derivative, at TopK_0_0 f32[B,2], TopK_0_1 i64[B,2]',
    )
  })

  it('gives ties of Min to the first input', async () => {
    const g = new GraphBuilder('tie')
    const [a, b] = ['a', 'b'].map((name) => g.input(name, 'f32', [1]))
    const y = g.op('Min', [a!, b!])
    const [da, db] = gradients(g, [{ output: y, seed: g.f32(1) }], [a!, b!])
    g.output('da', da!)
    g.output('db', db!)
    const out = await run(g, { a: f32(numbers([1], 2)), b: f32(numbers([1], 2)) })
    expect([out.da!.values, out.db!.values]).toEqual([[1], [0]])
  })

  it('writes a linear layer and its norm backward without a transpose or an expansion', () => {
    const g = new GraphBuilder('layer')
    const x = g.input('x', 'f32', ['M', 4])
    const norm = g.input('norm', 'f32', [4])
    const w = g.input('w', 'f32', [2, 4])
    const dy = g.input('dy', 'f32', ['M', 2])
    const h = g.op('SimplifiedLayerNormalization', [x, norm], { axis: -1, epsilon: 1e-5 })
    const y = g.op('Gemm', [h, w], { transB: true })
    for (const [i, d] of gradients(g, [{ output: y, seed: dy }], [x, norm, w]).entries())
      g.output(['dx', 'dnorm', 'dw'][i]!, d!)
    expect(print(g.finish())).toMatchInlineSnapshot(`
      "graph layer
        input x f32[M,4]
        input norm f32[4]
        input w f32[2,4]
        input dy f32[M,2]
        SimplifiedLayerNormalization_0_0 f32[M,4], SimplifiedLayerNormalization_0_1 f32[M,1] = SimplifiedLayerNormalization(x, norm) axis=-1 epsilon=0.00001
        Gemm_2 f32[M,4] = Gemm(dy, w)
        Gemm_3 f32[2,4] = Gemm(dy, SimplifiedLayerNormalization_0_0) transA=true
        Mul_4 f32[M,4] = Mul(x, SimplifiedLayerNormalization_0_1)
        Mul_5 f32[M,4] = Mul(Gemm_2, norm)
        Mul_6 f32[M,4] = Mul(Mul_5, Mul_4)
        ReduceMean_7 f32[M,1] = ReduceMean(Mul_6, [-1])
        Mul_8 f32[M,4] = Mul(Mul_4, ReduceMean_7)
        Sub_9 f32[M,4] = Sub(Mul_5, Mul_8)
        Mul_10 f32[M,4] = Mul(SimplifiedLayerNormalization_0_1, Sub_9)
        Mul_11 f32[M,4] = Mul(Gemm_2, Mul_4)
        ReduceSum_12 f32[4] = ReduceSum(Mul_11, [0]) keepdims=false
        output dx = Mul_10
        output dnorm = ReduceSum_12
        output dw = Gemm_3
      "
    `)
  })

  it('sums the rows of an embedding that occur several times, the same at one and two threads', async () => {
    // 4096 rows onto 3 embeddings of width 64: a racy sum would differ from run to run.
    const [rows, width] = [4096, 64]
    const g = new GraphBuilder('embedding')
    const table = g.input('table', 'f32', [3, width])
    const ids = g.input('ids', 'i64', [rows])
    const dy = g.input('dy', 'f32', [rows, width])
    const [d] = gradients(g, [{ output: g.gather(table, ids), seed: dy }], [table])
    g.output('d', d!)
    const feeds = {
      table: f32(spread([3, width])),
      ids: i64({ shape: [rows], values: Array.from({ length: rows }, (_, i) => (i * i) % 3) }),
      dy: f32(spread([rows, width], 1)),
    }
    const [one, two, again] = [await run(g, feeds, 1), await run(g, feeds, 2), await run(g, feeds, 2)]
    expect(two.d!.values).toEqual(one.d!.values)
    expect(again.d!.values).toEqual(one.d!.values)
  })
})
