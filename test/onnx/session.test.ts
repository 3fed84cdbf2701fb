import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GraphBuilder, type Value } from '../../activities/onnx/graph.ts'
import { openSession } from '../../activities/onnx/session.ts'
import { f32, numbers } from './run.ts'

function pairs(): GraphBuilder {
  const g = new GraphBuilder('pairs')
  const [x, y] = [g.input('x', 'f32', ['B', 2]), g.input('y', 'f32', ['B', 1])]
  g.output('sum', g.add(x, y))
  return g
}

describe('a session', () => {
  it('gives an input, a constant and one value under two names as outputs', async () => {
    const g = new GraphBuilder('names')
    const x: Value = g.input('x', 'f32', [2])
    const twice = g.add(x, x)
    for (const [name, v] of Object.entries({ same: x, three: g.f32(3), a: twice, b: twice }))
      g.output(name, v)
    const session = await openSession(g.finish(), { threads: 1 })
    const out = await session.run({ x: f32(numbers([2], 1, 2)) })
    expect(Object.fromEntries(Object.entries(out).map(([k, t]) => [k, [...t.data]]))).toEqual({
      same: [1, 2],
      three: [3],
      a: [2, 4],
      b: [2, 4],
    })
    await session.release()
  })

  it('writes outputs where it is told to, an input among them', async () => {
    const g = new GraphBuilder('sums')
    const [sum, x] = [g.input('sum', 'f32', ['N']), g.input('x', 'f32', ['N'])]
    g.output('sum.x', g.add(sum, x))
    g.output('twice', g.add(x, x))
    const session = await openSession(g.finish(), { threads: 1 })
    const [total, twice] = [f32(numbers([3], 1, 2, 3)), f32(numbers([3], 0, 0, 0))]
    for (let i = 0; i < 2; i++)
      await session.runInto({ sum: total, x: f32(numbers([3], 10, 20, 30)) }, { 'sum.x': total, twice })
    expect([...total.data]).toEqual([21, 42, 63])
    expect([...twice.data]).toEqual([20, 40, 60])
    await session.release()
  })

  it.each([
    ['no array', {}, 'run pairs: output sum, expected f32[B,2], found nothing'],
    [
      'an array of another size',
      { sum: f32(numbers([2, 2], 0, 0, 0, 0)) },
      'run pairs: output sum, expected f32[B,2] with B = 1, found f32[2,2] of 4 elements',
    ],
  ])('refuses %s to write to', async (_name, into, message) => {
    const session = await openSession(pairs().finish(), { threads: 1 })
    const feeds = { x: f32(numbers([1, 2], 1, 2)), y: f32(numbers([1, 1], 1)) }
    await expect(session.runInto(feeds, into)).rejects.toThrow(message)
    await session.release()
  })

  it('reports what fails within a run', async () => {
    const g = new GraphBuilder('rows')
    g.output('row', g.gather(g.input('x', 'f32', ['N', 1]), g.input('at', 'i64', [1])))
    const session = await openSession(g.finish(), { threads: 1 })
    const [x, row] = [f32(numbers([1, 1], 1)), f32(numbers([1, 1], 0))]
    const at = { dtype: 'i64', shape: [1], data: BigInt64Array.of(7n) } as const
    await expect(session.runInto({ x, at }, { row })).rejects.toThrow('out of data bounds')
    await session.release()
  })

  it.each([
    [
      'a missing input',
      { x: f32(numbers([1, 2], 1, 2)) },
      'run pairs: input y, expected f32[B,1], found nothing',
    ],
    [
      'a wrong rank',
      { x: f32(numbers([2], 1, 2)), y: f32(numbers([1, 1], 1)) },
      'run pairs: input x, expected f32[B,2], found f32[2] of 2 elements',
    ],
    [
      'two sizes for one name',
      { x: f32(numbers([1, 2], 1, 2)), y: f32(numbers([2, 1], 1, 2)) },
      'run pairs: input y, expected f32[B,1] with B = 1, found f32[2,1] of 2 elements',
    ],
    [
      'too few elements',
      { x: f32(numbers([2, 2], 1, 2, 3)), y: f32(numbers([2, 1], 1, 2)) },
      'run pairs: input x, expected f32[B,2] with B = 2, found f32[2,2] of 3 elements',
    ],
    [
      'an unknown input',
      { x: f32(numbers([1, 2], 1, 2)), y: f32(numbers([1, 1], 1)), z: f32(numbers([1], 1)) },
      'run pairs: no input z, inputs are x, y',
    ],
  ])('refuses %s', async (_name, feeds, message) => {
    const session = await openSession(pairs().finish(), { threads: 1 })
    await expect(session.run(feeds)).rejects.toThrow(message)
    await session.release()
  })

  it('names the graph and the device when the device is not there', async () => {
    // Where a CUDA provider loads, the session opens: then there is nothing to refuse.
    const opened = openSession(pairs().finish(), { threads: 1, device: 'cuda' })
    await opened.then(
      (session) => session.release(),
      (error: Error) => expect(error.message).toMatch(/^session pairs: cannot open on cuda: /),
    )
  })
})

describe('weights in a file', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'onnx-'))
    // 3 bytes of something else, then 1.5 and -2 as float32, then the same two as bfloat16 (upper halves).
    const bytes = Buffer.alloc(3 + 8 + 4)
    bytes.writeFloatLE(1.5, 3)
    bytes.writeFloatLE(-2, 7)
    bytes.copy(bytes, 11, 5, 7)
    bytes.copy(bytes, 13, 9, 11)
    await writeFile(join(folder, 'weights.bin'), bytes)
  })
  afterAll(() => rm(folder, { recursive: true }))

  const doubled = (dtype: 'f32' | 'bf16', offset: number, sizeBytes: number): GraphBuilder => {
    const g = new GraphBuilder('weights')
    const w = g.weight('w', dtype, [2], { location: 'weights.bin', offset, sizeBytes })
    g.output('y', g.mul(g.cast(w, 'f32'), g.input('x', 'f32', [])))
    return g
  }

  it.each([
    ['float32 at any offset', doubled('f32', 3, 8)],
    ['bfloat16, cast in the graph', doubled('bf16', 11, 4)],
  ])('%s', async (_name, g) => {
    const session = await openSession(g.finish(), { threads: 1, weightsFolder: folder })
    const { y } = await session.run({ x: f32(numbers([], 2)) })
    expect([...y!.data]).toEqual([3, -4])
    await session.release()
  })

  it('asks for the folder when there is none, and says which weight lies beyond its file', async () => {
    const missing = openSession(doubled('f32', 3, 8).finish(), { threads: 1 })
    await expect(missing).rejects.toThrow('session weights: expected a weights folder for w')
    const short = openSession(doubled('f32', 11, 8).finish(), { threads: 1, weightsFolder: folder })
    await expect(short).rejects.toThrow(
      /^session weights: cannot open on cpu: .*: w offset: 11 size to read: 8 given file_length: 15/,
    )
  })
})
