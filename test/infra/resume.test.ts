import { expect, test } from 'vitest'
import { choose } from '../../infra/resume.ts'

const own = (workflowId: string, status: string) => ({ workflowId, status, root: null })
const of = (root: string, rootStatus: string, workflowId: string, status = 'FAILED') => ({
  workflowId,
  status,
  root: { workflowId: root, status: rootStatus },
})

test('what failed, was terminated, timed out or was cancelled is started; what runs or has completed is not', () => {
  const statuses = ['FAILED', 'TERMINATED', 'TIMED_OUT', 'CANCELLED', 'RUNNING', 'COMPLETED']
  expect(choose(statuses.map((status, i) => own(String(i), status)))).toEqual([
    { workflowId: '0', action: 'start', why: 'failed' },
    { workflowId: '1', action: 'start', why: 'terminated' },
    { workflowId: '2', action: 'start', why: 'timed out' },
    { workflowId: '3', action: 'start', why: 'cancelled' },
    { workflowId: '4', action: 'skip', why: 'is running' },
    { workflowId: '5', action: 'skip', why: 'has completed since' },
  ])
})

test('children of one parent start it once, however it ended, and a parent that runs is left alone', () => {
  const found = [
    of('x', 'COMPLETED', 'x:1'),
    of('x', 'COMPLETED', 'x:1:evaluate:0', 'TERMINATED'),
    of('y', 'RUNNING', 'y:1'),
    of('x', 'COMPLETED', 'x:2', 'COMPLETED'),
    of('x', 'COMPLETED', 'x:3'),
    of('x', 'COMPLETED', 'x:4'),
    of('z', 'NOT_FOUND', 'z:1'),
  ]
  expect(choose(found)).toEqual([
    { workflowId: 'y:1', action: 'skip', why: 'its parent y is running' },
    { workflowId: 'x:2', action: 'skip', why: 'has completed since' },
    { workflowId: 'z:1', action: 'skip', why: 'its parent z is not known any more' },
    { workflowId: 'x', action: 'start', why: 'for x:1, x:1:evaluate:0, x:3 and 1 more' },
  ])
})

test('a parent that was found beside its children is one line, and one that completed is started for them', () => {
  expect(choose([of('x', 'FAILED', 'x:1'), own('x', 'FAILED')])).toEqual([
    { workflowId: 'x', action: 'start', why: 'failed' },
  ])
  expect(choose([own('x', 'COMPLETED'), of('x', 'COMPLETED', 'x:1')])).toEqual([
    { workflowId: 'x', action: 'start', why: 'for x:1' },
  ])
})
