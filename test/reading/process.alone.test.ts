/** What passes by itself in a reading process, or keeps one from starting, is tried again: it is nobody's input. */
import type * as childProcess from 'node:child_process'
import { EventEmitter } from 'node:events'
import { expect, it, vi } from 'vitest'
import { permanenceOfError } from '../../activities/faults/nature.ts'
import { openReader } from '../../activities/reading/pool.ts'
import { control, reader } from './shared.ts'

const fork = vi.hoisted(() => ({ fails: null as string | null }))
vi.mock('node:child_process', async (original) => {
  const real = await original<typeof childProcess>()
  const failing = (code: string) => {
    const child = new EventEmitter()
    setImmediate(() => child.emit('error', Object.assign(new Error(`spawn node ${code}`), { code })))
    return Object.assign(child, { exitCode: null, signalCode: null, ref() {}, unref() {} })
  }
  const forked = (...all: Parameters<typeof real.fork>) =>
    fork.fails === null ? real.fork(...all) : failing(fork.fails)
  return { ...real, fork: forked }
})

const thrownBy = (asked: Promise<unknown>) =>
  asked.then(
    () => expect.unreachable('it was read'),
    (error: Error) => error,
  )

it('that finds the disk full says so with its code: the next attempt may find room', async () => {
  const ask = { data: { name: 'nano' as const }, files: [], sizeBytes: 0, to: '/dev/full' }
  const error = await thrownBy(reader.ask('data', 'data nano', ask, control))
  expect(error).toMatchObject({ name: 'Error', code: 'ENOSPC' })
  expect(permanenceOfError(error)).toBe('passing')
})

it.each([
  ['EAGAIN', 'passing'],
  ['ENOMEM', 'passing'],
  ['EMFILE', 'passing'],
  ['EACCES', 'limited'],
])('that cannot be started for %s is %s', async (code, permanence) => {
  fork.fails = code
  const own = openReader()
  const error = await thrownBy(own.ask('index', 'model m', { path: '/x' }, control))
  fork.fails = null
  expect(error.message).toBe(`model m: spawn node ${code}`)
  expect(permanenceOfError(error)).toBe(permanence)
  await own.close()
})
