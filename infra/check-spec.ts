/**
 * `npm run -s check-spec -- FILE`: whether a spec would be admitted, and what it would take. Needs no server: it reads the
 * file, resolves it as a start would, looks at what it names as far as that lies here, and plans it for this machine. What
 * lies elsewhere is named, and what depends on it is left out of the plan.
 */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { parseJson } from '../activities/faults/json.ts'
import { kinds, readAsked, type Kind, type Read } from '../activities/spec/asked.ts'
import { plan, type Worker } from '../activities/spec/plan.ts'
import { notesOf, rowsOf, sizeOf } from '../activities/spec/shown.ts'
import { memoryOfMachine, readFiles } from './config.ts'
import { look } from './look.ts'
import { isProgram, oneOf, runProgram, type Called } from './program.ts'

const program = {
  name: 'check-spec',
  usage: `npm run -s check-spec -- FILE [--type ${kinds.join('|')}] [--elsewhere] [--json]

Whether the spec in FILE (JSON) would be admitted, and what it would take on this machine. PLACEBO_ALLOW and
PLACEBO_DATA_DIR, where they are set, are taken for the workers'.
  --type       what it is a spec of, where its $schema and its fields do not say so
  --elsewhere  the folders and files that it names lie on the workers' machines: they are not looked for here
  --json       the plan as one JSON object
  --help, -h   this text`,
  options: { type: { type: 'string' }, elsewhere: { type: 'boolean' }, json: { type: 'boolean' } },
  words: { what: 'one file', least: 1, most: 1 },
} as const

/** Specs are some kilobytes; Temporal takes no payload above 2 MiB. */
const mostSpecBytes = 2 * 2 ** 20

/** A regular file's text. Without O_NONBLOCK, opening a FIFO waits for its writer. */
async function textOf(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(
    (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'ENOENT' ? 'is not there' : `cannot be opened (${cause.code})`
      throw new Error(`${file}: ${why}`)
    },
  )
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

async function readSpec(file: string, type: Kind | undefined): Promise<Read> {
  const text = await textOf(file)
  const parsed = parseJson(text.replace(/^\ufeff/, ''))
  if (parsed.fault !== undefined) throw new Error(`${file}: is not JSON (${parsed.fault})`)
  return readAsked(parsed.value, type)
}

async function main({ values, words: [word = ''] }: Called<typeof program.options>): Promise<number> {
  const type = values.type === undefined ? undefined : oneOf('--type', kinds, values.type)
  // npm runs scripts in the project's root; the path is meant from where the user stands.
  const file = resolve(process.env['INIT_CWD'] ?? process.cwd(), word)
  const read = await readSpec(file, type)
  const { configs, faults, notes } = await look(read, {
    ...readFiles(process.env),
    elsewhere: values.elsewhere,
  })
  if (faults.length > 0) {
    console.error(faults.map((fault) => `check-spec: ${fault}`).join('\n'))
    return 1
  }
  const worker: Worker = { threads: availableParallelism(), memoryBytes: memoryOfMachine() }
  const quantities = plan(read.asked, (model) => configs.get(model) ?? null, worker)
  const all = [...notes, ...notesOf(quantities, worker)]
  if (values.json) {
    console.log(JSON.stringify({ type: read.asked.type, worker, quantities, notes: all }, null, 2))
    return 0
  }
  const here = `${worker.threads} threads, ${sizeOf(worker.memoryBytes)} of memory`
  console.log(`${file}: would be admitted by --type ${read.asked.type}${seen(notes)}.`)
  if (quantities.length > 0) console.log(`On ${here}:\n\n${aligned(rowsOf(quantities))}`)
  for (const note of all) console.log(`\n${note}`)
  return 0
}

/** The verdict says itself how far it goes. */
const seen = (notes: readonly string[]) =>
  notes.some((note) => note.startsWith('not looked at')) ? ', as far as can be seen from here' : ''

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

if (isProgram(import.meta.filename)) runProgram(program, main)
