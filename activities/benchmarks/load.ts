/**
 * The problems a spec's `data` stands for: a set by name, made here (nano, arithmetic), read from the caller's folder or
 * fetched from its pinned home; or a user's own file. `fetch` and `read` are given: nothing here touches a network.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DataSpec } from '../contracts.ts'
import { isPassingStatus } from '../faults/nature.ts'
import { problems as nanoProblems } from '../nano/problems.ts'
import { arithmetic, levels } from './arithmetic.ts'
import { checkMapped, InvalidData, type Checked } from './check.ts'
import { checkJsonl, checkPublished, linesOf } from './jsonl.ts'
import { isParquet, rowsOfParquet } from './parquet.ts'
import type { Problem } from './problem.ts'
import { select } from './select.ts'
import { sources, type PublishedSet, type SourceFile } from './sources.ts'

export interface Reach {
  /** PLACEBO_DATA_DIR, null where none is set. */
  readonly folder: string | null
  readonly fetch: (url: string) => Promise<Pick<Response, 'ok' | 'status' | 'arrayBuffer'>>
  /** The bytes of the file that `data.source` names. */
  readonly read?: (source: string) => Promise<Uint8Array>
}

/** Training problems that `arithmetic` has unless `limit` asks for more. */
const arithmeticSize = 10_000

/** `split` matters where a set has two (nano, arithmetic); the paper's benchmarks are tests, and deepscaler is training. */
export async function loadProblems(data: DataSpec, reach: Reach): Promise<Problem[]> {
  return (await load(data, reach)).problems
}

/** The problems, and where each stands: `file:line`; those that are made here stand nowhere. */
export async function load(data: DataSpec, reach: Reach): Promise<Checked> {
  const { name, source, split = 'train' } = data
  if (source !== undefined) {
    const { problems, places } = await inFile(source, data, reach)
    return { problems: select(problems, data, source, 'source'), places }
  }
  if (name === undefined) throw new InvalidData('data: expected a name or a source, found neither')
  if (name === 'nano') return { problems: select(nanoProblems(split), data, name), places: new Map() }
  if (name === 'arithmetic') {
    const size = Math.max(arithmeticSize, (data.limit ?? 0) * levels)
    return { problems: select(arithmetic(split, size), data, name), places: new Map() }
  }
  const { problems, places } = await published(name, reach)
  return { problems: select(problems, data, name), places }
}

/** What a filter asks for is kept, under its own name unless `columns` has one for it. */
async function inFile(source: string, { columns, where }: DataSpec, { read }: Reach): Promise<Checked> {
  if (read === undefined) throw new InvalidData(`data ${source}: files are not read here`)
  const bytes = await read(source)
  const filtered = Object.fromEntries(Object.keys(where ?? {}).map((name) => [name, name]))
  const mapping = { ...filtered, ...columns }
  const wanted = ['problem', 'answer', 'id', ...Object.values(mapping)]
  const rows = isParquet(bytes)
    ? await rowsOfParquet(bytes, source, wanted)
    : linesOf(textOf(bytes, source), source)
  return checkMapped(rows, source, mapping)
}

function textOf(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new InvalidData(`${source}: is neither Parquet nor JSON Lines in UTF-8`, { cause })
  }
}

async function published(name: PublishedSet, reach: Reach): Promise<Checked> {
  const sets = await Promise.all(sources[name].map(async (file) => leveled(await read(file, reach), file)))
  const places = new Map(sets.flatMap(({ places }) => [...places]))
  return { problems: sets.flatMap(({ problems }) => problems), places }
}

async function read(file: SourceFile, { folder, fetch }: Reach): Promise<Checked> {
  if (folder !== null) {
    const path = join(folder, file.name)
    const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return null // then from its home
      throw new InvalidData(`${path}: cannot be read (${cause.message})`, { cause })
    })
    if (text !== null) return placed(checkJsonl(text, path), (place) => place.replace(path, file.name))
  }
  const advice = `set PLACEBO_DATA_DIR to a folder with ${file.name}`
  const response = await fetch(file.url).catch((cause: Error) => {
    throw new Error(`${file.url}: ${cause.message}; without network access, ${advice}`, { cause })
  })
  if (!response.ok) {
    const said = `${file.url}: HTTP ${response.status}; ${advice}`
    throw isPassingStatus(response.status)
      ? Object.assign(new Error(said), { status: response.status })
      : new InvalidData(said)
  }
  const bytes = Buffer.from(await response.arrayBuffer())
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== file.sha256)
    throw new InvalidData(`${file.url}: SHA-256 expected ${file.sha256}, found ${found}; ${advice}`)
  return checkPublished(bytes.toString('utf8'), file.url)
}

/** Findings are stored, and the folder is this worker's own. */
const placed = ({ problems, places }: Checked, rename: (place: string) => string): Checked => ({
  problems,
  places: new Map([...places].map(([id, place]) => [id, rename(place)])),
})

function leveled(checked: Checked, { level }: SourceFile): Checked {
  if (level === undefined) return checked
  const named = (id: string) => `${level}-${id}`
  return {
    problems: checked.problems.map((problem) => ({ ...problem, id: named(problem.id), level })),
    places: new Map([...checked.places].map(([id, place]) => [named(id), place])),
  }
}
