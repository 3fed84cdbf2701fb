/** The same sweeps on a stack as `npm run dev` starts it, with nothing between its parts and nobody who kills them. */
import { setMaxListeners } from 'node:events'
import { join } from 'node:path'
import { startStack } from '../stack.ts'
import { finish, openStack, type Finished } from './settle.ts'
import { execute, keepBusy, sweepId, sweepSpec, type SweepResult } from './work.ts'
import type { Disturbance } from './disturbed.ts'

export interface Undisturbed extends Finished {
  readonly seconds: number
}

export async function leaveAlone(
  { folder, roles, steps, signal: told, report }: Omit<Disturbance, 'faults' | 'patienceSeconds'>,
  sweeps: number,
): Promise<Undisturbed> {
  const workers = roles.map((role) => ({ role, env: { PLACEBO_THREADS: '1' } }))
  const stack = await startStack({ folder: join(folder, 'undisturbed'), ports: 'free', workers, report })
  const opened = await openStack(stack)
  const ended = new AbortController()
  const signal = AbortSignal.any([told, ended.signal])
  setMaxListeners(0, signal) // every sweep listens
  void stack.failed.then((error) => ended.abort(error))
  try {
    report(`the same ${sweeps} sweeps, undisturbed`)
    const begun = Date.now()
    await keepBusy(
      async (number) => {
        const spec = sweepSpec(number, steps)
        await execute<SweepResult>(opened.client, 'sweep', sweepId(number), spec, signal)
      },
      (begun) => begun >= sweeps,
    )
    const seconds = (Date.now() - begun) / 1000
    return { ...(await finish(opened, signal)), seconds }
  } finally {
    ended.abort(new Error('over')) // a lane whose neighbour failed
    await opened.close()
    await stack.stop()
  }
}
