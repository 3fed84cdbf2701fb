import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { unleash } from '../../infra/chaos/harness.ts'
import { planOf } from '../../infra/chaos/plan.ts'
import { faultsOf, markdown } from '../../infra/chaos/report.ts'
import { provision } from '../../infra/provision.ts'

// Without an S3 server there is nothing to put the fault proxy before.
const versitygw = await provision('versitygw')
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-chaos-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

it.skipIf(versitygw === null)(
  'one fault of every kind on a small sweep costs time only: every digest is that of an undisturbed run',
  async () => {
    const lines: string[] = []
    const outcome = await unleash({
      folder,
      seed: 7,
      minutes: 0.25,
      faults: planOf(7, 0.25),
      roles: ['light', 'light', 'compute', 'compute'],
      steps: 4,
      patienceSeconds: 120,
      signal: new AbortController().signal,
      report: (line) => lines.push(line),
    })
    expect(faultsOf(outcome), `${markdown(outcome)}\n${lines.join('\n')}`).toEqual([])
    const { compared } = outcome.comparison
    for (const family of ['manifests', 'metrics', 'evaluations', 'rollouts', 'rewards', 'blobs'] as const)
      expect(compared[family], family).toBeGreaterThan(0)
    // 4 runs of a sweep, each with its run.json, a checkpoint a step and that of step 0, and metrics a step: 4 steps in
    // every first sweep, 2 in every second.
    const { sweeps } = outcome.disturbed
    const steps = 4 * (4 * Math.ceil(sweeps / 2) + 2 * Math.floor(sweeps / 2))
    expect(compared.manifests).toBeGreaterThanOrEqual(steps + 4 * sweeps * 2)
    expect(compared.metrics).toBe(steps)
    expect(outcome.disturbed.orphans).toEqual({ before: 1, after: 0 })
  },
)

it.skipIf(versitygw === null)(
  'told to stop while sweeps run, it says so, ends with code 1 and leaves no process behind',
  async () => {
    const own = join(folder, 'told')
    const script = join(import.meta.dirname, '../../infra/chaos/index.ts')
    const args = ['--import', 'tsx', script, '--minutes', '1', '--seed', '3', '--folder', own]
    const harness = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    harness.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('sweep 2 begins')) harness.kill('SIGTERM')
    })
    const [code] = (await once(harness, 'exit')) as [number | null]
    expect(said).toMatch(/chaos: stopped \(SIGTERM\)\n$/)
    expect(code).toBe(1)
    // Every process of its stacks has the folder in its command line or among its arguments.
    const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid,args'])
    expect(stdout.split('\n').filter((line) => line.includes(own))).toEqual([])
  },
)
