/** Whether a run ends before its steps are done: rules over the metrics of its last steps, in their order. */
import type { Stop, Stopped } from '../activities/contracts.ts'
import type { StepMetrics } from './progress.ts'

export function stopping(rules: Stop | undefined, recent: readonly StepMetrics[]): Stopped | null {
  const { entropy, reward } = rules ?? {}
  if (reward && holds(recent, reward.steps, 'reward', (value) => value <= reward.atMost))
    return stop('reward', recent, `reward at most ${reward.atMost} for ${reward.steps} steps`)
  if (entropy && holds(recent, entropy.steps, 'entropy', (value) => value < entropy.below))
    return stop('entropy', recent, `entropy below ${entropy.below} for ${entropy.steps} steps`)
  return null
}

/** True of each of the last `steps` steps; of fewer, nothing is said. */
function holds(
  recent: readonly StepMetrics[],
  steps: number,
  name: string,
  rule: (value: number) => boolean,
): boolean {
  const values = recent.slice(-steps).map(({ metrics }) => metrics[name])
  return values.length === steps && values.every((value) => value !== undefined && rule(value))
}

const stop = (rule: Stopped['rule'], recent: readonly StepMetrics[], message: string): Stopped => ({
  rule,
  step: recent.at(-1)?.step ?? 0,
  message,
})
