/**
 * `npm run bench -- NAME`: what the program costs, beside its peers, measured in the same run.
 *
 *     npm run bench -- sampling | training | step | grading | store | durability | sweep | long | hostile  [--json] [--no-peer]
 *         [--only TEXT] [--rounds 3] [--model FOLDER] [--threads 2] [--limit 2000]
 *
 * PLACEBO_PYTHON is the Python of the peers (bench/peers/requirements.txt), PLACEBO_BENCH_MODEL the folder of
 * SmolLM2-135M-Instruct. The table says ours, the peer's, the ratio ours / peer of medians, and whether our own goal is met.
 */
import { rmSync } from 'node:fs'
import { access, mkdir, mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { numberOf, oneOf, runProgram, type Called } from '../infra/program.ts'
import { benchmarks } from './benchmarks.ts'
import { compare, type Result, type Summary } from './comparison.ts'
import { Processes } from './processes.ts'

const folder = join(import.meta.dirname, '..', '.placebo', 'bench')
const say = (line: string) => process.stderr.write(`${line}\n`)

const names = Object.keys(benchmarks)

const program = {
  name: 'bench',
  usage: `npm run bench -- ${names.join('|')} [--json] [--no-peer] [--only TEXT] [--rounds 3]
    [--model FOLDER] [--threads 2] [--limit 2000]

What the program costs, beside its peers where Python has them (PLACEBO_PYTHON), measured in the same run.
  --json      one JSON object a figure
  --no-peer   without the peers
  --only      the comparisons whose name has this in it
  --rounds    so often each is measured
  --model     the folder of SmolLM2-135M-Instruct (PLACEBO_BENCH_MODEL)
  --threads   of ours and the peers
  --limit     cases, inputs or runs, where a benchmark has many
  --help, -h  this text`,
  options: {
    json: { type: 'boolean' },
    'no-peer': { type: 'boolean' },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    model: { type: 'string' },
    threads: { type: 'string', default: '2' },
    limit: { type: 'string', default: '2000' },
  },
  words: { what: `one of ${names.join(', ')}`, least: 1, most: 1 },
} as const
type Values = Called<typeof program.options>['values']

const python = process.env['PLACEBO_PYTHON'] ?? 'python3'

async function main({ values, words }: Called<typeof program.options>): Promise<number> {
  const name = oneOf('benchmark', names, words[0])
  const benchmark = benchmarks[name]
  if (benchmark === undefined) return 2
  const [rounds, threads, limit] = [count('rounds', values), count('threads', values), count('limit', values)]
  const processes = new Processes(values['no-peer'] ? null : python, say)
  await mkdir(folder, { recursive: true })
  const scratch = await mkdtemp(join(folder, 'run-')) // gone with this process, whatever happens to those that measure
  process.on('exit', () => {
    processes.kill()
    rmSync(scratch, { recursive: true, force: true })
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
  const modelled = name === 'sampling' || name === 'training'
  const { comparisons, missing } = await benchmark.comparisons({
    model: (values.model ?? process.env['PLACEBO_BENCH_MODEL']) || null,
    small: modelled ? await smallModel() : null,
    threads,
    limit,
    folder: scratch,
  })
  for (const what of missing) say(`missing ${what}`)

  const results: Result[] = []
  for (const comparison of comparisons.filter(({ label }) => label.includes(values.only))) {
    say(comparison.label)
    const found = await compare(name, comparison, rounds, processes)
    results.push(...found)
    if (values.json) for (const result of found) console.log(JSON.stringify(line(result)))
  }
  if (!values.json && results.length > 0) console.log(table(results))
  return 0
}

const count = (option: 'rounds' | 'threads' | 'limit', values: Values) =>
  numberOf(option, values[option], 1, true)

/** The 0.8M Llama, written once; null where there is no Python to write it. */
async function smallModel(): Promise<string | null> {
  const path = join(folder, 'small')
  const there = () =>
    access(join(path, 'tokenizer.json')).then(
      () => true,
      () => false,
    )
  if (!(await there())) await new Processes(python, say).python('make_small.py', [path])
  return (await there()) ? path : null
}

function line({ figure, value, peer, ratio, met }: Result) {
  return {
    name: figure.name,
    value: value.median,
    best: value.best,
    unit: figure.unit,
    peer: peer && peer.median,
    peerBest: peer && peer.best,
    ratio,
    ...(figure.target && { target: goal(figure), met }),
  }
}

function goal({ target, better }: Result['figure']): string {
  return target ? `${target.of} ${better === 'more' ? '>=' : '<='} ${target.bound}` : ''
}

function table(results: readonly Result[]): string {
  const rows = results.map(({ figure, value, peer, ratio, met }) => [
    figure.name,
    figure.unit,
    text(value),
    peer ? text(peer) : '-',
    ratio === null ? '-' : digits(ratio),
    goal(figure) + (met === null ? '' : met ? ', met' : ', missed'),
  ])
  const all = [['', 'unit', 'ours (best)', 'peer (best)', 'ratio', 'goal'], ...rows]
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  const pad = (cell: string, column: number) =>
    column >= 2 && column <= 4 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)
  return all.map((row) => row.map(pad).join('  ').trimEnd()).join('\n')
}

function text({ median, best }: Summary): string {
  return `${digits(median)} (${digits(best)})`
}

/** Three significant digits, never an exponent. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

runProgram(program, main)
