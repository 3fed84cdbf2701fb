/** A schedule of sweeps, by the commands of the README: each night has its own prefix and is compared with the last. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Fleet, startGrounds, type Grounds } from './fleet.ts'

let grounds: Grounds
beforeAll(async () => void (grounds = await startGrounds('nightly')))
afterAll(() => grounds.close())

const sweep = {
  base: {
    preset: 'demo',
    steps: 1,
    batch: { problems: 2, group: 2, minibatch: 4 },
    sampling: { maxTokens: 8 },
    evaluate: { every: 0, benchmarks: ['nano'], limit: 8, samples: 1 },
  },
  models: ['nano/coder'],
  arms: { truth: { reward: 'ground-truth' } },
  seeds: [1],
  controls: false,
}

const temporal = (...args: string[]) =>
  promisify(execFile)(grounds.stack.cli, [...args, '--address', grounds.stack.temporalAddress])

async function create(schedule: string, spec: unknown): Promise<void> {
  const file = join(grounds.folder, `${schedule}.json`)
  await writeFile(file, JSON.stringify(spec))
  await temporal(
    ...['schedule', 'create', '--schedule-id', schedule, '--cron', '0 3 * * *', '--time-zone', 'Europe/Berlin'],
    ...['--overlap-policy', 'Skip', '--catchup-window', '6h', '--jitter', '10m', '--pause-on-failure'],
    ...['--type', 'sweep', '--task-queue', 'placebo', '--workflow-id', schedule, '--input-file', file],
  ) // prettier-ignore
}

/** Ids of a schedule's sweeps that have ended, in order of their names, which is that of time. */
async function ended(schedule: string): Promise<string[]> {
  const ids: string[] = []
  const query = `WorkflowType = "sweep" AND ExecutionStatus = "Completed"`
  for await (const { workflowId } of grounds.client.workflow.list({ query })) ids.push(workflowId)
  return ids.filter((id) => id.startsWith(`${schedule}-`)).sort()
}

it('nights that were due and one that is triggered: own prefixes, and a report of what drifted', async () => {
  const fleet = new Fleet(grounds, 'nightly')
  try {
    await Promise.all([fleet.add('light'), fleet.add('compute')])
    await create('nightly', sweep)
    await temporal(
      ...['schedule', 'backfill', '--schedule-id', 'nightly', '--overlap-policy', 'BufferAll'],
      ...['--start-time', '2026-11-17T23:00:00Z', '--end-time', '2026-11-19T22:00:00Z'],
    )
    const poll = { timeout: 120_000, interval: 1000 }
    await fleet.orBroken(expect.poll(() => ended('nightly'), poll).toHaveLength(2))
    await temporal('schedule', 'trigger', '--schedule-id', 'nightly')
    await fleet.orBroken(expect.poll(() => ended('nightly'), poll).toHaveLength(3))
    const nights = await ended('nightly')
    // 3:00 in Berlin, whose winter time is an hour ahead.
    expect(nights.slice(0, 2)).toEqual(['nightly-2026-11-18T02:00:00Z', 'nightly-2026-11-19T02:00:00Z'])
    const results = await Promise.all(nights.map((id) => grounds.client.workflow.getHandle(id).result()))
    const texts = results.map(({ text }: { text: string }) => text)
    expect(texts[0]).not.toContain('night before')
    for (const text of texts.slice(1)) expect(text).toContain('1 of 1 cells ended as the night before')
    for (const id of nights)
      expect(await fleet.json('sweeps', id, 'runs.json')).toMatchObject({
        runs: [{ run: `${id}:nano-coder:truth:1`, status: 'completed' }],
      })
  } finally {
    await fleet.stop()
  }
})

it('a night that fails pauses its schedule', async () => {
  const fleet = new Fleet(grounds, 'failing')
  try {
    await fleet.add('light')
    await create('failing', { ...sweep, seeds: [] })
    await temporal('schedule', 'trigger', '--schedule-id', 'failing')
    const describe = async () =>
      JSON.parse(
        (await temporal('schedule', 'describe', '--schedule-id', 'failing', '--output', 'json')).stdout,
      ) as unknown
    await expect
      .poll(describe, { timeout: 60_000, interval: 1000 })
      .toMatchObject({ schedule: { state: { paused: true } } })
  } finally {
    await fleet.stop()
  }
})
