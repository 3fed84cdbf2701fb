/**
 * AdamW's arithmetic as a WebAssembly function, assembled here: four floats at once, each operation rounded to float32.
 *
 * The runtime's operators would write every output anew and copy it, chunk by chunk; this changes a chunk in place. The
 * formula is grpo/adam.ts. Specification: WebAssembly core 2.0, binary format (https://www.w3.org/TR/wasm-core-2).
 */

/** Floats of each array that the kernel holds at a time: four arrays are a page, and stay in the processor's cache. */
export const kernelFloats = 2 ** 12

/** The scalars of a step, in the order in which the kernel takes them. */
export const factorNames = ['keepM', 'addG', 'keepV', 'addGG', 'stepSize', 'eps', 'keepW'] as const
export type KernelFactors = Readonly<Record<(typeof factorNames)[number], number>>

export interface AdamKernel {
  /** Weights, gradient and both moments of one chunk: views of the kernel's memory, `kernelFloats` each. */
  readonly w: Float32Array
  readonly g: Float32Array
  readonly m: Float32Array
  readonly v: Float32Array
  /**
   * On the first `count` of them: m ← keepM·m + addG·g; v ← keepV·v + (addGG·g)·g; w ← keepW·w - stepSize·m / (√v + eps).
   * Says whether all that it wrote is finite.
   */
  run(count: number, factors: KernelFactors): boolean
}

export function openAdamKernel(): AdamKernel {
  const { Instance, Module } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly
  const { memory, step } = new Instance(new Module(Uint8Array.from(kernel()))).exports
  const view = (i: number) => new Float32Array(memory.buffer, i * arrayBytes, kernelFloats)
  const [w, g, m, v] = [view(0), view(1), view(2), view(3)]
  return {
    w,
    g,
    m,
    v,
    run: (count, factors) => {
      if (count === 0) return true
      // The last four at once may be fewer: the rest repeats the last, and says of it what it says of itself.
      for (const held of [w, g, m, v]) held.fill(held[count - 1]!, count, 4 * Math.ceil(count / 4))
      return step(4 * count, ...factorNames.map((name) => factors[name])) === 0
    },
  }
}

/** What Node's types leave out. */
interface Wasm {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: Exports }
}
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  /** 0, or NaN where something that was written is not finite. */
  readonly step: (endByte: number, ...factors: number[]) => number
}

const arrayBytes = 4 * kernelFloats
const pageBytes = 2 ** 16
type Code = readonly number[]

function kernel(): Code {
  const [i32, f32, v128] = [0x7f, 0x7d, 0x7b]
  const simd = (operation: number): Code => [0xfd, ...unsigned(operation)]
  const get = (local: number): Code => [0x20, local]
  const set = (local: number): Code => [0x21, local]
  const tee = (local: number): Code => [0x22, local]
  const binary = (operation: number) => (a: Code, b: Code) => [...a, ...b, ...simd(operation)]
  const [plus, minus, times, over] = [binary(0xe4), binary(0xe5), binary(0xe6), binary(0xe7)] as const
  const [splat, sqrt] = [simd(0x13), simd(0xe3)] as const

  // Locals: where the chunk ends, the factors; then where we are, the factors in every lane, g, m, v and w, zeros, and
  // the sum of 0·x over all x written, which is 0 as long as they are finite.
  const [end, first] = [0, 1]
  const at = first + factorNames.length
  const factor = (name: keyof KernelFactors) => at + 1 + factorNames.indexOf(name)
  const g = at + factorNames.length + 1
  const [m, v, w, zeros, sum] = [g + 1, g + 2, g + 3, g + 4, g + 5] as const
  /** Alignment 2^4, and the array's place as the offset. */
  const place = (array: number): Code => [4, ...unsigned(array * arrayBytes)]
  const load = (array: number): Code => [...get(at), ...simd(0x00), ...place(array)]
  const store = (array: number, value: Code): Code => [...get(at), ...value, ...simd(0x0b), ...place(array)]
  const f = (name: keyof KernelFactors): Code => get(factor(name))

  const moved = minus(
    times(f('keepW'), load(0)),
    over(times(f('stepSize'), get(m)), plus([...get(v), ...sqrt], f('eps'))),
  )
  const none = (local: number): Code => times(get(local), get(zeros))
  const lanes = [0, 1, 2, 3].map((lane) => [...get(sum), ...simd(0x1f), lane])
  const body = [
    ...factorNames.flatMap((name, i) => [...get(first + i), ...splat, ...set(factor(name))]),
    ...[0x03, 0x40], // loop
    ...[...load(1), ...set(g)],
    ...[...plus(times(f('keepM'), load(2)), times(f('addG'), get(g))), ...set(m)],
    ...[...plus(times(f('keepV'), load(3)), times(times(f('addGG'), get(g)), get(g))), ...set(v)],
    ...[...store(2, get(m)), ...store(3, get(v)), ...store(0, [...moved, ...tee(w)])],
    ...[...plus(plus(get(sum), none(w)), plus(none(m), none(v))), ...set(sum)],
    ...[...get(at), 0x41, 16, 0x6a, ...tee(at)], // at + 16
    ...[...get(end), 0x49, 0x0d, 0], // below the end: once more
    ...[0x0b],
    ...[...lanes.flat(), 0x92, 0x92, 0x92], // their sum, one float
    ...[0x0b],
  ]
  const code = [...vector([[1, i32], [factorNames.length + 6, v128]]), ...body] // prettier-ignore
  return [
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector([[0x60, ...vector([[i32], ...factorNames.map(() => [f32])]), ...vector([[f32]])]])),
    ...section(3, vector([[0]])),
    ...section(5, vector([[0, ...unsigned((4 * arrayBytes) / pageBytes)]])),
    ...section(7, vector([[...name('memory'), 2, 0], [...name('step'), 0, 0]])), // prettier-ignore
    ...section(10, vector([[...unsigned(code.length), ...code]])),
  ]
}

const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content]
const vector = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()]
const name = (text: string): Code => vector([...Buffer.from(text)].map((byte) => [byte]))

/** LEB128. */
function unsigned(value: number): Code {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]
}
