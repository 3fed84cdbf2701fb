/**
 * The problems a spec's `data` stands for, from files that lie on this machine (`bring.ts`), or made here (nano,
 * arithmetic). A function of the files and the spec: no network, no allow-list, no environment. Rows are read one after
 * another; with `limit`, no more than are needed.
 */
import type { DataSpec } from '../contracts.ts'
import type { Control } from '../engine/port.ts'
import { problems as nanoProblems } from '../nano/problems.ts'
import { arithmeticFor, requireAsked } from './arithmetic.ts'
import { gatherMapped, gatherOurs, type Checked, type Gathered } from './check.ts'
import { usualMark } from './answers.ts'
import { columnOf, type Looks, type Rows } from './columns.ts'
import { InvalidData } from './faults.ts'
import { itemsOf, jsonRowsOf, linesOf } from './jsonl.ts'
import { openRegular, type LocalFile, type RegularFile } from './local.ts'
import { isParquet, rowsOfParquet } from './parquet/rows.ts'
import type { Problem } from './problem.ts'
import { byId, Selector } from './select.ts'

/**
 * The problems, and where each stands: `file:line`; those that are made here stand nowhere. `looksForMark`: whether
 * GSM8K's mark before an answer is seen without a word of the spec.
 */
export async function loadLocal(
  data: DataSpec,
  files: readonly LocalFile[],
  control: Control,
  looksForMark = true,
): Promise<Checked> {
  const { name, source, split = 'train' } = data
  if (source !== undefined) {
    const [file] = files
    if (file === undefined) return new Selector(data, source, 'source').end()
    return inSource(file, data, source, { looksForMark, hasIds: false }, control)
  }
  if (name === undefined) throw new InvalidData('data: expected a name or a source, found neither')
  if (name === 'nano') return madeHere(nanoProblems(split), data, name)
  if (name === 'arithmetic') {
    const checked = madeHere(await arithmeticFor(data, control), data, name)
    requireAsked(data, checked.problems.length)
    return checked
  }
  const selector = new Selector(data, name)
  for (const file of files) if (!selector.hasEnough()) await inSet(file, selector, control)
  return selector.end()
}

function madeHere(problems: readonly Problem[], data: DataSpec, name: string): Checked {
  const selector = new Selector(data, name)
  for (const problem of problems) selector.see(problem, byId(problem))
  return { ...selector.end(), places: new Map() }
}

/**
 * What is known only when all rows were read: whether every answer that was chosen has GSM8K's mark, and whether there
 * are ids behind rows without one. Where it is other than it was taken to be, they are read anew.
 */
async function inSource(
  file: LocalFile,
  data: DataSpec,
  source: string,
  looks: Looks,
  control: Control,
): Promise<Checked> {
  const selector = new Selector(data, source, 'source')
  const { marked, hasLateIds, ...gathered } = await inFile(file, data, selector, looks, control)
  if (hasLateIds) return inSource(file, data, source, { ...looks, hasIds: true }, control)
  const chosen = { ...selector.end(), ...gathered }
  if (marked.size === 0) return chosen
  if (chosen.problems.every(({ id }) => marked.has(id))) return { ...chosen, mark: usualMark }
  return inSource(file, data, source, { ...looks, looksForMark: false }, control)
}

/** What a filter asks for is kept, under its own name unless `columns` has one for it. */
async function inFile(
  local: LocalFile,
  { columns, where, badRows }: DataSpec,
  selector: Selector,
  looks: Looks,
  control: Control,
): Promise<Gathered> {
  const filtered = Object.fromEntries(Object.keys(where ?? {}).map((name) => [name, name]))
  const mapping = { ...filtered, ...columns }
  const wanted = ['problem', 'answer', 'id', ...Object.values(mapping).map(columnOf)]
  return opened(local, async (file) => {
    const rows = (await isParquet(file))
      ? await rowsOfParquet(file, wanted, control)
      : await jsonRowsOf(file, control)
    const how = { ...looks, skips: badRows === 'skip' }
    return gatherMapped(rows, file.name, mapping, selector, how)
  })
}

async function inSet(local: LocalFile, selector: Selector, control: Control): Promise<void> {
  await opened(local, async (file) => {
    const rows: Rows = local.published === true ? await itemsOf(file) : linesOf(file, control)
    await gatherOurs(rows, file.name, selector, local)
  })
}

async function opened<T>(local: LocalFile, body: (file: RegularFile) => Promise<T>): Promise<T> {
  const file = await openRegular(local.path, local.name, local.within)
  try {
    return await body(file)
  } finally {
    await file.close()
  }
}
