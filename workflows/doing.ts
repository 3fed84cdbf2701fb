/**
 * What this workflow's activities are doing, as far as it can know: which are open, whose last attempt failed, and what
 * the watch was told when nothing came for a while. All of it stands in the answers to `progress` and above the current
 * details. A workflow has a copy of this module of its own, so its state is one workflow's; nothing here is a command.
 */
import { setCurrentDetails } from '@temporalio/workflow'
import type { AttemptFailed } from '../activities/contracts/heartbeat.ts'
import type { Pending } from '../activities/pending.ts'
import type { Doing } from './progress.ts'
import { sentenceOf } from './standstill.ts'

interface Failed extends AttemptFailed {
  /** Of the first attempt that failed without one that went on since. */
  readonly sinceMs: number
}

interface Told {
  readonly sentence: string
  readonly first: Pending | undefined
  readonly askedMs: number
}

/** Open activities by their id. */
const open = new Map<string, Failed | null>()
let children = 0
/** When the last result came, or the first of what is open was begun. */
let sinceMs = 0
/** The longest gap between results lately, in milliseconds: it fades. */
let gapMs = 0
let told: Told | null = null
let text = ''

export const isOpen = () => open.size > 0 || children > 0
export const since = () => sinceMs
export const gap = () => gapMs

export function activityBegun(id: string): void {
  begin()
  open.set(id, null)
}

export function activityEnded(id: string): void {
  const failed = open.get(id) ?? null
  open.delete(id)
  result(failed !== null)
}

export function childBegun(): void {
  begin()
  children += 1
}

export function childEnded(): void {
  children -= 1
  result(false)
}

function begin(): void {
  if (!isOpen()) sinceMs = Date.now()
}

/** What was said of the standstill is over. */
function result(changed: boolean): void {
  const now = Date.now()
  // A gap in which nobody had begun says nothing of how long results take.
  const computed = told === null || told.first?.state === 'started'
  gapMs = Math.max(computed ? now - sinceMs : 0, fading * gapMs)
  sinceMs = now
  if (!changed && told === null) return
  told = null
  render()
}

/** A slow stretch is forgotten after some ten results. */
const fading = 0.8

/** The signal's handler. Anybody may send a signal, so what it carries is looked at; what is none of ours is nothing. */
export function attemptFailed(given: unknown): void {
  if (!isAttemptFailed(given)) return
  const before = open.get(given.activityId)
  if (before === undefined || (before !== null && before.attempt > given.attempt)) return // it has ended since
  open.set(given.activityId, { ...given, sinceMs: before?.sinceMs ?? Date.now() })
  render()
}

function isAttemptFailed(given: unknown): given is AttemptFailed {
  if (typeof given !== 'object' || given === null) return false
  const { activity, activityId, attempt, fault, message } = given as Record<string, unknown>
  return [activity, activityId, fault, message].every((one) => typeof one === 'string') && isCount(attempt)
}

const isCount = (given: unknown) => typeof given === 'number' && Number.isInteger(given) && given > 0

/** What the watch was told; null: it could not be. */
export function tell(pending: readonly Pending[]): void {
  for (const one of pending) {
    const failed = open.get(one.activityId)
    // A later attempt that has done some of its work goes on.
    if (failed && one.workflow === undefined && one.attempt > failed.attempt && (one.at?.done ?? 0) > 0)
      open.set(one.activityId, null)
  }
  const { sentence, first } = sentenceOf(pending)
  told = sentence === null ? null : { sentence, first, askedMs: Date.now() }
  render()
}

/** Its last failed attempt, of those whose activities are still open. */
function failing(): Failed | undefined {
  return [...open.values()].filter((one) => one !== null).at(-1)
}

const iso = (ms: number) => new Date(ms).toISOString()

/** For an answer to `progress`: empty while results come. */
export function doing(): Doing {
  const failed = failing()
  const attempt = told?.first?.attempt ?? failed?.attempt
  return {
    ...(told !== null && { doing: told.sentence, since: iso(sinceMs), asOf: iso(told.askedMs) }),
    ...(attempt !== undefined && { activity: told?.first?.activity ?? failed?.activity ?? '', attempt }),
    ...(failed !== undefined && {
      lastError: `${failed.fault}: ${failed.message}`,
      failing: { activity: failed.activity, attempt: failed.attempt, since: iso(failed.sinceMs) },
    }),
  }
}

/** The current details, below what stands still. */
export function show(next: string): void {
  text = next
  render()
}

function render(): void {
  const { doing: what, since, asOf, activity = '', attempt = 1, lastError, failing } = doing()
  const tried = attempt > 1 ? `, attempt ${attempt}` : ''
  const lines = [
    ...(what === undefined
      ? []
      : [`**${what}** (${activity}${tried}), no result since ${since} (seen ${asOf})`]),
    ...(failing === undefined
      ? []
      : [
          `${failing.activity} fails since ${failing.since}, attempt ${failing.attempt}: ${oneLine(lastError)}`,
        ]),
  ]
  setCurrentDetails([...lines.flatMap((line) => [line, '']), text].join('\n'))
}

const oneLine = (message = '') => message.replaceAll(/\s+/g, ' ').slice(0, 500)
