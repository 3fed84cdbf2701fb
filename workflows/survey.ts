/** The pages of a survey, one after another: what every workflow that goes through the whole store begins with. */
import * as wf from '@temporalio/workflow'
import type { Problem } from '../activities/contracts.ts'
import { housekeeping } from './proxies.ts'

/** The digits that a digest can begin with: the store is gone through in as many parts. */
export const digits = [...'0123456789abcdef']

export interface SurveyState {
  readonly survey: string
  /** What was written at or after it stays, or is not looked at. Milliseconds since the epoch. */
  readonly cutoffMs: number
  readonly pages: number
  /** The key behind which the next page begins; null: all are done. */
  readonly next: string | null
  readonly manifests: number
  /** Checkpoints whose blobs their run's `checkpoint.keep` lets go. */
  readonly dropped: number
  readonly problemCount: number
  readonly problems: readonly Problem[]
}

/** The survey's name lives as long as the workflow, over continue-as-new; its clock is the server's. */
export function beginSurvey(graceHours: number): SurveyState {
  const { firstExecutionRunId, startTime } = wf.workflowInfo()
  const cutoffMs = startTime.getTime() - graceHours * 3600_000
  return {
    survey: firstExecutionRunId,
    cutoffMs,
    pages: 0,
    next: '',
    manifests: 0,
    dropped: 0,
    problemCount: 0,
    problems: [],
  }
}

/** Goes on until all pages are done or the history is long enough; `reached` after each page. */
export async function survey(
  begun: SurveyState,
  options: { readonly strict: boolean; readonly maxProblems: number },
  reached: (state: SurveyState) => void,
): Promise<SurveyState> {
  let state = begun
  while (state.next !== null && !wf.workflowInfo().continueAsNewSuggested) {
    const { survey, cutoffMs, pages, next } = state
    const page = await housekeeping.survey({ survey, cutoffMs, page: pages, after: next, ...options })
    state = {
      ...state,
      pages: pages + 1,
      next: page.next,
      manifests: state.manifests + page.manifests,
      dropped: state.dropped + page.dropped,
      problemCount: state.problemCount + page.problemCount,
      problems: [...state.problems, ...page.problems].slice(0, options.maxProblems),
    }
    reached(state)
  }
  return state
}
