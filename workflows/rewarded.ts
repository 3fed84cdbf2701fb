/** What a run keeps of its steps' rewards for people: a few completions of the last step, and which grader judged since when. */
import type { Judged, Rewarded, Sample } from '../activities/contracts.ts'
import type { StepSample, TrainState } from './progress.ts'

export class RewardedSteps {
  #samples: readonly StepSample[]
  #graders: readonly Judged[]

  constructor(state: TrainState | undefined) {
    this.#samples = state?.samples ?? []
    this.#graders = state?.graders ?? []
  }

  samples(): StepSample[] {
    return [...this.#samples]
  }

  /** What an earlier start of the run left, up to this step. */
  recall(
    step: number,
    { graders = [], samples = [] }: { graders?: readonly Judged[]; samples?: readonly Sample[] },
  ): void {
    this.#graders = graders
    this.#samples = samples.map((sample) => ({ step, ...sample }))
  }

  /** `rewarded`: of the step's first shard, by a worker that may know less of it. */
  add(step: number, rewarded: Partial<Rewarded> = {}): void {
    const { grader, before, samples = [] } = rewarded
    this.#samples = samples.map((sample) => ({ step, ...sample }))
    if (grader === undefined) return
    // Histories of before it was noted do not say who judged their steps; the first that does knows the one before it.
    if (this.#graders.length === 0 && before !== undefined) this.#graders = [{ grader: before, from: 1 }]
    if (this.#graders.at(-1)?.grader === grader) return
    this.#graders = [...this.#graders, { grader, from: this.#graders.length === 0 ? 1 : step }]
  }

  /** Nothing while one grader has judged all. */
  notes(): string[] {
    if (this.#graders.length < 2) return []
    const spans = this.#graders.map(({ grader, from }, i) => {
      const next = this.#graders[i + 1]?.from
      return next === undefined
        ? `from step ${from} on by ${grader}`
        : `${stepsOf(from, next - 1)} by ${grader}`
    })
    return [`Graders: rewards were given by more than one version, of ${spans.join(', ')}`]
  }

  carried(): Pick<TrainState, 'graders' | 'samples'> {
    return { graders: this.#graders, samples: this.#samples }
  }
}

const stepsOf = (from: number, to: number) => (from === to ? `step ${from}` : `steps ${from} to ${to}`)
