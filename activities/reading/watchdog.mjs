// A thread of the reading process that goes on while its main thread is stuck: it ends the process, and what that
// started, when the worker is gone or memory has passed the limit. Plain JavaScript: it must run before all else.
import { writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'

const { memoryBytes, parent } = workerData
const end = () => process.kill(-process.pid, 'SIGKILL') // the whole group, of which the process is the leader
setInterval(() => {
  if (process.ppid !== parent) end()
  const found = process.memoryUsage.rss()
  if (found <= memoryBytes) return
  writeSync(2, `\nreading: memory ${found} bytes\n`)
  end()
}, 20)
