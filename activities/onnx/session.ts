/**
 * The one door to onnxruntime-node (1.30.0, pinned): opens a graph as a session and runs it on typed arrays.
 * Opening and running block the thread they are called on, although they return promises: callers that must answer
 * heartbeats run them in a worker thread. Inputs are not copied. Feeds are checked here against the graph, because the
 * runtime's own messages name neither the graph nor the dimension.
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

export type Tensors = Readonly<Record<string, Tensor>>

export interface Session {
  readonly graph: Graph
  /** All outputs of the graph, by name, in fresh arrays. */
  run(feeds: Tensors): Promise<Record<string, Tensor>>
  /**
   * Writes every output into the array that `into` has under its name. This may be the array of an input whose elements
   * are read for no other element's sake: so a sum grows in its place.
   */
  runInto(feeds: Tensors, into: Tensors): Promise<void>
  release(): Promise<void>
}

/**
 * The binding copies every output of a run into a fresh array, those that the caller gave an array for as well: megabytes
 * of weights' gradients at each layer. It does so in the outputs' order and ends with an error at the first that is not a
 * tensor, when the run itself is over. So each graph has an empty sequence before its own outputs, and `runInto` asks for
 * it: nothing is copied. A binding that learns to give out sequences would copy again, and change nothing else.
 */
const UNCOPIED = 'uncopied'
const NO_TENSOR = 'Non tensor type is temporarily not supported.'

export async function openSession(graph: Graph, options: SessionOptions): Promise<Session> {
  const session = await create(graph, options)
  const names = graph.outputs.map(({ name }) => name)
  return {
    graph,
    async run(feeds) {
      checkTensors(graph, { feeds })
      const results = await session.run(toRuntime(feeds), names)
      return Object.fromEntries(
        graph.outputs.map(({ name, value }) => [name, fromRuntime(value, results[name]!)]),
      )
    },
    async runInto(feeds, into) {
      checkTensors(graph, { feeds, into })
      try {
        await session.run(toRuntime(feeds), { [UNCOPIED]: null, ...toRuntime(into) })
      } catch (error) {
        if (!(error instanceof Error && error.message.includes(NO_TENSOR))) throw error
      }
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
    return await ort.InferenceSession.create(encode(graph, { sequence: UNCOPIED }), {
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

/** Every input given, and an array for every output where there are any; each named dimension of one size throughout. */
function checkTensors(graph: Graph, { feeds, into }: { feeds: Tensors; into?: Tensors }): void {
  const sizes = new Map<string, number>()
  for (const input of graph.inputs) checkTensor(graph, 'input', input.name, input, feeds, sizes)
  if (into)
    for (const { name, value } of graph.outputs) checkTensor(graph, 'output', name, value, into, sizes)
  for (const name of Object.keys(feeds))
    if (!graph.inputs.some((input) => input.name === name))
      throw new Error(
        `run ${graph.name}: no input ${name}, inputs are ${graph.inputs.map((v) => v.name).join(', ')}`,
      )
}

function checkTensor(
  graph: Graph,
  kind: 'input' | 'output',
  name: string,
  { dtype, shape }: Value,
  given: Tensors,
  sizes: Map<string, number>,
): void {
  const found = given[name]
  const expected = `${dtype}[${show(shape)}]`
  if (!found) throw new Error(`run ${graph.name}: ${kind} ${name}, expected ${expected}, found nothing`)
  const fail = (): never => {
    const known = [...sizes].map(([dim, size]) => `${dim} = ${size}`).join(', ')
    throw new Error(
      `run ${graph.name}: ${kind} ${name}, expected ${expected}${known && ` with ${known}`}, ` +
        `found ${found.dtype}[${found.shape.join(',')}] of ${found.data.length} elements`,
    )
  }
  if (found.dtype !== dtype || found.shape.length !== shape.length) fail()
  for (const [i, dim] of shape.entries()) {
    const size = found.shape[i]!
    if (size !== (typeof dim === 'number' ? dim : (sizes.get(dim) ?? size))) fail()
    if (typeof dim === 'string') sizes.set(dim, size)
  }
  if (found.data.length !== found.shape.reduce((n, d) => n * d, 1)) fail()
}

const runtimeTypes: { readonly [K in DType]: ort.Tensor.Type | null } = {
  f32: 'float32',
  f16: 'float16',
  bf16: null,
  i64: 'int64',
  i32: 'int32',
  bool: 'bool',
}

function toRuntime(tensors: Tensors): Record<string, ort.Tensor> {
  const given = Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
    const type = runtimeTypes[dtype]
    if (!type) throw new Error(`run: ${dtype} cannot cross into the runtime, cast inside of the graph`)
    return [name, new ort.Tensor(type, data as ort.Tensor.DataType, [...shape])] as const
  })
  return Object.fromEntries(given)
}

function fromRuntime(value: Value, { data, dims }: ort.Tensor): Tensor {
  return { dtype: value.dtype, shape: dims, data: data as TensorData }
}
