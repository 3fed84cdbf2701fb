/** What runs and sweeps answer when asked how far they are, what they end with, and what continue-as-new carries. */
import type { Accuracy, Metrics, Stopped } from '../activities/contracts.ts'

export type CurvePoint = Accuracy & { readonly step: number }

export interface TrainProgress {
  readonly phase: 'admitting' | 'training' | 'paused' | 'evaluating' | 'done'
  readonly step: number
  readonly steps: number
  readonly reward?: number
  /** The rule that ended the run before its steps were done. */
  readonly stopped?: string
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
}
export interface TrainResult {
  readonly run: string
  /** The last step: fewer than were asked for when a rule stopped the run. */
  readonly steps: number
  readonly stopped?: Stopped
  readonly checkpoint: string
  readonly policy: string
  /** What a person should know of the run's problems. */
  readonly notes?: readonly string[]
  /** The last points; all of them lie in the store. */
  readonly curve: readonly CurvePoint[]
  readonly metrics: Metrics
  /** What this start of the run computed, its evaluations included. */
  readonly deviceSeconds: number
}

export interface SweepProgress {
  readonly done: number
  readonly failed: number
  readonly total: number
  readonly running: readonly string[]
}
