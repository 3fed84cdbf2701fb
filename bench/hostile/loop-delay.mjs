// Loaded into a worker by `node --import`: writes how long its event loop was kept waiting to the file that
// PLACEBO_LOOP_DELAY names, twice a second. Milliseconds since its start: 99th percentile and maximum.
import { appendFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

const file = process.env.PLACEBO_LOOP_DELAY
// npm, tsx and the processes that the worker starts load it too: only the worker itself is measured.
if (file && isMainThread && process.argv[1]?.endsWith('/infra/worker.ts')) {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  setInterval(() => {
    const line = { pid: process.pid, p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6 }
    appendFileSync(file, `${JSON.stringify(line)}\n`)
  }, 500).unref()
}
