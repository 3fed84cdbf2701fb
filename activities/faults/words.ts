/** What is said of an error for whom it stops: where it happened, in which build; and of attempts that died unheard. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { AtWork } from '../contracts/heartbeat.ts'
import { mostSame, type Counts } from './counts.ts'

/** One attempt after another ended without a word, none further than those before it. */
export class WorkersDied extends Error {
  override readonly name = 'WorkersDied'
}

const project = new URL('../../', import.meta.url)
const { version } = JSON.parse(readFileSync(new URL('package.json', project), 'utf8')) as { version: string }

/** This program: its version, and its build's id where it has one. */
export const buildOf = (buildId: string | undefined): string =>
  `placebo ${version}${buildId === undefined || buildId === '' ? '' : `, build ${buildId}`}`

/** The message of a fault that came again and again: what it said, how often, where, and in which build. */
export function repeatedly(error: Error, { faults }: Counts, where: string, buildId?: string): string {
  const { count = 1, row = 1 } = faults ?? {}
  const often =
    count >= mostSame
      ? `${count} attempts in a row ended in this`
      : `${row} attempts in a row failed, the last in this`
  const place = placeOf(error)
  return `${error.message} [${often}; ${where}${place === null ? '' : `, ${place}`}; ${buildOf(buildId)}]`
}

/** The innermost place of the program's own in an error's stack, `activities/x.ts:12`; null where there is none. */
export function placeOf({ stack = '' }: Error): string | null {
  const root = fileURLToPath(project)
  const own = stack
    .split('\n')
    .map((line) => line.replaceAll('file://', ''))
    .filter((line) => line.includes(root) && !line.includes('node_modules'))
  const [, path, line] = /([^\s(]+?):(\d+)(?::\d+)?\)?$/.exec(own[0] ?? '') ?? []
  return path === undefined ? null : `${path.replace(root, '')}:${line}`
}

/** An activity of a workflow, and how far it was. */
export const whereOf = (activity: string, workflow: string | undefined, at: AtWork | null): string =>
  `activity ${activity}${workflow === undefined ? '' : ` of ${workflow}`}${at === null ? '' : `, phase ${at.phase}, ${at.done} of ${at.total}`}`

/** What died, how far it was, and what to look at. */
export function diedAt({ deaths, furthest }: Counts, where: string): WorkersDied {
  const reached = Object.entries(furthest).map(([phase, done]) => `${phase} ${done}`)
  const far = reached.length === 0 ? 'before their first word' : `no further than ${reached.join(', ')}`
  return new WorkersDied(
    `${where}: ${deaths} attempts in a row died, ${far}. Their workers were killed, or did nothing else until they ` +
      `were given up: see the workers' memory (the system's log says what it killed) and the end of their own logs`,
  )
}
