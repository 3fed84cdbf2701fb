/**
 * A graph as text, one line a node: what snapshots compare and people read. Constants of up to eight elements stand
 * where they are used; longer ones and weights are listed. Not a format: nothing reads it back.
 */
import type { Graph, Value } from './value.ts'
import { describe } from './dims.ts'

/** Longest constant that is printed in place. */
const INLINE = 8

export function print(graph: Graph): string {
  const lines = [`graph ${graph.name}`]
  for (const v of graph.inputs) lines.push(`  input ${describe(v)}`)
  for (const { value, external: e } of graph.weights)
    lines.push(`  weight ${describe(value)} at ${e.location}:${e.offset} (${e.sizeBytes} bytes)`)
  for (const v of graph.constants) if (!inline(v)) lines.push(`  constant ${describe(v)}`)
  for (const node of graph.nodes) {
    const outputs = node.outputs.map(describe).join(', ')
    const inputs = node.inputs.map((v) => (v ? (inline(v) ?? v.name) : '_')).join(', ')
    const attributes = Object.entries(node.attributes)
      .filter(([name]) => name !== 'dims')
      .map(([name, value]) => ` ${name}=${Array.isArray(value) ? `[${value.join(',')}]` : String(value)}`)
    lines.push(`  ${outputs} = ${node.op}(${inputs})${attributes.join('')}`)
  }
  for (const { name, value } of graph.outputs)
    lines.push(`  output ${name}${name === value.name ? '' : ` = ${inline(value) ?? value.name}`}`)
  return lines.join('\n') + '\n'
}

/** A short constant's content: `0.5` for a scalar, `[1,2]` for a list. */
function inline(v: Value): string | undefined {
  if (!v.data || v.data.length > INLINE || v.shape.length > 1) return undefined
  const numbers = Array.from(v.data as ArrayLike<number | bigint>, String)
  return v.shape.length === 0 ? numbers[0] : `[${numbers.join(',')}]`
}
