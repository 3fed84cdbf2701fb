/**
 * When a program that runs a stack should end: it is told to (Ctrl-C, SIGTERM), or it was abandoned: npm, or what
 * stands between it and us, was killed without a chance to pass that on. A closed terminal's SIGHUP is left alone, so
 * that nohup works; without nohup it ends this process, and with it all that hangs on it.
 */
import { readFileSync } from 'node:fs'

/** Resolves with the reason. Signals that follow are ignored, so that stopping is not cut short by an impatient key. */
export function untilTold(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve(signal))
    const before = ancestors()
    const timer = setInterval(() => {
      const now = ancestors()
      if (before.some((pid, index) => now[index] !== pid)) resolve('its starter is gone')
    }, 1000)
    timer.unref()
  })
}

/**
 * npm stands above us; who started npm is free to go. The shell between is replaced (`exec` in package.json): one that was
 * started in the background keeps the signals that npm hands on to it. So is tsx's own command, which kills a program
 * that does not answer a signal within 60 ms, as a worker does not that is busy.
 */
const generations = 1

function ancestors(): number[] {
  if (process.platform !== 'linux' || !process.env['npm_lifecycle_event']) return []
  const chain = [process.ppid]
  while (chain.length < generations) {
    const parent = parentOf(chain.at(-1) ?? 1)
    if (parent === null) break
    chain.push(parent)
  }
  return chain
}

function parentOf(pid: number): number | null {
  try {
    // pid (name) state ppid …; the name may hold spaces and parentheses, so fields count from the last one.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return null
  }
}
