/**
 * The processes that measure: ours (bench/ours.ts under tsx) and the peers' (Python). A fresh one each time, so that memory
 * peaks are its own and nothing of the other is left in the caches of an allocator. Each prints one JSON line, last; what ours
 * says on standard error meanwhile is passed on.
 *
 * A peer that cannot run (no Python, no torch) is said once with its last words, and then left out.
 */
import { execFile, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { allocator } from '../infra/config.ts'
import type { Measured } from './comparison.ts'

const run = promisify(execFile)

export class Processes {
  readonly #python: string | null
  readonly #say: (line: string) => void
  readonly #absent = new Set<string>()
  /** One at a time: what is measured has the machine to itself. */
  #running: ChildProcess | null = null

  /** Without a Python no peer runs. */
  constructor(python: string | null, say: (line: string) => void) {
    this.#python = python
    this.#say = say
  }

  async ours(name: string, args: unknown): Promise<Measured> {
    const script = join(import.meta.dirname, 'ours.ts')
    const command = [...process.execArgv, script, name, JSON.stringify(args)]
    const stdout = await this.#run(process.execPath, command).catch((error: unknown) => {
      throw new Error(`bench: ${name} ${JSON.stringify(args)} failed\n${wordsOf(error)}`)
    })
    return lastLine(stdout)
  }

  async peer(script: string, args: readonly string[]): Promise<Measured | null> {
    if (this.#absent.has(script)) return null
    const stdout = await this.python(script, args)
    if (stdout === null) this.#absent.add(script)
    return stdout === null ? null : lastLine(stdout)
  }

  /** What a script in bench/peers prints, null if it cannot run. */
  async python(script: string, args: readonly string[]): Promise<string | null> {
    if (this.#python === null) return null
    try {
      return await this.#run(this.#python, [join(import.meta.dirname, 'peers', script), ...args])
    } catch (error) {
      const words = wordsOf(error).split('\n').at(-1)
      this.#say(`${script} does not run under ${this.#python} (${words}): ours alone`)
      return null
    }
  }

  /** Ends what is being measured. */
  kill(): void {
    this.#running?.kill('SIGKILL')
  }

  async #run(program: string, args: readonly string[]): Promise<string> {
    const env = {
      ...(program === process.execPath && allocator), // as workers have it
      ...process.env,
      TOKENIZERS_PARALLELISM: 'false', // it warns of forks otherwise
    }
    const promise = run(program, args, { maxBuffer: 2 ** 26, env })
    this.#running = promise.child
    if (program === process.execPath) promise.child.stderr?.pipe(process.stderr, { end: false })
    return (await promise).stdout
  }
}

function lastLine(stdout: string): Measured {
  const line = stdout.trim().split('\n').at(-1) ?? ''
  return JSON.parse(line) as Measured
}

/** What a process that failed said. */
function wordsOf(error: unknown): string {
  const { stderr = '', message } = error as Error & { stderr?: string }
  return stderr.trim() || message
}
