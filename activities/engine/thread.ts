/**
 * The compute side of the embedded engine: one call at a time, in the order they came.
 *
 * Samplers and trainers stay resident between calls, so that consecutive steps of a run find their state hot: a
 * sampler under its policy's digest, a trainer under its checkpoint's lineage. What was used longest ago leaves when
 * the budget is passed; nothing but time depends on what is resident.
 */
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { plainOf } from '../faults/nature.ts'
import { openPolicy } from '../policy/open.ts'
import { Sampler } from '../policy/generation.ts'
import { Trainer } from '../policy/trainer.ts'
import { readOptimizerState, writeOptimizerState } from '../policy/state.ts'
import { writeSafetensors } from '../policy/safetensors.ts'
import { collect } from './collect.ts'
import type { Call, FromThread, LocalCheckpoint, LocalPolicy, ToThread, Updated } from './messages.ts'
import { NonFiniteLoss, StateLost, type Control } from './port.ts'
import { Residents } from './residents.ts'

const { threads, residentBytes } = workerData as { threads: number; residentBytes: number }
const port = parentPort
if (port === null) throw new Error('engine thread: started outside a worker thread')
const say = (message: FromThread) => port.postMessage(message)

const residents = new Residents(residentBytes)
const aborts = new Map<number, AbortController>()
let queue: Promise<void> = Promise.resolve()

port.on('message', (message: ToThread) => {
  if ('abort' in message) {
    aborts.get(message.id)?.abort()
    return
  }
  aborts.set(message.id, new AbortController())
  queue = queue.then(() => serve(message.id, message.call))
})

async function serve(id: number, call: Call): Promise<void> {
  const control: Control = {
    signal: aborts.get(id)!.signal,
    progress: (progress) => say({ id, progress }),
  }
  try {
    control.signal.throwIfAborted()
    say({ id, done: await answer(id, call, control) })
  } catch (error) {
    const minibatch = error instanceof NonFiniteLoss ? { minibatch: error.minibatch } : {}
    say({ id, failed: { ...plainOf(error), ...minibatch } })
  } finally {
    aborts.delete(id)
  }
}

async function answer(id: number, call: Call, control: Control): Promise<unknown> {
  switch (call.kind) {
    case 'sample': {
      const sampler = await samplerOf(call.policy)
      for await (const completion of sampler.sample(call.prompts, call.decoding, control))
        say({ id, completion })
      return null
    }
    case 'score': {
      const trainer = await scorerOf(call.policy)
      return trainer.score(call.sequences, control)
    }
    case 'update':
      return update(call, control)
  }
}

async function update(call: Extract<Call, { kind: 'update' }>, control: Control): Promise<Updated> {
  // The policy that is being left is sampled no more, but for an evaluation: its memory is worth more to the update.
  residents.drop(`sampler ${call.checkpoint.policy.digest}`)
  if (sizeOf(call.checkpoint.policy) > largeBytes) collect()
  const trainer = await trainerOf(call.checkpoint)
  try {
    const sums = await trainer.update(call.minibatches, call.objective, call.optimizer, call, control)
    control.progress({ phase: 'save', done: 0, total: 1 })
    const weights = await writeSafetensors(trainer.weights(), join(call.folder, 'model'))
    const state = call.saveOptimizer
      ? await writeOptimizerState(trainer.optimizerState(), join(call.folder, 'optimizer'))
      : null
    residents.put(`trainer ${call.lineage}`, trainer, 4 * sizeOf(call.checkpoint.policy))
    return { weights, state, updates: trainer.optimizerState().updates, sums }
  } catch (error) {
    trainer.release() // its weights moved on from every key it could be found under
    throw error
  }
}

/** A resident trainer is taken out: its weights are about to change, so its old key must not find it again. */
async function trainerOf(checkpoint: LocalCheckpoint): Promise<Trainer> {
  const hot = residents.take(`trainer ${checkpoint.lineage}`)
  if (hot instanceof Trainer) return hot
  const { state: stored } = checkpoint
  if (stored === null)
    throw new StateLost(`optimizer state of checkpoint ${checkpoint.lineage} is neither stored nor resident`)
  residents.makeRoom(4 * sizeOf(checkpoint.policy))
  const state = stored.length > 0 ? await readOptimizerState(stored, checkpoint.updates) : null
  return Trainer.open(await openPolicy(checkpoint.policy.files), state, { threads })
}

async function samplerOf(policy: LocalPolicy): Promise<Sampler> {
  const key = `sampler ${policy.digest}`
  const hot = residents.get(key)
  if (hot instanceof Sampler) return hot
  const size = sizeOf(policy)
  residents.makeRoom(2 * size)
  if (size > largeBytes) collect()
  const sampler = await Sampler.open(await openPolicy(policy.files), { threads })
  residents.put(key, sampler, 2 * size)
  return sampler
}

async function scorerOf(policy: LocalPolicy): Promise<Trainer> {
  const key = `scorer ${policy.digest}`
  const hot = residents.get(key)
  if (hot instanceof Trainer) return hot
  residents.makeRoom(2 * sizeOf(policy))
  const trainer = await Trainer.open(await openPolicy(policy.files), null, { threads })
  residents.put(key, trainer, 2 * sizeOf(policy))
  return trainer
}

/** Sessions, caches and arenas of a resident whose weights are next to nothing: measured, nano models. */
const overheadBytes = 48 * 2 ** 20

/** From here on, what an update or a sampler leaves behind is worth a collection. */
const largeBytes = 256 * 2 ** 20

/** Bytes of the policy's weights, what every resident's size is a multiple of, and never less than its overhead. */
function sizeOf(policy: LocalPolicy): number {
  const weights = policy.files.filter((file) => file.name.endsWith('.safetensors'))
  return overheadBytes + weights.reduce((sum, file) => sum + file.sizeBytes, 0)
}
