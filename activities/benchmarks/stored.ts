/**
 * A set's problems as the store has them (write.ts), read back a piece at a time: a set of a million problems would keep
 * an event loop for seconds if it were parsed at once, and its text may be longer than a string can be.
 */
import { setImmediate } from 'node:timers/promises'
import { CorruptObject } from '../checkpoint/store.ts'
import { ArrayItems } from './array.ts'
import { openRegular } from './local.ts'
import type { Problem } from './problem.ts'

/** Bytes that are parsed between two pauses: some 5 ms. */
const atOnce = 2 ** 18

/** `name`: the blob's in complaints. Throws CorruptObject, which its digest has ruled out unless it was written so. */
export async function readProblems(path: string, name: string): Promise<Problem[]> {
  const file = await openRegular(path, name)
  const items = new ArrayItems()
  const problems: Problem[] = []
  try {
    for (let from = 0; from < file.sizeBytes; from += atOnce) {
      const bytes = await file.read(from, Math.min(from + atOnce, file.sizeBytes))
      // At once: an item's text by itself costs more than what is in it.
      const whole = Buffer.concat(items.push(bytes).flatMap((item) => [comma, item])).subarray(1)
      for (const problem of JSON.parse(`[${whole.toString()}]`) as Problem[]) problems.push(problem)
      await setImmediate()
    }
    items.end()
    return problems
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new CorruptObject(`${name}: is no array of problems (${cause.message})`, { cause })
  } finally {
    await file.close()
  }
}

const comma = Buffer.from(',')
