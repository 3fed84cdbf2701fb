/**
 * `npm run -s check-spec -- FILE`: whether a spec would be admitted, and what it would take. Needs no server: it reads the
 * file, resolves it as a start would, and plans it for this machine. A model in this repository or in a folder is looked
 * up for its size; for one from elsewhere, what depends on it is left out. So are problems that lie elsewhere.
 *
 * Exit codes: 0 and the plan on standard output; 1 and the faults on standard error; 2 for arguments that make no sense.
 */
import { constants, realpathSync } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { configOf, type Reading } from '../activities/models/brought.ts'
import { ModelUnavailable } from '../activities/models/source.ts'
import type { ModelConfig } from '../activities/policy/config.ts'
import { openReader } from '../activities/reading/pool.ts'
import { kinds, readAsked, type Kind, type Read } from '../activities/spec/asked.ts'
import { plan, type Worker } from '../activities/spec/plan.ts'
import { notesOf, rowsOf, sizeOf } from '../activities/spec/shown.ts'
import { notesOfData } from './check-data.ts'
import { memoryOfMachine } from './config.ts'

const help = `npm run -s check-spec -- FILE [--type ${kinds.join('|')}] [--json]

Whether the spec in FILE (JSON) would be admitted, and what it would take on this machine.
  --type   what it is a spec of, where its $schema and its fields do not say so
  --json   the plan as one JSON object
  --help   this text`

interface Asked {
  readonly file: string
  readonly type: Kind | undefined
  readonly json: boolean
}

/** Called otherwise than the help says. */
export class Usage extends Error {
  override readonly name = 'Usage'
}

function argumentsOf(args: string[]): Asked | null {
  const options = { type: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } } as const
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
  if (values.help === true) return null
  const type = kinds.find((kind) => kind === values.type)
  if (values.type !== undefined && type === undefined)
    throw new Usage(`--type: expected ${kinds.join(', ')}, found ${values.type}`)
  const [file, ...others] = positionals
  if (file === undefined || others.length > 0)
    throw new Usage(`expected one file, found ${positionals.length}`)
  // npm runs scripts in the project's root; the path is meant from where the user stands.
  return { file: resolve(process.env['INIT_CWD'] ?? process.cwd(), file), type, json: values.json === true }
}

/** Specs are some kilobytes; Temporal takes no payload above 2 MiB. */
const mostSpecBytes = 2 * 2 ** 20

/** A regular file's text. Without O_NONBLOCK, opening a FIFO waits for its writer. */
async function textOf(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) throw new Error(`${file}: expected a regular file, found something else`)
    if (stat.size > mostSpecBytes)
      throw new Error(`${file}: expected at most ${mostSpecBytes} bytes, found ${stat.size}`)
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

async function readSpec({ file, type }: Asked): Promise<Read> {
  const text = await textOf(file)
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (cause) {
    throw new Error(`${file}: is not JSON (${cause instanceof Error ? cause.message : ''})`, { cause })
  }
  return readAsked(content, type)
}

/** The configurations that lie on this machine, and what is said of the others and of the problems. */
async function lookedUp({ asked, models }: Read) {
  const folder = await mkdtemp(join(tmpdir(), 'placebo-check-'))
  const reader = openReader()
  const scratch = (name: string) => Promise.resolve(join(folder, name))
  const control = { signal: new AbortController().signal, progress: () => {} }
  try {
    const reading = { scratch, reader, control }
    const { configs, notes } = await configsIn(models, reading)
    return { configs, notes: [...notes, ...(await notesOfData(asked, reading))] }
  } finally {
    await reader.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function configsIn(models: readonly string[], reading: Reading) {
  const configs = new Map<string, ModelConfig>()
  const notes: string[] = []
  for (const model of models) {
    if (!model.startsWith('nano/') && !model.startsWith('file://')) {
      notes.push(`${model}: its config.json is not on this machine, what depends on it is left out`)
      continue
    }
    try {
      configs.set(model, await configOf(model, { allow: ['file:///'], hub: {} }, reading))
    } catch (error) {
      if (!(error instanceof ModelUnavailable) || model.startsWith('nano/')) throw error
      notes.push(`${error.message}; what depends on it is left out`)
    }
  }
  return { configs, notes }
}

async function main(args: string[]): Promise<void> {
  const asked = argumentsOf(args)
  if (asked === null) return console.log(help)
  const read = await readSpec(asked)
  const worker: Worker = { threads: availableParallelism(), memoryBytes: memoryOfMachine() }
  const { configs, notes } = await lookedUp(read)
  const quantities = plan(read.asked, (model) => configs.get(model) ?? null, worker)
  const all = [...notes, ...notesOf(quantities, worker)]
  if (asked.json) {
    console.log(JSON.stringify({ type: read.asked.type, worker, quantities, notes: all }, null, 2))
    return
  }
  const here = `${worker.threads} threads, ${sizeOf(worker.memoryBytes)} of memory`
  console.log(`${asked.file}: would be admitted by --type ${read.asked.type}.`)
  if (quantities.length > 0) console.log(`On ${here}:\n\n${aligned(rowsOf(quantities))}`)
  for (const note of all) console.log(`\n${note}`)
}

/** Columns as wide as their widest cell; numbers to the right. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map(([of = '', name = '', value = '', source = '']) =>
      [of.padEnd(widths[0] ?? 0), name.padEnd(widths[1] ?? 0), value.padStart(widths[2] ?? 0), source].join(
        '  ',
      ),
    )
    .join('\n')
}

if (realpathSync(process.argv[1] ?? '') === import.meta.filename) {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0) // whoever read has seen enough
    throw error
  })
  main(process.argv.slice(2)).catch((error: NodeJS.ErrnoException) => {
    const isUsage = error instanceof Usage || (error.code ?? '').startsWith('ERR_PARSE_ARGS')
    console.error(`check-spec: ${error.message}${isUsage ? `\n\n${help}` : ''}`)
    process.exitCode = isUsage ? 2 : 1
  })
}
