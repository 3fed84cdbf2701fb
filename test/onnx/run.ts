/** Runs small graphs for the tests of this folder, and compares gradients with central differences. */
import { GraphBuilder, type Shape, type Value } from '../../activities/onnx/graph.ts'
import { gradients } from '../../activities/onnx/gradients.ts'
import { openSession, type Tensor } from '../../activities/onnx/session.ts'

/** Nested or flat numbers with a shape. */
export interface Numbers {
  readonly shape: readonly number[]
  readonly values: readonly number[]
}

export function numbers(shape: readonly number[], ...values: number[]): Numbers {
  return { shape, values }
}

/** Values without pattern in (-1, 1): i -> fractional part of a golden-ratio walk. */
export function spread(shape: readonly number[], offset = 0, scale = 1, shift = 0): Numbers {
  const n = shape.reduce((a, b) => a * b, 1)
  const at = (i: number): number => (((i + 1 + 31 * offset) * 0.6180339887) % 1) * 2 - 1
  return { shape, values: Array.from({ length: n }, (_, i) => Math.fround(at(i) * scale + shift)) }
}

export function f32({ shape, values }: Numbers): Tensor {
  return { dtype: 'f32', shape, data: Float32Array.from(values) }
}

export function i64({ shape, values }: Numbers): Tensor {
  return { dtype: 'i64', shape, data: BigInt64Array.from(values, BigInt) }
}

/** Runs a graph once: outputs as plain numbers. */
export async function run(
  g: GraphBuilder,
  feeds: Record<string, Tensor>,
  threads = 1,
): Promise<Record<string, { shape: readonly number[]; values: number[] }>> {
  const session = await openSession(g.finish(), { threads })
  const out = await session.run(feeds)
  await session.release()
  return Object.fromEntries(
    Object.entries(out).map(([name, t]) => [
      name,
      { shape: t.shape, values: Array.from(t.data as ArrayLike<number | bigint>, Number) },
    ]),
  )
}

/** f applied to inputs a, b, c, …: its value. */
export async function evaluate(
  f: (g: GraphBuilder, ...x: Value[]) => Value,
  ...inputs: Numbers[]
): Promise<{ shape: readonly number[]; values: number[] }> {
  const g = new GraphBuilder('evaluate')
  const { values, feeds } = declare(g, inputs, false)
  g.output('y', f(g, ...values))
  return (await run(g, feeds)).y!
}

/**
 * The largest difference between the gradient of Σ s·f(x) (s without pattern) and central differences, relative to the
 * largest gradient, over all inputs. Differences use step h = 2^-6 (exact in float32): the error is of order h² plus
 * float32's 6e-8 / h. With `symbolic` every size but 1 is
 * known only at run time.
 */
export async function gradientError(
  f: (g: GraphBuilder, ...x: Value[]) => Value,
  inputs: Numbers[],
  { symbolic = false, h = 2 ** -6 } = {},
): Promise<number> {
  const g = new GraphBuilder('gradient')
  const { values, feeds } = declare(g, inputs, symbolic)
  const y = f(g, ...values)
  const probe = await evaluate(f, ...inputs)
  const s = spread(probe.shape, 7)
  const seed = g.input('seed', 'f32', y.shape)
  g.output('y', y)
  for (const [i, d] of gradients(g, [{ output: y, seed }], values).entries()) if (d) g.output(`d${i}`, d)
  const session = await openSession(g.finish(), { threads: 1 })
  const at = async (changed: readonly Numbers[]): Promise<Record<string, Tensor>> => {
    const named = changed.map((n, i) => [values[i]!.name, f32(n)] as const)
    return session.run({ ...feeds, ...Object.fromEntries(named), seed: f32(s) })
  }
  const loss = (t: Tensor): number =>
    (t.data as Float32Array).reduce((sum, v, i) => sum + v * s.values[i]!, 0)
  const analytic = await at(inputs)
  let error = 0
  let largest = 1e-3
  for (const [i, input] of inputs.entries())
    for (const [j, v] of input.values.entries()) {
      const moved = (by: number): Numbers[] =>
        inputs.map((n, k) => (k === i ? { ...n, values: n.values.with(j, v + by) } : n))
      const numeric = (loss((await at(moved(h))).y!) - loss((await at(moved(-h))).y!)) / (2 * h)
      const found = (analytic[`d${i}`]?.data[j] as number | undefined) ?? 0
      if (!(analytic[`d${i}`]?.shape ?? input.shape).every((d, k) => d === input.shape[k])) return Infinity
      error = Math.max(error, Math.abs(numeric - found))
      largest = Math.max(largest, Math.abs(numeric))
    }
  await session.release()
  return error / largest
}

function declare(g: GraphBuilder, inputs: readonly Numbers[], symbolic: boolean) {
  const names = 'abcdefgh'
  const shapes = inputs.map(({ shape }): Shape =>
    symbolic ? shape.map((d) => (d === 1 ? d : `N${d}`)) : shape,
  )
  const values = inputs.map((_, i) => g.input(names[i]!, 'f32', shapes[i]!))
  const feeds = Object.fromEntries(inputs.map((n, i) => [names[i]!, f32(n)]))
  return { values, feeds }
}
