/**
 * A graph as text, one line a node: what snapshots compare and people read. Constants of up to eight elements stand
 * where they are used; longer ones and weights are listed. Not a format: nothing reads it back.
 */
import type { Graph, Value } from './graph.ts'
import { show } from './shapes.ts'

/** Longest constant that is printed in place. */
const INLINE = 8

export function print(graph: Graph): string {
  const lines = [`graph ${graph.name}`]
  for (const v of graph.inputs) lines.push(`  input ${typed(v)}`)
  for (const { value, external: e } of graph.weights)
    lines.push(`  weight ${typed(value)} at ${e.location}:${e.offset} (${e.sizeBytes} bytes)`)
  for (const v of graph.constants) if (!inline(v)) lines.push(`  constant ${typed(v)}`)
  for (const node of graph.nodes) {
    const outputs = node.outputs.map(typed).join(', ')
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

function typed(v: Value): string {
  return `${v.name} ${v.dtype}[${show(v.shape)}]`
}

/** A short constant's content: `0.5` for a scalar, `[1,2]` for a list. */
function inline(v: Value): string | undefined {
  if (!v.data || v.data.length > INLINE || v.shape.length > 1) return undefined
  const numbers = Array.from(v.data as ArrayLike<number | bigint>, String)
  return v.shape.length === 0 ? numbers[0] : `[${numbers.join(',')}]`
}
