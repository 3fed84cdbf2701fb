/** A workflow of one activity, whose attempts follow each other quickly: for tests of what attempts leave each other. */
import { condition, defineQuery, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow'
import { attemptFailedSignal, type AttemptFailed } from '../../activities/contracts/heartbeat.ts'

export const heardQuery = defineQuery<AttemptFailed[]>('heard')

/** Resolves with the attempt that succeeded and with what was heard of those that failed. */
export async function tried(
  name: string,
  taskQueue?: string,
): Promise<{ attempt: number; heard: AttemptFailed[] }> {
  const heard: AttemptFailed[] = []
  setHandler(defineSignal<[AttemptFailed]>(attemptFailedSignal), (said) => void heard.push(said))
  setHandler(heardQuery, () => heard)
  const activities = proxyActivities<{ tried: (name: string) => Promise<number> }>({
    ...(taskQueue !== undefined && { taskQueue }),
    startToCloseTimeout: '1 minute',
    heartbeatTimeout: '1s',
    retry: { initialInterval: '50ms', backoffCoefficient: 1 },
  })
  const attempt = await activities.tried(name)
  await condition(() => true)
  return { attempt, heard }
}
