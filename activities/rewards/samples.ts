/**
 * A few completions of a step for people to look at: spread evenly over its rows, each text cut so that all of them are
 * small. They travel in a workflow's history, which holds no other text, so their bytes are bounded as JSON in UTF-8.
 */
import type { Problem } from '../benchmarks/problem.ts'
import { placeOf } from '../checkpoint/join.ts'
import type { Rollout, Sample, Scored } from '../contracts.ts'
import { wellFormed } from '../contracts/shape.ts'

const samples = 3
/** Bytes of each as JSON: with names, numbers and quotes three of them stay below 1,500. */
const most = { problem: 40, statement: 110, texts: 350 } as const

export function samplesOf(
  rollouts: readonly Rollout[],
  scored: readonly Scored[],
  problems: ReadonlyMap<string, Problem>,
): Sample[] {
  const count = Math.min(samples, rollouts.length)
  return Array.from(
    { length: count },
    (_, i) => rollouts[Math.floor((i * rollouts.length) / count)]!,
  ).flatMap((rollout) => {
    const { problem, completion } = rollout
    const place = placeOf(rollout)
    const own = scored.find((row) => row.problem === problem && placeOf(row) === place)
    if (own === undefined) return []
    const statement = cut(problems.get(problem)?.problem ?? '', most.statement)
    const left = most.texts - jsonBytes(statement, most.statement)
    return [
      {
        problem: cut(problem, most.problem),
        statement,
        completion: cut(completion, left),
        reward: own.value,
        verdict: own.verdict,
      },
    ]
  })
}

const gap = ' … '
const gapBytes = 5

/** The text, or its first and last characters where it is longer than so many bytes as JSON: an answer is at the end. */
export function cut(text: string, bytes: number): string {
  // Every unit is a byte at least, so what lies further from both ends is never looked at.
  if (text.length <= bytes && jsonBytes(wellFormed(text), bytes) <= bytes) return wellFormed(text)
  const head = fitting([...wellFormed(text.slice(0, bytes))], Math.floor((bytes - gapBytes) / 3))
  const left = bytes - gapBytes - jsonBytes(head.join(''), bytes)
  const tail = fitting([...wellFormed(text.slice(-bytes))].reverse(), left)
  return `${head.join('')}${gap}${tail.reverse().join('')}`
}

/** The first characters, as many as fit. */
function fitting(characters: readonly string[], bytes: number): string[] {
  let spent = 0
  const end = characters.findIndex((character) => (spent += bytesOf(character)) > bytes)
  return characters.slice(0, end < 0 ? characters.length : end)
}

/** Of a text as JSON in UTF-8, without its quotes; beyond `enough` it is not counted on. */
function jsonBytes(text: string, enough: number): number {
  let bytes = 0
  for (const character of text) if ((bytes += bytesOf(character)) > enough) break
  return bytes
}

const bytesOf = (character: string) => Buffer.byteLength(JSON.stringify(character)) - 2
