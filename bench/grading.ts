/**
 * Grading: gradings/s of one thread and the share of expected verdicts; peer: Math-Verify, on the same cases. Then the
 * slowest of a few hostile inputs, which no peer finishes.
 *
 * PLACEBO_GRADING_DIR names a folder of .jsonl files whose lines are {gold, prediction | completion, expected?, config.raw?}.
 * Cases are taken evenly from each kind of file: graders' own suites, answers of models, and rewrites of gold answers. Those
 * whose label is in doubt (`suspect`) or that another file has (`duplicate_of`) are left out.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { grade } from '../activities/grading/index.ts'
import type { Benchmark, Comparison, Measured } from './comparison.ts'
import { secondsSince } from './model.ts'

interface Case {
  readonly kind?: string
  readonly gold: unknown
  readonly prediction?: unknown
  readonly completion?: unknown
  readonly expected?: boolean | null
  readonly config?: { readonly raw?: boolean }
  readonly suspect?: string
  readonly duplicate_of?: string
}

const kinds = [
  { name: 'answers of models', files: /^(?:zeroeval|qwen-cot|tora|dsr)/ },
  { name: 'rewritten answers', files: /^metamorphic/ },
  { name: "graders' own suites", files: /^/ },
] as const

export const grading: Benchmark = {
  async comparisons({ limit, folder }) {
    const cases = process.env['PLACEBO_GRADING_DIR']
    if (!cases)
      return { comparisons: [hostile], missing: ['cases to grade: PLACEBO_GRADING_DIR names their folder'] }
    await mkdir(folder, { recursive: true })
    const names = (await readdir(cases)).filter((name) => name.endsWith('.jsonl')).sort()
    const comparisons: Comparison[] = []
    for (const [i, kind] of kinds.entries()) {
      const files = names.filter((name) => kinds.find(({ files }) => files.test(name)) === kind)
      const lines = await choose(cases, files, Math.ceil(limit / kinds.length))
      if (lines.length === 0) continue
      const path = join(folder, `cases-${i}.jsonl`)
      await writeFile(path, lines.join('\n') + '\n')
      comparisons.push(row(`grading, ${lines.length} ${kind.name}`, path))
    }
    return { comparisons: [...comparisons, hostile], missing: [] }
  },

  async measure(args) {
    const { path } = args as { path: string | null }
    return path === null ? slowest() : rates(await readFile(path, 'utf8'))
  },
}

const leastSeconds = 1 // of measuring: cases are graded again until then, since a few hundred take milliseconds
const leastPerSecond = 10_000
const mostMs = 50

function row(label: string, path: string): Comparison {
  return {
    label,
    ours: { path },
    peer: { script: 'grade.py', args: ['--cases', path] },
    figures: [
      {
        name: label,
        unit: 'gradings/s',
        better: 'more',
        ours: 'gradingsPerSecond',
        peer: 'gradingsPerSecond',
        target: { of: 'value', bound: leastPerSecond },
      },
      { name: `${label}: expected verdicts`, unit: 'share', better: 'more', ours: 'agree', peer: 'agree' },
    ],
  }
}

const hostile: Comparison = {
  label: 'grading, hostile input',
  ours: { path: null },
  peer: null,
  figures: [
    {
      name: 'grading, hostile input: the slowest',
      unit: 'ms',
      better: 'less',
      ours: 'slowestMs',
      target: { of: 'value', bound: mostMs },
    },
  ],
}

function rates(lines: string): Measured {
  const cases = lines.trim().split('\n').map(parse)
  const given = cases.map(({ gold, prediction, completion, config }) => ({
    gold: String(gold),
    completion: String(completion ?? prediction),
    policy: { extract: config?.raw ? 'whole' : 'any' } as const,
  }))
  grade({ gold: '1', completion: '\\boxed{1}' }) // loads, as the peer does
  const start = performance.now()
  const verdicts = given.map((one) => grade(one).verdict === 'correct')
  let passes = 1
  for (; secondsSince(start) < leastSeconds; passes++) for (const one of given) grade(one)
  const seconds = secondsSince(start)
  const labelled = cases.filter(({ expected }) => typeof expected === 'boolean')
  const right = verdicts.filter((verdict, i) => verdict === cases[i]!.expected)
  return {
    gradingsPerSecond: (passes * cases.length) / seconds,
    seconds,
    agree: right.length / Math.max(labelled.length, 1),
  }
}

const rounds = 3 // of each input, the fastest counts: the rest is the machine's

function slowest(): Measured {
  const many = (count: number, text: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => text(i)).join('+')
  const inputs: Readonly<Record<string, string>> = {
    boxes: '\\boxed{'.repeat(20_000),
    closed: `${'\\boxed{'.repeat(20_000)}1${'}'.repeat(20_000)}`,
    braces: `${'{'.repeat(100_000)}1${'}'.repeat(100_000)}`,
    tower: '9^{9^{9^{9^9}}}',
    factorial: '100000!',
    binomial: '\\binom{10^{1000}}{300}',
    fractions: many(120, (i) => `1/${10_000_000_000 + 2 * i + 1}`),
    sums: Array.from({ length: 100 }, (_, i) => `(x+${i})`).join(''),
    formulas: '\\('.repeat(100_000),
    surrogates: '\ud800'.repeat(200_000),
    bidirectional: '\u202e\u2066\u05d0\u0663'.repeat(50_000),
  }
  const times = Object.entries(inputs).map(([name, text]) => {
    const runs = Array.from({ length: rounds }, () => {
      const start = performance.now()
      for (const completion of [text, `\\boxed{${text}}`]) grade({ gold: `${text} + 1`, completion })
      return (1000 * secondsSince(start)) / 2
    })
    return { name, ms: Math.min(...runs) }
  })
  const worst = times.reduce((a, b) => (b.ms > a.ms ? b : a))
  return { slowestMs: worst.ms, slowest: worst.name }
}

async function choose(folder: string, names: readonly string[], limit: number): Promise<string[]> {
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  const lines = texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => line !== '' && isJudged(parse(line)))
  const count = Math.min(limit, lines.length)
  const before = (i: number) => Math.floor((i * count) / lines.length) // chosen of the first i lines
  return lines.filter((_, i) => before(i + 1) > before(i))
}

function isJudged({ kind = 'grade', gold, suspect, duplicate_of }: Case): boolean {
  return kind === 'grade' && gold !== null && !suspect && !duplicate_of
}

function parse(line: string): Case {
  return JSON.parse(line) as Case
}
