import { expect, it } from 'vitest'
import { Writable } from 'node:stream'
import { JsonLogger } from '../../infra/log.ts'

function logged(write: (logger: JsonLogger) => void): Record<string, unknown>[] {
  let text = ''
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => ((text += chunk.toString()), done()),
  })
  write(new JsonLogger(stream))
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
