/** Goes through the whole store, page by page: what manifests name, what may go, what is whole. */
import { collectBlobs, discardStale, noneCollected, type Discarded } from './checkpoint/collect.ts'
import { inspectBlobs, noneInspected } from './checkpoint/inspect.ts'
import { CorruptObject } from './checkpoint/store.ts'
import { endSurvey, surveyPage } from './checkpoint/survey.ts'
import { Collected, CollectTask, DiscardTask, Inspected, InspectTask, SurveyTask } from './contracts.ts'
import type { Problem } from './contracts.ts'
import { durable, resumable } from './durable.ts'
import type { Deps } from './deps.ts'

export interface Surveyed {
  /** The key behind which the next page begins; null: that was the last. */
  readonly next: string | null
  readonly manifests: number
  readonly dropped: number
  readonly problemCount: number
  readonly problems: readonly Problem[]
}

export function housekeepActivities({ store }: Deps) {
  return {
    survey: (input: SurveyTask): Promise<Surveyed> =>
      durable(async (control) => {
        const { strict, maxProblems, ...task } = SurveyTask.parse(input)
        const reached = (done: number) => control.progress({ phase: 'load', done, total: done })
        const { problems, ...page } = await surveyPage(store, { ...task, signal: control.signal, reached })
        const named = problems.slice(0, maxProblems)
        if (strict && problems.length > 0)
          throw new CorruptObject(
            `${problems.length} documents cannot be read, so nothing is removed: ` +
              named.map(({ problem }) => problem).join('; '),
          )
        return { ...page, problems: named, problemCount: problems.length }
      }),

    collect: (input: CollectTask): Promise<Collected> =>
      resumable(Collected, async (from, reached, signal) => {
        const { digit, ...task } = CollectTask.parse(input)
        return collectBlobs(store, digit, from ?? noneCollected, { ...task, reached, signal })
      }),

    discard: (input: DiscardTask): Promise<Discarded> =>
      durable(async ({ signal }) => {
        const task = DiscardTask.parse(input)
        await endSurvey(store, task.survey)
        return discardStale(store, { ...task, signal })
      }),

    inspect: (input: InspectTask): Promise<Inspected> =>
      resumable(Inspected, async (from, reached, signal) => {
        const { digit, ...task } = InspectTask.parse(input)
        return inspectBlobs(store, digit, from ?? noneInspected, { ...task, reached, signal })
      }),

    endSurvey: ({ survey }: { survey: string }): Promise<void> => durable(() => endSurvey(store, survey)),
  }
}
