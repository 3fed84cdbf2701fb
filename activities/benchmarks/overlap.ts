/**
 * What training problems and benchmarks share: the same statement, or a run of 13 words, the measure of GPT-3's overlap
 * (arXiv 2005.14165, appendix C). A benchmark's runs of words are held, training problems go by one after another, so
 * memory grows with the benchmarks only. A shared phrase is no proof that a problem was seen: this counts, and judges
 * nothing. Statements of fewer than 13 words can only be the same.
 */
import { setImmediate } from 'node:timers/promises'
import type { Overlap } from '../contracts.ts'
import type { Problem } from './problem.ts'
import { gramsOf, normalised, wordsOf } from './statement.ts'

export const gramWords = 13

/** Pairs that a result names, the same statements first; all are counted. */
const named = 5

/** Training problems between two pauses, in which heartbeats go out. */
const atOnce = 500

export interface Benchmark {
  readonly benchmark: string
  readonly problems: readonly Problem[]
}

/** One result a benchmark, in their order: a function of the problems. Throws the signal's reason. */
export async function overlapsOf(
  training: readonly Problem[],
  benchmarks: readonly Benchmark[],
  signal: AbortSignal,
): Promise<Overlap[]> {
  const tallies = benchmarks.map((benchmark) => new Tally(benchmark))
  for (const [i, { id, problem }] of training.entries()) {
    if (i % atOnce === 0) {
      await setImmediate()
      signal.throwIfAborted()
    }
    const statement = normalised(problem)
    const grams = [...gramsOf(wordsOf(problem), gramWords)]
    for (const tally of tallies) tally.see(id, statement, grams)
  }
  return tallies.map((tally) => tally.result())
}

/** What one benchmark shares with the training problems that it has seen. */
class Tally {
  readonly #benchmark: Benchmark
  /** Ids of the benchmark's problems by statement and by run of words. */
  readonly #statements = new Map<string, string[]>()
  readonly #grams = new Map<string, string[]>()
  readonly #found = { same: new Set<string>(), words: new Set<string>() }
  readonly #training = { same: 0, words: 0 }
  readonly #first: Record<'same' | 'words', Overlap['first']> = { same: [], words: [] }

  constructor(benchmark: Benchmark) {
    this.#benchmark = benchmark
    for (const { id, problem } of benchmark.problems) {
      add(this.#statements, normalised(problem), id)
      for (const gram of new Set(gramsOf(wordsOf(problem), gramWords))) add(this.#grams, gram, id)
    }
  }

  see(id: string, statement: string, grams: readonly string[]): void {
    const same = this.#statements.get(statement) ?? []
    const words = new Set(grams.flatMap((gram) => this.#grams.get(gram) ?? []))
    if (same.length > 0) this.#training.same += 1
    if (words.size > 0) this.#training.words += 1
    for (const other of same) this.#found.same.add(other)
    for (const other of words) this.#found.words.add(other)
    for (const other of new Set([...same, ...words])) {
      const how = same.includes(other) ? 'same' : 'words'
      if (this.#first[how].length < named) this.#first[how].push({ training: id, benchmark: other, how })
    }
  }

  result(): Overlap {
    const { benchmark, problems } = this.#benchmark
    const counted = (how: 'same' | 'words') => ({
      benchmark: this.#found[how].size,
      training: this.#training[how],
    })
    return {
      benchmark,
      problems: problems.length,
      same: counted('same'),
      words: counted('words'),
      first: [...this.#first.same, ...this.#first.words].slice(0, named),
    }
  }
}

function add(index: Map<string, string[]>, key: string, id: string): void {
  index.set(key, [...(index.get(key) ?? []), id])
}
