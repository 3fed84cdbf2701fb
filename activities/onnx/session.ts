/**
 * The one door to onnxruntime-node (1.30.0, pinned): opens a graph as a session and runs it on typed arrays.
 * Opening and running block the thread they are called on, although they return promises: callers that must answer
 * heartbeats run them in a worker thread. Inputs are not copied; outputs are fresh arrays. Feeds are checked here
 * against the graph, because the runtime's own messages name neither the graph nor the dimension.
 * Left out: device tensors, bf16 inputs and outputs.
 */
import * as ort from 'onnxruntime-node'
import { encode } from './encode.ts'
import type { DType, Graph, Value } from './value.ts'
import { show } from './dims.ts'

export type TensorData = Float32Array | BigInt64Array | Int32Array | Uint16Array | Uint8Array
/** `data` is row-major; f16 as its bits (Uint16Array), bool as one byte each. */
export interface Tensor {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: TensorData
}

export interface SessionOptions {
  readonly threads: number
  /** Where the files of external weights lie. */
  readonly weightsFolder?: string
  /** Threads wait actively within a run: faster with many small nodes, slower on a busy machine. Default false. */
  readonly spinning?: boolean
  /** Copy weights into the layout the kernels like best. Default true; false keeps them mapped from their file. */
  readonly prepack?: boolean
  readonly device?: 'cpu' | 'cuda' | 'webgpu'
}

export interface Session {
  readonly graph: Graph
  /** All outputs of the graph, by name. */
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>
  release(): Promise<void>
}

export async function openSession(graph: Graph, options: SessionOptions): Promise<Session> {
  const session = await create(graph, options)
  const given = (feeds: Readonly<Record<string, Tensor>>) => {
    checkFeeds(graph, feeds)
    return Object.fromEntries(graph.inputs.map(({ name }) => [name, toRuntime(feeds[name]!)]))
  }
  return {
    graph,
    async run(feeds) {
      const results = await session.run(given(feeds))
      return Object.fromEntries(
        graph.outputs.map(({ name, value }) => [name, fromRuntime(value, results[name]!)]),
      )
    },
    release: () => session.release(),
  }
}

async function create(graph: Graph, options: SessionOptions): Promise<ort.InferenceSession> {
  const { device = 'cpu', weightsFolder, prepack = true } = options
  if (graph.weights.length > 0 && !weightsFolder)
    throw new Error(`session ${graph.name}: expected a weights folder for ${graph.weights[0]!.value.name}`)
  const session: Record<string, unknown> = {
    intra_op: { allow_spinning: options.spinning ? '1' : '0' },
    force_spinning_stop: '1', // between runs
  }
  if (weightsFolder) session.model_external_initializers_file_folder_path = weightsFolder
  if (!prepack) session.disable_prepacking = '1'
  try {
    return await ort.InferenceSession.create(encode(graph), {
      executionProviders: [device],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      enableMemPattern: false, // planned from the first run's sizes: costs the most memory of all options
      enableCpuMemArena: true, // freed buffers serve the next node: without it 10-25 % more time, and page faults
      logSeverityLevel: 4, // fatal only: everything else arrives as an exception
      extra: { session },
    })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`session ${graph.name}: cannot open on ${device}: ${reason}`, { cause })
  }
}

/** Every input given, of its type, each named dimension of one size throughout. */
function checkFeeds(graph: Graph, feeds: Readonly<Record<string, Tensor>>): void {
  const sizes = new Map<string, number>()
  for (const input of graph.inputs) {
    const found = feeds[input.name]
    const expected = `${input.dtype}[${show(input.shape)}]`
    if (!found) throw new Error(`run ${graph.name}: input ${input.name}, expected ${expected}, found nothing`)
    const fail = (): never => {
      const known = [...sizes].map(([name, size]) => `${name} = ${size}`).join(', ')
      throw new Error(
        `run ${graph.name}: input ${input.name}, expected ${expected}${known && ` with ${known}`}, ` +
          `found ${found.dtype}[${found.shape.join(',')}] of ${found.data.length} elements`,
      )
    }
    if (found.dtype !== input.dtype || found.shape.length !== input.shape.length) fail()
    for (const [i, dim] of input.shape.entries()) {
      const size = found.shape[i]!
      if (size !== (typeof dim === 'number' ? dim : (sizes.get(dim) ?? size))) fail()
      if (typeof dim === 'string') sizes.set(dim, size)
    }
    if (found.data.length !== found.shape.reduce((n, d) => n * d, 1)) fail()
  }
  for (const name of Object.keys(feeds))
    if (!graph.inputs.some((input) => input.name === name))
      throw new Error(
        `run ${graph.name}: no input ${name}, inputs are ${graph.inputs.map((v) => v.name).join(', ')}`,
      )
}

const runtimeTypes: { readonly [K in DType]: ort.Tensor.Type | null } = {
  f32: 'float32',
  f16: 'float16',
  bf16: null,
  i64: 'int64',
  i32: 'int32',
  bool: 'bool',
}

function toRuntime({ dtype, shape, data }: Tensor): ort.Tensor {
  const type = runtimeTypes[dtype]
  if (!type) throw new Error(`run: ${dtype} cannot cross into the runtime, cast inside of the graph`)
  return new ort.Tensor(type, data as ort.Tensor.DataType, [...shape])
}

function fromRuntime(value: Value, { data, dims }: ort.Tensor): Tensor {
  return { dtype: value.dtype, shape: dims, data: data as TensorData }
}
