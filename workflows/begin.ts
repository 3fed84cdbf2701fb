/** What a run does before its first step: all of it is remembered by the store, and costs a later start of the run little. */
import { lacking } from './attributes.ts'
import type { Curve } from './curve.ts'
import { trainDetails, upsert } from './details.ts'
import { dataNotes } from './notes.ts'
import { problemsOf } from './problems.ts'
import type { TrainProgress } from './progress.ts'
import { light } from './proxies.ts'
import type { Standing } from './standing.ts'
import { tagsWith } from './tags.ts'

/** The spec resolved, model and problems taken in, the run's prefix opened. */
export async function admitted(run: string, input: unknown) {
  const { spec, attributes, missing, tags, notes: ofSpec = [] } = await light.admitTrain({ spec: input, run })
  upsert(attributes, { Tags: tagsWith(tags) }) // no spec of before there were tags has any
  const [model, data] = await Promise.all([
    light.intakeModel({ model: spec.model }),
    light.intakeData({ data: spec.data, run, ...(spec.steps > 0 && { reward: spec.reward }) }),
  ])
  const taken = { source: model.source, data: data.source }
  const { source, deviceSeconds, notes: ofLabels } = await problemsOf(run, spec, taken)
  const { overlaps, ...enrolled } = await light.enroll({ run, spec, model: model.source, data: source })
  const untagged = tags !== undefined && missing.includes('Tags') ? [lacking(['Tags'])] : []
  const ofData = [...dataNotes(data.findings, overlaps), ...(data.notes ?? []), ...ofLabels]
  const notes = [...untagged, ...(model.notes ?? []), ...ofData, ...ofSpec]
  upsert(attributes, { Model: spec.model, Seed: spec.seed, Step: enrolled.step })
  const describe = (at: TrainProgress, { recent }: Standing, { points }: Curve) =>
    trainDetails(spec, at, recent, points, missing)
  return { spec, attributes, enrolled, describe, notes, deviceSeconds }
}

/** What an earlier start of the run left: its last metrics, its curve, and the points that are missing of it. */
export async function recalled(run: string, last: number, standing: Standing, curve: Curve): Promise<void> {
  if (last === 0) return curve.due(0).forEach((step) => curve.begin(step))
  const evaluation = curve.evaluationAt(0)
  const found = await light.recall({ run, step: last, due: curve.due(last), evaluation })
  standing.recent = found.recent
  standing.rewarded.recall(last, found)
  curve.points = found.curve
  found.missing.forEach((step) => curve.begin(step))
}
