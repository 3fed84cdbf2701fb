/**
 * The embedded engine: policies from blobs, computed by onnxruntime in a worker thread of this process.
 *
 * The main thread only moves files and messages, so heartbeats and cancellation go on while a session runs. One
 * thread serves one call at a time: that is the process's one compute slot. A thread that dies fails the calls it
 * had, and the next call starts another.
 */
import { mkdir, rm } from 'node:fs/promises'
import { cpus } from 'node:os'
import { basename } from 'node:path'
import { Worker } from 'node:worker_threads'
import { atOnce } from '../checkpoint/at-once.ts'
import { digestOf } from '../checkpoint/canonical.ts'
import type { Blobs } from '../checkpoint/store.ts'
import type { Checkpoint, NamedBlob, Objective, Optimizer, Policy } from '../contracts.ts'
import { revived } from '../faults/nature.ts'
import type { Call, FromThread, LocalPolicy, Updated } from './messages.ts'
import { NonFiniteLoss, StateLost } from './port.ts'
import type {
  Completion,
  Control,
  Decoding,
  Engine,
  Minibatch,
  MinibatchSums,
  Prompt,
  Sequence,
  UpdatePlan,
} from './port.ts'

/** Raised when a change moves numbers on purpose: results of two versions are not expected to be equal. */
export const NUMERICS_VERSION = 1

/** Files on their way to the store at once: one is digested while another is sent. */
const filesAtOnce = 2

export interface EmbeddedOptions {
  readonly blobs: Blobs
  readonly threads: number
  /** Bytes of models that may stay in memory between calls; the one in use is never counted out. */
  readonly residentBytes: number
  /** Milliseconds of the clock that counts what is computed. */
  readonly now: () => number
}

interface Pending {
  readonly control: Control
  readonly completion?: (completion: Completion) => void
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

export class EmbeddedEngine implements Engine {
  readonly domain: string
  readonly #options: EmbeddedOptions
  readonly #pending = new Map<number, Pending>()
  #thread: Worker | null = null
  #nextId = 0
  #busyMs = 0

  constructor(options: EmbeddedOptions) {
    this.#options = options
    // The kernels onnxruntime picks depend on the instruction set, which the CPU's model stands for.
    this.domain = `onnxruntime-node 1.30.0; numerics ${NUMERICS_VERSION}; cpu; ${cpus()[0]?.model ?? 'unknown'}`
  }

  get busySeconds(): number {
    return this.#busyMs / 1000
  }

  async *sample(
    policy: Policy,
    prompts: readonly Prompt[],
    decoding: Decoding,
    control: Control,
  ): AsyncGenerator<Completion> {
    const local = await this.#localise(policy, control)
    const ready: Completion[] = []
    let wake: () => void = () => {}
    let finished = false
    const call = this.#call({ kind: 'sample', policy: local, prompts, decoding }, control, (completion) => {
      ready.push(completion)
      wake()
    }).finally(() => {
      finished = true
      wake()
    })
    call.catch(() => {}) // rethrown below, once everything finished has been handed over
    for (;;) {
      for (let next = ready.shift(); next !== undefined; next = ready.shift()) yield next
      if (finished) break
      await new Promise<void>((resolve) => {
        wake = resolve
        if (finished || ready.length > 0) resolve()
      })
    }
    await call
  }

  async update(
    checkpoint: Checkpoint,
    minibatches: readonly Minibatch[],
    objective: Objective,
    optimizer: Optimizer,
    plan: UpdatePlan,
    control: Control,
  ): Promise<{ checkpoint: Checkpoint; sums: MinibatchSums[] }> {
    const policy = await this.#localise(checkpoint.policy, control)
    const state =
      checkpoint.optimizer.state &&
      (await Promise.all(checkpoint.optimizer.state.map((blob) => this.#file(blob, control))))
    const folder = await this.#options.blobs.scratch('update')
    await mkdir(folder, { recursive: true })
    try {
      const { lineage, microbatchTokens, store } = plan
      const local = { policy, lineage: checkpoint.lineage, updates: checkpoint.optimizer.updates, state }
      const call: Call = {
        kind: 'update',
        checkpoint: local,
        minibatches,
        objective,
        optimizer,
        lineage,
        microbatchTokens,
        folder,
        saveOptimizer: store === 'weights and state',
      }
      const updated = (await this.#call(call, control)) as Updated
      const files = [...updated.weights, ...(updated.state ?? [])]
      const adopted = await this.#adopt(files, store !== 'nothing', control)
      const weights = adopted.slice(0, updated.weights.length)
      const written = updated.state && adopted.slice(updated.weights.length)
      return {
        checkpoint: {
          policy: withWeights(checkpoint.policy, weights),
          lineage,
          optimizer: { name: optimizer.name, updates: updated.updates, state: written },
        },
        sums: updated.sums,
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  async score(policy: Policy, sequences: readonly Sequence[], control: Control): Promise<Float32Array[]> {
    const local = await this.#localise(policy, control)
    return (await this.#call({ kind: 'score', policy: local, sequences }, control)) as Float32Array[]
  }

  async close(): Promise<void> {
    await this.#thread?.terminate()
    this.#thread = null
  }

  #call(call: Call, control: Control, completion?: (completion: Completion) => void): Promise<unknown> {
    control.signal.throwIfAborted()
    const id = this.#nextId++
    const thread = (this.#thread ??= this.#start())
    const begun = this.#options.now()
    return new Promise((resolve, reject) => {
      const abort = () => thread.postMessage({ id, abort: true })
      const settle = () => {
        this.#busyMs += this.#options.now() - begun
        control.signal.removeEventListener('abort', abort)
        this.#pending.delete(id)
      }
      this.#pending.set(id, {
        control,
        ...(completion && { completion }),
        resolve: (value) => (settle(), resolve(value)),
        reject: (error) => (settle(), reject(error)),
      })
      control.signal.addEventListener('abort', abort, { once: true })
      thread.postMessage({ id, call })
    })
  }

  #start(): Worker {
    const { threads, residentBytes } = this.#options
    const thread = new Worker(new URL('./thread.mjs', import.meta.url), {
      workerData: { threads, residentBytes },
    })
    thread.on('message', (message: FromThread) => this.#receive(message))
    const lost = (error: Error) => {
      if (this.#thread === thread) this.#thread = null
      for (const pending of [...this.#pending.values()]) pending.reject(error)
    }
    thread.on('error', lost)
    thread.on('exit', (code) => lost(new Error(`engine: the compute thread ended with code ${code}`)))
    return thread
  }

  #receive(message: FromThread): void {
    const pending = this.#pending.get(message.id)
    if (pending === undefined) return
    if ('progress' in message) pending.control.progress(message.progress)
    else if ('completion' in message) pending.completion?.(message.completion)
    else if ('done' in message) pending.resolve(message.done)
    else pending.reject(revive(message.failed, pending.control.signal))
  }

  async #localise(policy: Policy, control: Control): Promise<LocalPolicy> {
    const files = await Promise.all(
      policy.files.map(async ({ name, ...blob }) => ({
        name,
        path: await this.#file(blob, control),
        sizeBytes: blob.sizeBytes,
      })),
    )
    return { digest: policy.digest, files }
  }

  #file({ digest, sizeBytes }: { digest: string; sizeBytes: number }, control: Control): Promise<string> {
    const progress = (done: number, total: number) => control.progress({ phase: 'load', done, total })
    return this.#options.blobs.file({ digest, sizeBytes }, { signal: control.signal, progress })
  }

  #adopt(paths: readonly string[], stored: boolean, control: Control): Promise<NamedBlob[]> {
    const { blobs } = this.#options
    return atOnce(filesAtOnce, paths.length, async (i) => {
      const path = paths[i]!
      const progress = (done: number, total: number) => control.progress({ phase: 'save', done, total })
      const transfer = { signal: control.signal, progress }
      const ref = await (stored ? blobs.adopt(path, transfer) : blobs.keep(path, transfer))
      return { name: basename(path), ...ref }
    })
  }
}

/** The files of a policy whose weights were replaced; its digest covers every name and content. */
export function withWeights(policy: Policy, weights: readonly NamedBlob[]): Policy {
  const kept = policy.files.filter(({ name }) => !/\.safetensors(\.index\.json)?$/.test(name))
  return policyOf([...kept, ...weights])
}

export function policyOf(files: readonly NamedBlob[]): Policy {
  const sorted = [...files]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, digest, sizeBytes }) => ({ name, digest, sizeBytes }))
  return { digest: digestOf(sorted), files: sorted }
}

function revive(failed: Extract<FromThread, { failed: unknown }>['failed'], signal: AbortSignal): Error {
  if (signal.aborted) return signal.reason instanceof Error ? signal.reason : new Error('aborted')
  if (failed.name === 'NonFiniteLoss') return new NonFiniteLoss(failed.message, failed.minibatch ?? -1)
  if (failed.name === 'StateLost') return new StateLost(failed.message)
  return revived(failed)
}
