/**
 * Child processes that cannot outlive this one, however it ends.
 *
 * Each runs under a small shell (leash.sh) that holds the reading end of a pipe from us. Closing the pipe is the only way a child
 * is stopped: by `stop`, or by the kernel when this process is killed and can do nothing any more. The shell then
 * sends SIGTERM, waits, and kills the process group. Children are group leaders, so a terminal's Ctrl-C reaches this
 * process alone, which stops them in an order that lets them finish. Leaves out: a machine that kills both at once.
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Leashed {
  /** The process group: the shell and the program. */
  readonly group: number
  /** Resolves with the program's exit code, 128 + n for signal n, once nothing of it is left. */
  readonly exited: Promise<number>
  /** SIGTERM, then SIGKILL to what is left after `graceSeconds`. Resolves when it is gone. */
  stop(): Promise<number>
  /** A hard kill, as a test or a vanishing machine does it. */
  kill(): void
  /** The last lines that it wrote. */
  tail(): string
}

export interface LeashOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Standard output and error are appended here. */
  readonly log: string
  readonly graceSeconds: number
}

const shell = join(import.meta.dirname, 'leash.sh')

export function leash(command: string, args: readonly string[], options: LeashOptions): Leashed {
  const log = openSync(options.log, 'a')
  const child = spawn('/bin/sh', [shell, String(options.graceSeconds), command, ...args], {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['pipe', log, log],
  })
  closeSync(log)
  const { pid: group, stdin: pipe } = child
  if (group === undefined || pipe === null) throw new Error('leash: /bin/sh could not be started')
  pipe.on('error', () => {}) // EPIPE when the shell is gone already: what closing it was for
  const kill = () => {
    try {
      process.kill(-group, 'SIGKILL')
    } catch {
      return // the group is gone
    }
  }
  const exited = new Promise<number>((resolve) => {
    child.on('exit', (code) => {
      kill() // where the shell itself was killed, the program is still there
      resolve(code ?? 137)
    })
  })
  const stop = async () => {
    pipe.end()
    const late = setTimeout(kill, (options.graceSeconds + 5) * 1000)
    return exited.finally(() => clearTimeout(late))
  }
  return { group, exited, stop, kill, tail: () => tailOf(options.log) }
}

function tailOf(path: string): string {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  return lines.slice(-15).join('\n')
}
