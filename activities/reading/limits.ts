/**
 * How long a request may take: by what it is and how much it was given, never by how it goes, so that what is slow on
 * purpose ends. A user has an answer within 15 s; a process that starts, and what is copied and digested before, come
 * on top of what stands here.
 */
import type { AskedProblem, JobName, Jobs } from './reader.ts'

export interface Limits {
  /** From the request to its answer. */
  readonly totalMs: number
  /** Between two words of how far it is. */
  readonly silenceMs: number
}

/** What nothing that is taken in, or asked of one problem, may pass. */
const patientMs = 8_000
/** The slowest tokenizers of large vocabularies read 500 characters a millisecond; a busy machine is slower. */
const charactersAMs = 50

/** A page of compressed columns may hold a hundred times its size; files are read while they go on at all. */
const dataMs = 120_000
const dataBytesAMs = 100

const limits: { readonly [J in JobName]: (ask: Jobs[J]['ask']) => Limits } = {
  index: () => fixed(patientMs),
  config: () => fixed(patientMs),
  model: () => fixed(patientMs),
  canRead: () => fixed(patientMs),
  prompts: ({ prompt, problems }) => {
    const characters = problems.reduce((n, problem) => n + prompt.length + lengthOf(problem), 0)
    return { totalMs: patientMs + characters / charactersAMs, silenceMs: patientMs }
  },
  data: ({ sizeBytes }) => ({ totalMs: dataMs + sizeBytes / dataBytesAMs, silenceMs: patientMs }),
}

export function limitsOf<J extends JobName>(job: J, ask: Jobs[J]['ask'], patience: number): Limits {
  const { totalMs, silenceMs } = limits[job](ask)
  return { totalMs: totalMs * patience, silenceMs: silenceMs * patience }
}

const lengthOf = ({ problem, messages = [] }: AskedProblem) =>
  messages.reduce((n, { content }) => n + content.length, problem.length)

const fixed = (ms: number): Limits => ({ totalMs: ms, silenceMs: ms })
