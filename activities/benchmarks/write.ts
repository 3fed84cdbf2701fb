/** A set's problems as the store keeps them: the canonical JSON of their array, written piece by piece. */
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { canonical } from '../checkpoint/canonical.ts'
import type { Control } from '../engine/port.ts'
import type { Problem } from './problem.ts'

/** Problems in one piece. */
const atOnce = 1000

/** The same bytes as `canonical(problems)`, which may be longer than a text can be. */
export async function writeProblems(
  problems: readonly Problem[],
  to: string,
  control: Control,
): Promise<void> {
  await pipeline(Readable.from(pieces(problems, control)), createWriteStream(to), { signal: control.signal })
}

function* pieces(problems: readonly Problem[], control: Control): Iterable<string> {
  yield '['
  for (let from = 0; from < problems.length; from += atOnce) {
    control.progress({ phase: 'load', done: from, total: problems.length })
    const piece = problems.slice(from, from + atOnce).map((problem) => canonical(problem))
    yield `${from === 0 ? '' : ','}${piece.join()}`
  }
  yield ']'
}
