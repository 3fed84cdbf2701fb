/**
 * The problems a spec's `data` stands for: made here (nano, arithmetic), read from the caller's folder, or fetched from
 * their pinned home. `fetch` is given, so that this library touches no network of its own.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DataSpec } from '../contracts.ts'
import { problems as nanoProblems } from '../nano/problems.ts'
import { arithmetic, levels } from './arithmetic.ts'
import { InvalidData, parseJsonl, parsePublished } from './jsonl.ts'
import type { Problem } from './problem.ts'
import { select } from './select.ts'
import { sources, type PublishedSet, type SourceFile } from './sources.ts'

export interface Reach {
  /** PLACEBO_DATA_DIR, null where none is set. */
  readonly folder: string | null
  readonly fetch: (url: string) => Promise<Pick<Response, 'ok' | 'status' | 'arrayBuffer'>>
}

/** Training problems that `arithmetic` has unless `limit` asks for more. */
const arithmeticSize = 10_000

/** `split` matters where a set has two (nano, arithmetic); the paper's benchmarks are tests, and deepscaler is training. */
export async function loadProblems(
  { name, split = 'train', ...selection }: DataSpec & { readonly split?: 'train' | 'test' | undefined },
  reach: Reach,
): Promise<Problem[]> {
  if (name === 'nano') return select(nanoProblems(split), selection, name)
  if (name === 'arithmetic') {
    const size = Math.max(arithmeticSize, (selection.limit ?? 0) * levels)
    return select(arithmetic(split, size), selection, name)
  }
  return select(await published(name, reach), selection, name)
}

async function published(name: PublishedSet, reach: Reach): Promise<Problem[]> {
  const sets = await Promise.all(sources[name].map(async (file) => leveled(await read(file, reach), file)))
  return sets.flat()
}

async function read(file: SourceFile, { folder, fetch }: Reach): Promise<Problem[]> {
  if (folder !== null) {
    const path = join(folder, file.name)
    const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return null // then from its home
      throw new InvalidData(`${path}: cannot be read (${cause.message})`, { cause })
    })
    if (text !== null) return parseJsonl(text, path)
  }
  const advice = `set PLACEBO_DATA_DIR to a folder with ${file.name}`
  const response = await fetch(file.url).catch((cause: Error) => {
    throw new Error(`${file.url}: ${cause.message}; without network access, ${advice}`, { cause })
  })
  if (!response.ok) throw new Error(`${file.url}: HTTP ${response.status}; ${advice}`)
  const bytes = Buffer.from(await response.arrayBuffer())
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== file.sha256)
    throw new InvalidData(`${file.url}: SHA-256 expected ${file.sha256}, found ${found}; ${advice}`)
  return parsePublished(bytes.toString('utf8'), file.url)
}

function leveled(problems: Problem[], { level }: SourceFile): Problem[] {
  if (level === undefined) return problems
  return problems.map((problem) => ({ ...problem, id: `${level}-${problem.id}`, level }))
}
