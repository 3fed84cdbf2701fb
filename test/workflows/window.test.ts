/** A workflow with thousands of children to begin has so many at once: the server refuses more, for ever. */
import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Window } from '../../workflows/window.ts'

/** What has begun, in order, and how each is ended. */
function furnish(window: Window) {
  const begun: number[] = []
  const ends = new Map<number, (error?: Error) => void>()
  const enter = (i: number) =>
    window.enter(() => {
      begun.push(i)
      return new Promise<number>((resolve, reject) =>
        ends.set(i, (error) => (error === undefined ? resolve(i) : reject(error))),
      )
    })
  return { begun, enter, end: async (i: number, error?: Error) => (ends.get(i)?.(error), turn()) }
}

it('what fits begins at once, and each end, a failure too, begins the one that waited longest', async () => {
  const { begun, enter, end } = furnish(new Window(2))
  const ended = Promise.allSettled([0, 1, 2, 3, 4].map(enter))
  expect(begun).toEqual([0, 1]) // in the same turn
  await end(1)
  expect(begun).toEqual([0, 1, 2])
  await end(2, new Error('failed'))
  expect(begun).toEqual([0, 1, 2, 3])
  await end(0)
  expect(begun).toEqual([0, 1, 2, 3, 4])
  await end(3)
  await end(4)
  expect((await ended).map(({ status }) => status)).toEqual(
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'], // prettier-ignore
  )
})

it('a history from before it begins all at once, and is asked once, when there is no room', () => {
  let asked = 0
  const { begun, enter } = furnish(new Window(2, () => (asked++, false)))
  void [0, 1].map(enter)
  expect(asked).toBe(0)
  void [2, 3].map(enter)
  expect(begun).toEqual([0, 1, 2, 3])
  expect(asked).toBe(1)
})
