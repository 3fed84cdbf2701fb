/**
 * `npm run chaos -- --minutes 5 --seed 7`: sweeps of nano models on real servers and workers, which are killed, cut off,
 * lied to and starved by plan, and then the same sweeps in peace. Prints what struck and what it cost; fails unless
 * every planned fault struck, every digest is the undisturbed run's, nothing stored was sampled twice and no upload is
 * left over. `--kills 200` plans so many hard kills of workers. Data and logs stay in .placebo/chaos.
 */
import { mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { numberOf, runProgram, type Called } from '../program.ts'
import { untilTold } from '../shutdown.ts'
import { unleash } from './harness.ts'
import { planOf } from './plan.ts'
import { faultsOf, markdown } from './report.ts'

const program = {
  name: 'chaos',
  usage: `npm run chaos -- [--minutes 5] [--seed 7] [--kills COUNT] [--steps 8] [--folder FOLDER]

Sweeps of nano models on real servers and workers, which are killed, cut off, lied to and starved by plan, and then the
same sweeps in peace. Prints what struck and what it cost; fails unless every promise held.
  --minutes   how long faults strike
  --seed      which faults, and when
  --kills     so many hard kills of workers
  --steps     steps of each run
  --folder    where data and logs stay (.placebo/chaos); what an earlier one left there is removed first
  --help, -h  this text`,
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: '7' },
    kills: { type: 'string' },
    steps: { type: 'string', default: '8' },
    folder: { type: 'string', default: join(import.meta.dirname, '../../.placebo/chaos') },
  },
} as const

async function main({ values }: Called<typeof program.options>): Promise<number> {
  const minutes = numberOf('minutes', values.minutes, 0)
  const seed = numberOf('seed', values.seed, 0)
  const counts = values.kills === undefined ? {} : { 'worker SIGKILL': numberOf('kills', values.kills, 0) }
  const folder = resolve(values.folder)
  await rm(folder, { recursive: true, force: true }) // results of another day would leave nothing to do
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const told = new AbortController()
  void untilTold().then((reason) => told.abort(new Error(`stopped (${reason})`)))
  const begun = Date.now()
  const outcome = await unleash({
    folder,
    seed,
    minutes,
    faults: planOf(seed, minutes, counts),
    // Two of each: whichever dies, another takes over.
    roles: ['light', 'light', 'compute', 'compute'],
    steps: numberOf('steps', values.steps, 1),
    patienceSeconds: 120,
    signal: told.signal,
    report: (line) => console.error(`${((Date.now() - begun) / 1000).toFixed(1).padStart(6)}  ${line}`),
  })
  console.log(markdown(outcome))
  const faults = faultsOf(outcome)
  console.log(faults.length === 0 ? '\nEvery promise held.' : `\nFAILED\n${faults.join('\n')}`)
  return faults.length === 0 ? 0 : 1
}

runProgram(program, main)
