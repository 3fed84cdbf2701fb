/**
 * The watch of a workflow over its own activities, which it does not see between their beginning and their end.
 *
 * One timer a workflow. When no result was seen for ten seconds, a light activity asks the server which activities wait
 * and which were begun; again after 1, 5, 15, 15 … minutes while nothing comes. While results come the timer is the
 * only cost, one in ten seconds or in three of the longest gaps; while nothing is open there is none. It ends with its
 * workflow and holds up nothing. Interceptors let all workflows have it without a word of their own, and change no command.
 */
import * as wf from '@temporalio/workflow'
import type { attemptFailedSignal } from '../activities/contracts/heartbeat.ts'
import type { Activities } from '../activities/index.ts'
import { activityOptions } from '../temporal.config.ts'
import * as doing from './doing.ts'

const { pending } = wf.proxyActivities<Activities['light']>(activityOptions.ask)
const attemptFailed = wf.defineSignal<[unknown]>('attemptFailed' satisfies typeof attemptFailedSignal)

/** Without a result, before the first question. */
const quietMs = 10_000
/** Where gaps between results are long: so many of the longest, and at most this. */
const gaps = 3
const longestQuietMs = 60_000
/** Between questions while nothing comes; the last again and again. */
const pausesMs = [60_000, 300_000, 900_000] as const

export const interceptors: wf.WorkflowInterceptorsFactory = () => ({
  inbound: [
    {
      execute(input, next) {
        wf.setHandler(attemptFailed, doing.attemptFailed)
        // Whatever ends the watch, a cancellation or a server that does not know the activity, ends nothing else.
        if (wf.patched('watch')) watch().catch(() => {})
        return next(input)
      },
    },
  ],
  outbound: [
    {
      // The promises are handed on as they are: a turn more of them could change the order of commands.
      scheduleActivity(input, next) {
        const ended = next(input)
        if (input.activityType === 'pending') return ended
        const id = String(input.seq)
        doing.activityBegun(id)
        const end = () => doing.activityEnded(id)
        ended.then(end, end)
        return ended
      },
      startChildWorkflowExecution(input, next) {
        const begun = next(input)
        doing.childBegun()
        const end = () => doing.childEnded()
        begun.then(([, ended]) => void ended.then(end, end), end)
        return begun
      },
    },
  ],
})

async function watch(): Promise<never> {
  let [asked, stands] = [0, 0]
  for (;;) {
    await wf.condition(doing.isOpen) // a run that is paused costs nothing
    if (doing.since() !== stands) [asked, stands] = [0, doing.since()]
    const since = stands
    if (asked === 0) {
      const patienceMs = Math.min(longestQuietMs, Math.max(quietMs, gaps * doing.gap()))
      const leftMs = since + patienceMs - Date.now()
      if (leftMs > 0) {
        await wf.sleep(leftMs)
        continue
      }
    } else {
      const pauseMs = pausesMs[Math.min(asked, pausesMs.length) - 1] ?? quietMs
      // A result ends the pause: from then on ten seconds count again.
      if (await wf.condition(() => doing.since() !== since, pauseMs)) continue
    }
    asked += 1
    await ask(since)
  }
}

/** What failed here is asked again after the next pause. */
async function ask(since: number): Promise<void> {
  try {
    const answer = await pending()
    if (doing.since() === since) doing.tell(answer)
  } catch (error) {
    if (wf.CancellationScope.current().consideredCancelled) throw error
  }
}
