/** What runs and sweeps answer when asked how far they are, what they end with, and what continue-as-new carries. */
import type { Accuracy, Judged, Metrics, Sample, Stopped } from '../activities/contracts.ts'

export type CurvePoint = Accuracy & { readonly step: number }

/** What stands in every answer to `progress` while no result comes, or an attempt has failed. Times are ISO 8601. */
export interface Doing {
  /** What is going on, or what it waits for, as the server said it at `asOf`: `waiting for a compute slot`. */
  readonly doing?: string
  /** When the last result came. */
  readonly since?: string
  readonly asOf?: string
  /** The activity that it is about, and which attempt of it. */
  readonly activity?: string
  readonly attempt?: number
  /** Name and sentence of the last attempt that failed, until its activity ends or goes on. */
  readonly lastError?: string
  readonly failing?: { readonly activity: string; readonly attempt: number; readonly since: string }
}

/** Of parts that are done side by side. */
export interface Counted extends Doing {
  readonly done: number
  readonly total: number
}

export interface TrainProgress extends Doing {
  readonly phase: 'admitting' | 'training' | 'paused' | 'evaluating' | 'done'
  readonly step: number
  readonly steps: number
  readonly reward?: number
  /** The rule that ended the run before its steps were done. */
  readonly stopped?: string
  /** A mean over the last steps; absent, as `endsAt` is, until it is known. */
  readonly secondsAStep?: number
  /** When its last step will be done if they go on like this. */
  readonly endsAt?: string
  /** What a person should know: of its problems, and of evaluations that it does without. */
  readonly notes?: readonly string[]
}
export interface StepMetrics {
  readonly step: number
  /**
   * Length of the history when the step began: where `temporal workflow reset` repeats it from. Not known of steps
   * that an earlier start of the run made.
   */
  readonly event?: number
  /** The run id whose history has the event: continue-as-new begins another. */
  readonly runId?: string
  readonly metrics: Metrics
}
/** A completion of the last step: where it is long, its beginning and its end. */
export interface StepSample extends Sample {
  readonly step: number
}
/** What continue-as-new carries; evaluations have ended by then. */
export interface TrainState {
  readonly recent: readonly StepMetrics[]
  readonly curve: readonly CurvePoint[]
  readonly at: TrainProgress
  readonly details: string
  /** Of the worker that holds the run's state. */
  readonly queue: string | null
  readonly paused: boolean
  readonly whole: boolean
  readonly deviceSeconds: number
  /** Ends of the last steps, in milliseconds since the epoch; what became of evaluations that are not required. */
  readonly times?: readonly number[]
  readonly notes?: readonly string[]
  /** Who judged its steps, and completions of the last. */
  readonly graders?: readonly Judged[]
  readonly samples?: readonly StepSample[]
}
export interface TrainResult {
  readonly run: string
  /** The last step: fewer than were asked for when a rule stopped the run. */
  readonly steps: number
  readonly stopped?: Stopped
  readonly checkpoint: string
  readonly policy: string
  /** What a person should know: of the run's problems, and of evaluations that it did without. */
  readonly notes?: readonly string[]
  /** The last points; all of them lie in the store. */
  readonly curve: readonly CurvePoint[]
  readonly metrics: Metrics
  /** What this start of the run computed, its evaluations included. */
  readonly deviceSeconds: number
}

export interface SweepProgress extends Doing {
  readonly done: number
  readonly failed: number
  readonly total: number
  readonly running: readonly string[]
  /** From one run's end to the next; absent, as `endsAt` is, until two of this history have ended. */
  readonly secondsARun?: number
  readonly endsAt?: string
}
