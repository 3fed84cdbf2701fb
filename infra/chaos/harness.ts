/** Both runs and the comparison of what they left behind. */
import { compare } from './compare.ts'
import { disturb, type Disturbance } from './disturbed.ts'
import type { Outcome } from './report.ts'
import { leaveAlone } from './undisturbed.ts'

/** Disturbs sweeps by the plan, repeats those that ran in peace, and compares. Everything it starts it stops. */
export async function unleash(
  given: Disturbance & { readonly seed: number; readonly minutes: number },
): Promise<Outcome> {
  const { digests, ...disturbed } = await disturb(given)
  const undisturbed = await leaveAlone(given, disturbed.sweeps)
  return {
    seed: given.seed,
    minutes: given.minutes,
    faults: given.faults,
    disturbed,
    undisturbedSeconds: undisturbed.seconds,
    comparison: compare(digests, undisturbed.digests),
  }
}
