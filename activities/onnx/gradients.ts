/**
 * Reverse-mode differentiation: one walk over the nodes between `wrt` and the outputs, newest first, that appends the
 * backward nodes to the same builder. Broadcasting is undone here and nowhere else: a gradient larger than its value is
 * summed. A gradient smaller than its value stands for its broadcast until a rule needs it whole, so the gradient of a
 * sum costs nothing before an elementwise operator.
 */
import { derivatives, type Application, type Derivative } from './derivatives.ts'
import { describe } from './dims.ts'
import type { GraphBuilder } from './graph.ts'
import type { Inputs, Op } from './ops.ts'
import type { Node, Shape, Value } from './value.ts'

export interface Seed {
  readonly output: Value
  /** Gradient of the loss with respect to `output`, of its shape (or one that broadcasts to it). */
  readonly seed: Value
}

/** Operators that work element by element, for which a broadcastable gradient is as good as a whole one. */
const elementwise: ReadonlySet<Op> = new Set<Op>([
  ...([
    'Add',
    'Sub',
    'Mul',
    'Div',
    'Pow',
    'Min',
    'Max',
    'Where',
    'Neg',
    'Abs',
    'Exp',
    'Log',
    'Sqrt',
  ] as const),
  ...(['Reciprocal', 'Sigmoid', 'Tanh', 'QuickGelu', 'Identity', 'Cast', 'Expand'] as const),
])

/**
 * The gradient of Σ seed·output with respect to each of `wrt`, of its shape; null where nothing depends on it.
 * Throws where the way leads through an operator without a derivative.
 */
export function gradients(g: GraphBuilder, of: readonly Seed[], wrt: readonly Value[]): (Value | null)[] {
  const found = new Map<Value, Value>()
  const accumulate = (v: Value, gradient: Value): void => {
    const before = found.get(v)
    found.set(v, before ? g.add(before, gradient) : gradient)
  }
  for (const { output, seed } of of) accumulate(output, seed)
  for (const node of path(of, wrt)) {
    const dys = node.outputs.map((y) => {
      const dy = found.get(y)
      return dy ? (elementwise.has(node.op) ? dy : whole(g, dy, y.shape)) : null
    })
    if (dys.every((dy) => dy === null)) continue
    for (const [i, gradient] of differentiate(g, node, dys).entries()) {
      const input = node.inputs[i]
      if (!gradient || !input || !isFloat(input)) continue
      const full = elementwise.has(node.op) ? node.outputs[0]!.shape : gradient.shape
      accumulate(input, unbroadcast(g, gradient, input.shape, full))
    }
  }
  return wrt.map((v) => {
    const gradient = found.get(v)
    return gradient ? whole(g, gradient, v.shape) : null
  })
}

/** Nodes that lie between `wrt` and the outputs by way of floating-point values, newest first. */
function path(of: readonly Seed[], wrt: readonly Value[]): Node[] {
  const reached = new Set<Node>()
  const open = of.flatMap(({ output }) => output.node ?? [])
  for (let node = open.pop(); node; node = open.pop()) {
    if (reached.has(node)) continue
    reached.add(node)
    for (const input of node.inputs) if (input?.node && isFloat(input)) open.push(input.node)
  }
  const depends = new Set<Value>(wrt)
  const between: Node[] = []
  for (const node of [...reached].sort((a, b) => a.order - b.order)) {
    if (!node.inputs.some((v) => v && isFloat(v) && depends.has(v))) continue
    between.push(node)
    for (const y of node.outputs) depends.add(y)
  }
  return between.reverse()
}

/** The table is keyed by operator; that inputs and attributes are that operator's was checked when the node was made. */
function differentiate<K extends Op>(
  g: GraphBuilder,
  node: Node & { readonly op: K },
  dys: readonly (Value | null)[],
): readonly (Value | null)[] {
  const rule: Derivative<K> | null = derivatives[node.op]
  const [dy = null] = dys
  const unsupported = dys.slice(1).some((d) => d !== null) && node.op !== 'Split'
  if (!rule || unsupported || (!dy && node.op !== 'Split')) {
    const reached = node.outputs.map(describe).join(', ')
    throw new Error(
      `gradients: ${node.op} has no derivative${unsupported ? ' beyond its first output' : ''}, at ${reached}`,
    )
  }
  const at: Application<K> = {
    g,
    x: node.inputs as unknown as Inputs<K>,
    y: node.outputs,
    attributes: node.attributes,
    // Only Split, which reads `dys`, comes here without a gradient of its first output.
    dy: dy ?? dys.find((d) => d !== null)!,
    dys,
  }
  return rule(at)
}

function isFloat(v: Value): boolean {
  return v.dtype === 'f32' || v.dtype === 'f16' || v.dtype === 'bf16'
}

function equal(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i])
}

function whole(g: GraphBuilder, gradient: Value, shape: Shape): Value {
  return equal(gradient.shape, shape) ? gradient : g.expand(gradient, shape)
}

/** Sums over the axes along which a value of `shape` was broadcast to `full`. */
function unbroadcast(g: GraphBuilder, gradient: Value, shape: Shape, full: Shape): Value {
  if (equal(shape, full)) return gradient
  const all = whole(g, gradient, full)
  const added = full.length - shape.length
  const leading = Array.from({ length: added }, (_, i) => i)
  const stretched = shape.flatMap((d, i) => (d === 1 && full[i + added] !== 1 ? [i] : []))
  const kept = added > 0 ? g.sum(all, leading, false) : all
  return stretched.length > 0 ? g.sum(kept, stretched) : kept
}
