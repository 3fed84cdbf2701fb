/**
 * Where a run stands and what it is told meanwhile: its queries, its signals, its current details. Handlers are there
 * from the first line of a run on, since a query or a signal may come before its spec has been read.
 */
import * as wf from '@temporalio/workflow'
import type { Rewarded, Stopped } from '../activities/contracts.ts'
import { limits } from '../temporal.config.ts'
import { doing, show } from './doing.ts'
import { Pace } from './pace.ts'
import type { StepMetrics, StepSample, TrainProgress, TrainState } from './progress.ts'
import { RewardedSteps } from './rewarded.ts'

export const progressQuery = wf.defineQuery<TrainProgress>('progress')
export const metricsQuery = wf.defineQuery<StepMetrics[]>('metrics')
export const samplesQuery = wf.defineQuery<StepSample[]>('samples')
export const pauseSignal = wf.defineSignal('pause')
export const resumeSignal = wf.defineSignal('resume')
/** The next step to begin stores the optimizer's state with its weights, whether or not it is its turn. */
export const checkpointNowSignal = wf.defineSignal('checkpointNow')

export class Standing {
  /** Of the last steps, in order. */
  recent: readonly StepMetrics[]
  /** The rule that ends the run before its steps are done. */
  stopped: Stopped | null = null
  /** The run's details, from the moment that its spec is known. */
  describe: (at: TrainProgress) => string = () => ''
  /** What a person should know. */
  notes: () => readonly string[] = () => []
  readonly rewarded: RewardedSteps
  readonly #pace: Pace
  #at: TrainProgress
  #details: string
  #paused: boolean
  #whole: boolean

  constructor(state: TrainState | undefined) {
    this.recent = state?.recent ?? []
    this.rewarded = new RewardedSteps(state)
    this.#pace = new Pace(state?.times)
    this.#at = state?.at ?? { phase: 'admitting', step: 0, steps: 0 }
    this.#details = state?.details ?? ''
    this.#paused = state?.paused ?? false
    this.#whole = state?.whole ?? false
    if (this.#details !== '') show(this.#details)
    wf.setHandler(progressQuery, () => ({ ...this.#at, ...doing() }))
    wf.setHandler(metricsQuery, () => [...this.recent])
    wf.setHandler(samplesQuery, () => this.rewarded.samples())
    wf.setHandler(pauseSignal, () => void (this.#paused = true))
    wf.setHandler(resumeSignal, () => void (this.#paused = false))
    wf.setHandler(checkpointNowSignal, () => void (this.#whole = true))
  }

  show(phase: TrainProgress['phase'], step: number, steps: number): void {
    const reward = this.recent.at(-1)?.metrics['reward']
    const paced = phase === 'training' ? this.#pace.of(steps - step) : null
    const notes = this.notes()
    const said = {
      ...(reward !== undefined && { reward }),
      ...(this.stopped && { stopped: this.stopped.message }),
      ...(paced && { secondsAStep: paced.seconds, endsAt: paced.endsAt }),
      ...(notes.length > 0 && { notes }),
    }
    this.#at = { phase, step, steps, ...said }
    this.#details = this.describe(this.#at)
    show(this.#details)
  }

  /** Steps begin now: the first of this start, or the next after a pause. */
  begin(): void {
    this.#pace.again(Date.now())
  }

  /** `rewarded`: of its first shard, where a worker says more of it than its key. */
  add(step: StepMetrics, rewarded?: Partial<Rewarded>): void {
    this.#pace.mark(Date.now())
    this.rewarded.add(step.step, rewarded)
    this.recent = [...this.recent, step].slice(-limits.metricsInQuery)
  }

  /** Resolves while nobody wants a pause. */
  async going(step: number, steps: number): Promise<void> {
    if (!this.#paused) return
    this.show('paused', step, steps)
    await wf.condition(() => !this.#paused)
    this.begin()
  }

  /** Whether the step that begins now was asked to store all of its checkpoint: said once. */
  takeWhole(): boolean {
    const whole = this.#whole
    this.#whole = false
    return whole
  }

  /** What the run's next history begins with. */
  carried(): Omit<TrainState, 'curve' | 'queue' | 'deviceSeconds' | 'notes'> {
    const [paused, whole, times] = [this.#paused, this.#whole, this.#pace.times()]
    const said = { recent: this.recent, at: this.#at, details: this.#details }
    return { ...said, paused, whole, times, ...this.rewarded.carried() }
  }
}
