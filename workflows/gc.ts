/** Removes what no manifest needs and nobody wrote lately: a survey, then the blobs digit by digit, then uploads. */
import * as wf from '@temporalio/workflow'
import type { Collected, Sum } from '../activities/contracts.ts'
import { showHousekeeping, sizeOf } from './details.ts'
import { doing } from './doing.ts'
import type { Doing } from './progress.ts'
import { housekeeping, light } from './proxies.ts'
import { beginSurvey, digits, survey, type SurveyState } from './survey.ts'

export interface GcProgress extends Doing {
  readonly phase: 'admitting' | 'surveying' | 'collecting' | 'done'
  readonly manifests: number
  /** Sixteenths of the blobs that are through. */
  readonly parts: number
  readonly unneeded: Sum
  readonly removed: Sum
}

export interface GcResult {
  readonly dryRun: boolean
  /** Only what was last written before it could go. */
  readonly cutoff: string
  readonly manifests: number
  /** Checkpoints that their run no longer keeps; their manifests stay. */
  readonly dropped: number
  readonly needed: Sum
  readonly young: Sum
  readonly unneeded: Sum
  /** At least these; after a kill, those since the last heartbeat are missing. */
  readonly removed: Sum
  readonly uploads: { readonly stale: number; readonly young: number; readonly discarded: number }
}

/** What continue-as-new carries. */
export interface GcState {
  readonly survey: SurveyState
  readonly parts: readonly Collected[]
}

export const progressQuery = wf.defineQuery<GcProgress>('progress')

/** Problems that a failure names, when documents cannot be read. */
const maxProblems = 20

export async function gc(input?: unknown, state?: GcState): Promise<GcResult> {
  const parts = [...(state?.parts ?? [])]
  let surveyed = state?.survey ?? null
  let phase: GcProgress['phase'] = 'admitting'
  const total = (of: 'needed' | 'young' | 'unneeded' | 'removed'): Sum => ({
    count: parts.reduce((sum, part) => sum + part[of].count, 0),
    sizeBytes: parts.reduce((sum, part) => sum + part[of].sizeBytes, 0),
  })
  wf.setHandler(progressQuery, () => ({
    phase,
    manifests: surveyed?.manifests ?? 0,
    parts: parts.length,
    unneeded: total('unneeded'),
    removed: total('removed'),
    ...doing(),
  }))
  const { dryRun, graceHours } = await light.admitGc({ spec: input })
  const show = (now: GcProgress['phase']) => {
    phase = now
    showHousekeeping(phase, [
      ['manifests', surveyed?.manifests ?? 0],
      ['checkpoints no longer kept', surveyed?.dropped ?? 0],
      ['parts of the blobs', `${parts.length} of ${digits.length}`],
      ['needed', sizeOf(total('needed'))],
      ['not needed, but young', sizeOf(total('young'))],
      [dryRun ? 'not needed (dry run: they stay)' : 'not needed', sizeOf(total('unneeded'))],
      ['removed', sizeOf(total('removed'))],
    ])
  }

  const begun = surveyed ?? beginSurvey(graceHours)
  surveyed = await survey(begun, { strict: true, maxProblems }, (at) => ((surveyed = at), show('surveying')))
  if (surveyed.next !== null) return wf.continueAsNew<typeof gc>(input, { survey: surveyed, parts })
  const task = { survey: surveyed.survey, cutoffMs: surveyed.cutoffMs, dryRun }
  for (const digit of digits.slice(parts.length)) {
    parts.push(await housekeeping.collect({ ...task, digit }))
    show('collecting')
  }
  const uploads = await housekeeping.discard(task)
  show('done')
  return {
    dryRun,
    cutoff: new Date(surveyed.cutoffMs).toISOString(),
    manifests: surveyed.manifests,
    dropped: surveyed.dropped,
    needed: total('needed'),
    young: total('young'),
    unneeded: total('unneeded'),
    removed: total('removed'),
    uploads,
  }
}
