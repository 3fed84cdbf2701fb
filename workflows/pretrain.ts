/** A nano model from its recipe: initialise, learn its phases in chunks of updates, publish. */
import * as wf from '@temporalio/workflow'
import { doing, show } from './doing.ts'
import type { Doing } from './progress.ts'
import { compute, light } from './proxies.ts'

export interface PretrainProgress extends Doing {
  readonly phase: string
  readonly update: number
  readonly updates: number
  readonly loss: number | null
}

export const progressQuery = wf.defineQuery<PretrainProgress>('progress')

export async function pretrain(input: unknown): Promise<{ model: string; policy: string }> {
  let at: PretrainProgress = { phase: 'admitting', update: 0, updates: 0, loss: null }
  wf.setHandler(progressQuery, () => ({ ...at, ...doing() }))
  const { spec, phases } = await light.admitPretrain({ spec: input })
  const updates = phases.reduce((sum, phase) => sum + phase.updates, 0)
  let checkpoint = await light.initialise(spec)
  for (const { phase, from, to } of phases.flatMap(chunks)) {
    const learnt = await compute.learn({ ...spec, phase, from, to, checkpoint })
    checkpoint = learnt.checkpoint
    at = { phase, update: at.update + to - from, updates, loss: learnt.loss }
    show(`${phase}: update ${at.update} of ${updates}, loss ${learnt.loss.toFixed(4)}`)
  }
  return light.publish({ ...spec, checkpoint })
}

/** A chunk is what a kill can cost. */
const updatesAChunk = 200

function chunks({ phase, updates }: { phase: string; updates: number }) {
  return Array.from({ length: Math.ceil(updates / updatesAChunk) }, (_, i) => ({
    phase,
    from: i * updatesAChunk,
    to: Math.min(updates, (i + 1) * updatesAChunk),
  }))
}
