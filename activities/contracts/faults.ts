/**
 * Every fault by its name, and what another attempt can do about it. One table for activities, which turn an error into
 * Temporal's failure by it, and for workflows, which ask what a failure was. It imports nothing, so workflows may.
 */

/**
 * - `permanent`: no attempt can mend it; the run fails at once.
 * - `limited`: what a program does wrong, or what may be missing for a moment: three attempts in a row that end in the
 *   same words, then it is permanent. So is every error whose name is not in the table.
 * - `passing`: a network, a server, a disk or a worker that will be there again: tried without limit.
 * - `handed-back`: this worker cannot, another may: tried without limit, after growing pauses.
 */
export type Permanence = 'permanent' | 'limited' | 'passing' | 'handed-back'

export const faults = {
  InvalidSpec: 'permanent',
  UnknownWorkflow: 'permanent',
  SpecMismatch: 'permanent',
  ModelUnavailable: 'permanent',
  UnsupportedModel: 'permanent',
  CorruptModel: 'permanent',
  InvalidData: 'permanent',
  InvalidReward: 'permanent',
  CorruptObject: 'permanent',
  NonFiniteLoss: 'permanent',
  NonFiniteLogits: 'permanent',
  PromptTooLong: 'permanent',
  PromptRefused: 'permanent',
  ReadingTimedOut: 'permanent',
  ReadingTooLarge: 'permanent',
  EmptyPrompt: 'permanent',
  DoesNotFit: 'permanent',
  NotAllowed: 'permanent',
  WeightsLost: 'permanent',
  NotKept: 'permanent',
  WorkersDied: 'permanent',
  InvalidConfig: 'permanent',
  // Of the command line's tools.
  Usage: 'permanent',
  HistoryGone: 'permanent',
  EvaluationFailed: 'permanent',
  LabelFailed: 'permanent',
  NotFound: 'limited',
  StateLost: 'limited',
  // They end within the reading of Parquet, which says InvalidData.
  Malformed: 'limited',
  Beyond: 'limited',
  Unfinished: 'limited',
  ReaderLost: 'limited',
  // They end within the grader, where what a model wrote is never an error.
  Unreadable: 'limited',
  Exhausted: 'limited',
  StoreError: 'passing',
  CacheFull: 'passing',
  HubUnavailable: 'passing',
  WorkerShutdown: 'passing',
  Busy: 'handed-back',
  WrongStore: 'handed-back',
} as const satisfies Readonly<Record<string, Permanence>>

export type FaultName = keyof typeof faults

/** What another attempt can do about an error of this name. */
export const permanenceOf = (name: string): Permanence =>
  Object.hasOwn(faults, name) ? faults[name as FaultName] : 'limited'
