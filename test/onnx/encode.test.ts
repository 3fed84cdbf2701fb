import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { encode } from '../../activities/onnx/encode.ts'
import { GraphBuilder, type Graph } from '../../activities/onnx/graph.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const ascii = (text: string): string => Buffer.from(text).toString('hex')

function layer(name: string, epsilon: number): Graph {
  const g = new GraphBuilder(name)
  const x = g.input('x', 'f32', ['B', 4])
  const w = g.weight('w', 'bf16', [4, 4], { location: 'a.safetensors', offset: 2 ** 33, sizeBytes: 32 })
  const h = g.op('SimplifiedLayerNormalization', [x, g.constant(new Float32Array(4).fill(1))], {
    axis: -1,
    epsilon,
  })
  g.output('y', g.op('Gemm', [h, g.cast(w, 'f32')], { transB: true, alpha: 2 }))
  return g.finish()
}

describe('encode', () => {
  it('writes a model of one node, field by field', () => {
    const g = new GraphBuilder('g')
    g.output('y', g.neg(g.input('x', 'i64', ['B', 300])))
    // Fields are (number << 3) | wire type: 08 is field 1 as a varint, 0a, 12, 1a … fields 1, 2, 3 with a length.
    const node =
      `0a01${ascii('x')}` + `1201${ascii('y')}` + `1a05${ascii('Neg_0')}` + `2203${ascii('Neg')}` + '3a00'
    const shape = `0a03` + `1201${ascii('B')}` + `0a03` + '08ac02' // 300 = 0b10_0101100: ac 02
    const type = `0a0e` + '0807' + `120a${shape}` // element type 7, int64
    const info = (name: string): string => `0a01${ascii(name)}` + `1210${type}`
    const graph = `0a14${node}` + `1201${ascii('g')}` + `5a15${info('x')}` + `6215${info('y')}`
    const opsets = `4204` + '0a00' + '1015' + `4211` + `0a0d${ascii('com.microsoft')}` + '1001'
    const size = (graph.length / 2).toString(16)
    expect(hex(encode(g.finish()))).toBe(`080a` + `1207${ascii('placebo')}` + `3a${size}${graph}` + opsets)
  })

  it('gives equal graphs equal bytes, and other attributes or names other bytes', () => {
    const digest = (graph: Graph): string => createHash('sha256').update(encode(graph)).digest('hex')
    expect(digest(layer('a', 1e-5))).toBe(digest(layer('a', 1e-5)))
    expect(digest(layer('a', 1e-6))).not.toBe(digest(layer('a', 1e-5)))
    expect(digest(layer('b', 1e-5))).not.toBe(digest(layer('a', 1e-5)))
  })

  it('names the place of an external weight, beyond 4 GB too', () => {
    const bytes = hex(encode(layer('a', 1e-5)))
    for (const text of ['location', 'a.safetensors', 'offset', '8589934592', 'length', '32'])
      expect(bytes).toContain(ascii(text))
  })

  it('writes the -1 of an axis as ten bytes of varint, and floats as floats even when whole', () => {
    const bytes = hex(encode(layer('a', 1e-5)))
    expect(bytes).toContain(`0a04${ascii('axis')}18ffffffffffffffffff01a00102`)
    expect(bytes).toContain(`0a05${ascii('alpha')}1500000040a00101`) // 2.0f, type FLOAT
  })

  it('leaves the statistics of a norm out when nobody reads them', () => {
    expect(hex(encode(layer('a', 1e-5)))).not.toContain(ascii('SimplifiedLayerNormalization_0_1'))
  })
})
