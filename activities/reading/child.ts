/**
 * The reading process: answers one request at a time, and ends with its worker.
 *
 * A watchdog thread ends it where its own event loop cannot: memory past the limit, or a worker that was killed. It is
 * given nothing of the worker's environment but where programs and temporary files lie.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { plainOf } from '../faults/nature.ts'
import type { FromChild, ToChild } from './messages.ts'
import { answer } from './jobs.ts'

const say = (message: FromChild) => process.send?.(message)

// The end of what it writes is told to people; what libraries warn of, and an error that nobody caught, may quote a text.
console.warn = () => {}
process.on('uncaughtException', ({ name, stack = '' }) => {
  const frames = stack.split('\n').filter((line) => /^ {4}at /.test(line))
  process.stderr.write([name, ...frames.slice(0, 8), ''].join('\n'), () => process.exit(1))
})

const [memoryBytes, parent] = process.argv.slice(2).map(Number)
const watchdog = new Worker(new URL('./watchdog.mjs', import.meta.url), {
  workerData: { memoryBytes, parent },
  execArgv: [],
})
process.on('disconnect', () => process.exit(0))
process.on('message', (message: ToChild) => void serve(message))
await once(watchdog, 'online')
say({ ready: true })

async function serve({ job, ask }: ToChild): Promise<void> {
  try {
    const done = await answer(job, ask, {
      at: (step) => say({ step }),
      progress: (progress) => say({ progress }),
    })
    say({ done, restBytes: process.memoryUsage.rss() })
  } catch (error) {
    const plain = plainOf(error)
    const failed = { ...plain, message: cut(plain.message), stack: cut(plain.stack) }
    say({ failed, restBytes: process.memoryUsage.rss() })
  }
}

/** What was found may be as long as the file it was found in; a failure's place in a history is not. */
const cut = (text: string) => (text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters)}…`)
const mostCharacters = 2000
