import { describe, expect, it } from 'vitest'
import { Writable } from 'node:stream'
import { JsonLogger } from '../../infra/log.ts'

function logged(write: (logger: JsonLogger) => void, now = Date.now): Record<string, unknown>[] {
  let text = ''
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => ((text += chunk.toString()), done()),
  })
  write(new JsonLogger(stream, 'INFO', now))
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

it('writes one JSON object a line, with its fields beside the message', () => {
  const lines = logged((logger) => logger.info('step done', { step: 3, event: 12n }))
  expect(lines).toEqual([
    { time: expect.any(String) as string, level: 'INFO', message: 'step done', step: 3, event: '12' },
  ])
})

it('keeps an error as its stack', () => {
  const [line] = logged((logger) => logger.error('failed', { error: new RangeError('too far') }))
  expect(line?.['error']).toMatch(/^RangeError: too far\n/)
})

it("leaves out the SDK's own business unless it is a warning", () => {
  const lines = logged((logger) => {
    logger.debug('fine detail')
    logger.info('bundle created', { sdkComponent: 'worker' })
    logger.warn('slow poll', { sdkComponent: 'core' })
    logger.info('from a workflow', { sdkComponent: 'workflow' })
  })
  expect(lines.map(({ message }) => message)).toEqual(['slow poll', 'from a workflow'])
})

describe('a fault that comes again and again', () => {
  const closed = () => new Error('connect ECONNREFUSED 127.0.0.1:4711')
  const times = (lines: Record<string, unknown>[]) => lines.map(({ times = 1 }) => times)

  it('is said the 1st, 2nd, 4th and 8th time, with how often it came, and at the end what is missing', () => {
    const lines = logged((logger) => {
      for (let i = 0; i < 11; i++)
        logger.warn('Activity failed', { activityId: '1', attempt: i, error: closed() })
      logger.flush()
    })
    expect(times(lines)).toEqual([1, 2, 4, 8, 11])
    expect(lines.at(-1)).toMatchObject({ attempt: 10, level: 'WARN' }) // as it came last
  })

  it('is another of another activity, in other words, and after a while; numbers make no other', () => {
    let now = 0
    const lines = logged((logger) => {
      for (const [activityId, port] of [['1', 1], ['1', 2], ['1', 3], ['2', 1]] as const)
        logger.warn('Activity failed', { activityId, error: new Error(`connect ECONNREFUSED 127.0.0.1:${port}`) })
      logger.warn('Activity failed', { activityId: '1', error: new Error('403') })
      now += 11 * 60_000
      logger.warn('Activity failed', { activityId: '1', error: closed() })
    }, () => now) // prettier-ignore
    // of 1: once, twice, the third is not said yet; of 2: once; other words: once; after a while the third, and anew
    expect(times(lines)).toEqual([1, 2, 1, 1, 3, 1])
  })

  it('is forgotten where there are a thousand others, its count said', () => {
    const lines = logged((logger) => {
      for (let i = 0; i < 3; i++) logger.warn('x', { activityId: 'first', error: closed() })
      for (let i = 0; i < 1001; i++) logger.warn('x', { activityId: `${i}`, error: closed() })
    })
    expect(lines.filter(({ activityId }) => activityId === 'first').map(({ times = 1 }) => times)).toEqual([1, 2, 3]) // prettier-ignore
  })
})
