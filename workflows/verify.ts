/** Whether all that manifests name is there and whole: a survey, then every blob's size and digest, digit by digit. */
import * as wf from '@temporalio/workflow'
import type { Inspected, Problem, Sum } from '../activities/contracts.ts'
import { showHousekeeping, sizeOf } from './details.ts'
import { doing } from './doing.ts'
import type { Doing } from './progress.ts'
import { housekeeping, light } from './proxies.ts'
import { beginSurvey, digits, survey, type SurveyState } from './survey.ts'

export interface VerifyProgress extends Doing {
  readonly phase: 'admitting' | 'surveying' | 'inspecting' | 'done'
  readonly manifests: number
  /** Sixteenths of the blobs that are through. */
  readonly parts: number
  readonly intact: Sum
  readonly problemCount: number
}

export interface VerifyResult {
  readonly ok: boolean
  readonly manifests: number
  /** Checkpoints that their run no longer keeps: their blobs may be gone. */
  readonly dropped: number
  readonly intact: Sum
  readonly readBytes: number
  /** Blobs that only such checkpoints name, and that are gone. */
  readonly gone: number
  readonly problemCount: number
  /** The first of them. */
  readonly problems: readonly Problem[]
}

/** What continue-as-new carries. */
export interface VerifyState {
  readonly survey: SurveyState
  readonly parts: readonly Inspected[]
}

export const progressQuery = wf.defineQuery<VerifyProgress>('progress')

export async function verify(input?: unknown, state?: VerifyState): Promise<VerifyResult> {
  const parts = [...(state?.parts ?? [])]
  let surveyed = state?.survey ?? null
  let phase: VerifyProgress['phase'] = 'admitting'
  const sum = (of: (part: Inspected) => number) => parts.reduce((total, part) => total + of(part), 0)
  const totals = () => ({
    manifests: surveyed?.manifests ?? 0,
    intact: { count: sum((part) => part.intact.count), sizeBytes: sum((part) => part.intact.sizeBytes) },
    problemCount: (surveyed?.problemCount ?? 0) + sum((part) => part.problemCount),
  })
  wf.setHandler(progressQuery, () => ({ phase, parts: parts.length, ...totals(), ...doing() }))
  const { digests, problems: maxProblems } = await light.admitVerify({ spec: input })
  const problems = () =>
    [...(surveyed?.problems ?? []), ...parts.flatMap((part) => part.problems)].slice(0, maxProblems)
  const show = (now: VerifyProgress['phase']) => {
    phase = now
    const rows: [string, string | number][] = [
      ['manifests', totals().manifests],
      ['parts of the blobs', `${parts.length} of ${digits.length}`],
      ['intact', sizeOf(totals().intact)],
      ['problems', totals().problemCount],
    ]
    showHousekeeping(phase, rows, problems())
  }

  // Nothing is too young to have been dropped by a collection with another grace period than one knows.
  const begun = surveyed ?? beginSurvey(0)
  surveyed = await survey(begun, { strict: false, maxProblems }, (at) => ((surveyed = at), show('surveying')))
  if (surveyed.next !== null) return wf.continueAsNew<typeof verify>(input, { survey: surveyed, parts })
  for (const digit of digits.slice(parts.length)) {
    parts.push(await housekeeping.inspect({ survey: surveyed.survey, digit, digests, maxProblems }))
    show('inspecting')
  }
  await light.endSurvey({ survey: surveyed.survey })
  show('done')
  return {
    ok: totals().problemCount === 0,
    ...totals(),
    dropped: surveyed.dropped,
    readBytes: sum((part) => part.readBytes),
    gone: sum((part) => part.gone),
    problems: problems(),
  }
}
