/** Task queues, timeouts, retries and limits: plain data, read by workflows, workers and tools alike. */

/** Workflow tasks and light activities share one queue, so that `--task-queue placebo` is all a user must know. */
export const taskQueues = { light: 'placebo', compute: 'placebo-compute' } as const

/**
 * Preemptions consume attempts, so attempts are unlimited and the whole is bounded by time. What would fail for ever is
 * ended by what attempts count of each other (activities/attempt.ts).
 */
const preemptible = { initialInterval: '1s', backoffCoefficient: 1, maximumInterval: '5s' } as const

export const activityOptions = {
  light: {
    taskQueue: taskQueues.light,
    startToCloseTimeout: '10 minutes',
    heartbeatTimeout: '15s',
    scheduleToCloseTimeout: '1 day',
    retry: preemptible,
  },
  /** As long as a large store takes; an attempt that dies goes on from its last heartbeat. */
  housekeeping: {
    taskQueue: taskQueues.light,
    startToCloseTimeout: '12 hours',
    heartbeatTimeout: '15s',
    scheduleToCloseTimeout: '7 days',
    retry: preemptible,
  },
  compute: {
    taskQueue: taskQueues.compute,
    startToCloseTimeout: '12 hours',
    heartbeatTimeout: '15s',
    scheduleToCloseTimeout: '7 days',
    retry: preemptible,
  },
  /** What a workflow asks of the server about itself: asked again later, so an answer that does not come is none. */
  ask: {
    taskQueue: taskQueues.light,
    startToCloseTimeout: '20s',
    scheduleToCloseTimeout: '1 minute',
    retry: { maximumAttempts: 1 },
  },
  /** What is measured beside training, never in its way: of what waits, workers take it last. */
  beside: {
    taskQueue: taskQueues.compute,
    startToCloseTimeout: '12 hours',
    heartbeatTimeout: '15s',
    scheduleToCloseTimeout: '7 days',
    retry: preemptible,
    priority: { priorityKey: 4 },
  },
  /** On the queue of one worker: if it is gone or does not come to it soon, any worker's attempt is the next. */
  near: {
    startToCloseTimeout: '12 hours',
    heartbeatTimeout: '15s',
    scheduleToStartTimeout: '5s',
    scheduleToCloseTimeout: '7 days',
    retry: { maximumAttempts: 1 },
  },
} as const

/** What `temporal worker deployment` knows these workers by, where they have a build id. */
export const deploymentName = 'placebo'

export const worker = {
  /** Activities are told at once; a safe point is reached within 10 s, and past this nothing may hold the process. */
  shutdownForceTime: '15s',
  /** How long a task that this worker was given waits for its compute slot before others may have it. */
  slotPatienceMs: 5000,
  /** How long a task that workers gave back, again and again, is kept from them at most. The pauses double from 1 s. */
  pauseSeconds: { busy: 4, handedBack: 60 },
  /** Short, because it is what a run waits for after its worker was killed. */
  stickyQueueScheduleToStartTimeout: '2s',
  heartbeatEveryMs: 4000,
  lightSlots: 8,
  /** A process has one compute slot, however many queues it polls. */
  computeSlots: 1,
  maxCachedWorkflows: 200,
} as const

export const limits = {
  /** Runs of a sweep at once unless the spec says otherwise. */
  sweepConcurrency: 4,
  /** The last steps that the `metrics` query returns; all of them lie in the store. */
  metricsInQuery: 100,
  /** The last points of the curve that a run shows and returns; all of them lie in the store. */
  curveInQuery: 100,
  /** Earlier nights that a nightly sweep's report compares with. */
  nights: 7,
  /** Runs of a sweep that are planned at once: a page of specs must fit in a payload. */
  sweepPage: 20,
} as const

/** What workflows write if the namespace knows it; `admit` asks first. */
export const searchAttributes = {
  Model: 'Keyword',
  Arm: 'Keyword',
  Seed: 'Int',
  Step: 'Int',
  Accuracy: 'Double',
  Sweep: 'Keyword',
  Tags: 'KeywordList',
} as const

/** Days that closed workflows can still be queried and reset on the dev stack. */
export const retentionDays = 30
