/**
 * A graph as the bytes of an ONNX ModelProto, by a small protobuf writer of our own: field numbers from onnx.proto3 of
 * ONNX 1.17 (https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto3), operator set 21, IR version 10. Fields are
 * written in one fixed order and carry no time or path, so equal graphs have equal bytes.
 * Left out: functions, subgraphs, sparse tensors, typed tensor fields (content is raw little-endian bytes).
 */
import type { DType, Graph, Node, Shape, Value, Weight } from './value.ts'
import { domainOf, firstOptionalOutput, type AttributeValue } from './ops.ts'

const IR_VERSION = 10
const OPSET = 21

/** TensorProto.DataType */
const dataTypes: { readonly [K in DType]: number } = { f32: 1, i32: 6, i64: 7, bool: 9, f16: 10, bf16: 16 }
/** AttributeProto.AttributeType */
const [FLOAT, INT, STRING, INTS] = [1, 2, 3, 7]
/** Attributes that are floats even where their value is whole; every other number is an integer. */
const floats: ReadonlySet<string> = new Set(['alpha', 'beta', 'epsilon', 'scale'])
/** Attributes of ours, which ONNX does not know. */
const unencoded: ReadonlySet<string> = new Set(['dims', 'stopGradient'])

export interface EncodeOptions {
  /** Before the graph's own outputs, an empty sequence of that name. */
  readonly sequence?: string
}

export function encode(graph: Graph, { sequence }: EncodeOptions = {}): Uint8Array {
  const names = outputNames(graph)
  const used = new Set<Value | null>([
    ...graph.nodes.flatMap((n) => n.inputs),
    ...graph.outputs.map((o) => o.value),
  ])
  const nameOf = (v: Value | null): string => (v ? (names.get(v) ?? v.name) : '')
  const body = new Writer()
  for (const node of graph.nodes) body.message(1, encodeNode(node, nameOf, used))
  // An output that is an input, a constant or already named needs a node of its own.
  for (const { name, value } of graph.outputs)
    if (nameOf(value) !== name)
      body.message(1, new Writer().text(1, nameOf(value)).text(2, name).text(3, name).text(4, 'Identity'))
  if (sequence) body.message(1, new Writer().text(2, sequence).text(3, sequence).text(4, 'SequenceEmpty'))
  body.text(2, graph.name)
  for (const value of graph.constants) body.message(5, encodeConstant(value))
  for (const weight of graph.weights) body.message(5, encodeWeight(weight))
  for (const value of graph.inputs) body.message(11, encodeInfo(value.name, value))
  if (sequence) body.message(12, new Writer().text(1, sequence).message(2, sequenceOfFloats()))
  for (const { name, value } of graph.outputs) body.message(12, encodeInfo(name, value))
  const model = new Writer().integer(1, IR_VERSION).text(2, 'placebo').message(7, body)
  for (const [domain, version] of [
    ['', OPSET],
    ['com.microsoft', 1],
  ] as const)
    model.message(8, new Writer().text(1, domain).integer(2, version))
  return model.bytes()
}

/** Outputs that come from a node lend it their name, the first one where there are several. */
function outputNames(graph: Graph): Map<Value, string> {
  const names = new Map<Value, string>()
  for (const { name, value } of graph.outputs) if (value.node && !names.has(value)) names.set(value, name)
  return names
}

function encodeNode(
  node: Node,
  nameOf: (v: Value | null) => string,
  used: ReadonlySet<Value | null>,
): Writer {
  const written = new Writer()
  for (const name of trimmed(node.inputs.map(nameOf))) written.text(1, name)
  const optional = firstOptionalOutput(node.op)
  const outputs = node.outputs.map((v, i) => (i >= optional && !used.has(v) ? '' : nameOf(v)))
  for (const name of trimmed(outputs)) written.text(2, name)
  written.text(3, `${node.op}_${node.order}`).text(4, node.op)
  for (const [name, value] of Object.entries(node.attributes))
    if (!unencoded.has(name)) written.message(5, encodeAttribute(node, name, value))
  return written.text(7, domainOf(node.op))
}

function encodeAttribute(node: Node, name: string, value: AttributeValue): Writer {
  const written = new Writer().text(1, name)
  if (name === 'to') return written.integer(3, dataTypes[value as DType]).integer(20, INT)
  if (typeof value === 'number' && floats.has(name)) return written.float(2, value).integer(20, FLOAT)
  if (typeof value === 'number' || typeof value === 'boolean')
    return written.integer(3, Number(value)).integer(20, INT)
  if (typeof value === 'string') return written.text(4, value).integer(20, STRING)
  for (const x of value) {
    if (typeof x !== 'number') throw new Error(`encode: ${node.op} ${name}, expected integers, found ${x}`)
    written.integer(8, x)
  }
  return written.integer(20, INTS)
}

function encodeConstant(value: Value): Writer {
  const { buffer, byteOffset, byteLength } = value.data!
  return encodeTensor(value).data(9, new Uint8Array(buffer, byteOffset, byteLength))
}

function encodeWeight({ value, external }: Weight): Writer {
  const written = encodeTensor(value)
  const entries = { location: external.location, offset: external.offset, length: external.sizeBytes }
  for (const [key, entry] of Object.entries(entries))
    written.message(13, new Writer().text(1, key).text(2, `${entry}`))
  return written.integer(14, 1) // data_location EXTERNAL
}

function encodeTensor(value: Value): Writer {
  const written = new Writer()
  for (const d of value.shape) written.integer(1, Number(d))
  return written.integer(2, dataTypes[value.dtype]).text(8, value.name)
}

/** ValueInfoProto: name, element type and dimensions, numbers or names. */
function encodeInfo(name: string, { dtype, shape }: { dtype: DType; shape: Shape }): Writer {
  const dims = new Writer()
  for (const d of shape)
    dims.message(1, typeof d === 'number' ? new Writer().integer(1, d) : new Writer().text(2, d))
  const tensor = new Writer().integer(1, dataTypes[dtype]).message(2, dims)
  return new Writer().text(1, name).message(2, new Writer().message(1, tensor))
}

/** TypeProto of a sequence of float tensors. */
function sequenceOfFloats(): Writer {
  const element = new Writer().message(1, new Writer().integer(1, dataTypes.f32))
  return new Writer().message(4, new Writer().message(1, element))
}

function trimmed(names: string[]): string[] {
  let length = names.length
  while (length > 0 && names[length - 1] === '') length--
  return names.slice(0, length)
}

/** Protobuf wire format: varint (0), length-delimited (2) and 32-bit (5) fields. */
class Writer {
  #chunks: Uint8Array[] = []
  #size = 0

  integer(field: number, value: number): this {
    return this.#varint(BigInt(field << 3)).#varint(BigInt.asUintN(64, BigInt(value)))
  }

  float(field: number, value: number): this {
    const four = Buffer.alloc(4)
    four.writeFloatLE(value)
    return this.#varint(BigInt((field << 3) | 5)).#append(four)
  }

  text(field: number, value: string): this {
    return this.data(field, Buffer.from(value, 'utf8'))
  }

  message(field: number, written: Writer): this {
    return this.data(field, written.bytes())
  }

  data(field: number, bytes: Uint8Array): this {
    return this.#varint(BigInt((field << 3) | 2))
      .#varint(BigInt(bytes.length))
      .#append(bytes)
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.#size)
    let at = 0
    for (const chunk of this.#chunks) {
      all.set(chunk, at)
      at += chunk.length
    }
    // Concatenated once: a writer asked again need not do it again.
    this.#chunks = [all]
    return all
  }

  #varint(value: bigint): this {
    const out: number[] = []
    for (let rest = value; ; rest >>= 7n) {
      const low = Number(rest & 127n)
      if (rest < 128n) {
        out.push(low)
        return this.#append(Uint8Array.from(out))
      }
      out.push(low | 128)
    }
  }

  #append(bytes: Uint8Array): this {
    this.#chunks.push(bytes)
    this.#size += bytes.length
    return this
  }
}
