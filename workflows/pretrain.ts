/** A nano model from its recipe: initialise, learn its phases in chunks of updates, publish. */
import * as wf from '@temporalio/workflow'
import { compute, light } from './proxies.ts'

export const progressQuery = wf.defineQuery<{
  phase: string
  update: number
  updates: number
  loss: number | null
}>('progress')

export async function pretrain(input: unknown): Promise<{ model: string; policy: string }> {
  let at: { phase: string; update: number; updates: number; loss: number | null } = {
    phase: 'admitting',
    update: 0,
    updates: 0,
    loss: null,
  }
  wf.setHandler(progressQuery, () => at)
  const { spec, phases } = await light.admitPretrain({ spec: input })
  const updates = phases.reduce((sum, phase) => sum + phase.updates, 0)
  let checkpoint = await light.initialise(spec)
  for (const { phase, from, to } of phases.flatMap(chunks)) {
    const learnt = await compute.learn({ ...spec, phase, from, to, checkpoint })
    checkpoint = learnt.checkpoint
    at = { phase, update: at.update + to - from, updates, loss: learnt.loss }
    wf.setCurrentDetails(`${phase}: update ${at.update} of ${updates}, loss ${learnt.loss.toFixed(4)}`)
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
