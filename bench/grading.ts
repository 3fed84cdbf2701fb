/**
 * Grading: gradings/s of one thread; peer: Math-Verify, on the same cases. PLACEBO_GRADING_DIR names a folder of .jsonl files
 * whose lines are {gold, prediction | completion, expected?, config.raw?}; cases are taken evenly from all of them.
 * Only cases with something to read count, an answer string or a box: what one grader searches for and another refuses at
 * once would be no comparison. `agree` is the share of verdicts that are the expected ones.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { grade } from '../activities/grading/index.ts'
import type { Benchmark } from './comparison.ts'
import { secondsSince } from './model.ts'

interface Case {
  readonly kind?: string
  readonly gold: unknown
  readonly prediction?: unknown
  readonly completion?: unknown
  readonly expected?: boolean | null
  readonly config?: { readonly raw?: boolean }
}

export const grading: Benchmark = {
  async comparisons({ limit, folder }) {
    const cases = process.env['PLACEBO_GRADING_DIR']
    if (!cases)
      return { comparisons: [], missing: ['cases to grade: PLACEBO_GRADING_DIR names their folder'] }
    const path = join(folder, 'cases.jsonl')
    await mkdir(folder, { recursive: true })
    const lines = await choose(cases, limit)
    await writeFile(path, lines.join('\n') + '\n')
    const label = `grading, ${lines.length} cases`
    const comparison = {
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
        },
        { name: `${label}: expected verdicts`, unit: 'share', better: 'more', ours: 'agree', peer: 'agree' },
      ],
    } as const
    return { comparisons: [comparison], missing: [] }
  },

  async measure(args) {
    const { path } = args as { path: string }
    const cases = (await readFile(path, 'utf8')).trim().split('\n').map(parse)
    const given = cases.map(({ gold, prediction, completion, config }) => ({
      gold: String(gold),
      completion: String(completion ?? prediction),
      policy: { extract: config?.raw ? 'whole' : 'box' } as const,
    }))
    grade({ gold: '1', completion: '\\boxed{1}' }) // loads and compiles, as the peer does
    const start = performance.now()
    const verdicts = given.map((one) => grade(one).verdict === 'correct')
    const seconds = secondsSince(start)
    const labelled = cases.filter((_, i) => typeof cases[i]!.expected === 'boolean')
    const right = verdicts.filter((verdict, i) => verdict === cases[i]!.expected)
    return {
      gradingsPerSecond: cases.length / seconds,
      seconds,
      agree: right.length / Math.max(labelled.length, 1),
    }
  },
}

async function choose(folder: string, limit: number): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.jsonl')).sort()
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  const lines = texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => line !== '' && readable(parse(line)))
  const count = Math.min(limit, lines.length)
  const before = (i: number) => Math.floor((i * count) / lines.length) // chosen of the first i lines
  return lines.filter((_, i) => before(i + 1) > before(i))
}

function readable({ kind = 'grade', config, completion, prediction }: Case): boolean {
  return kind === 'grade' && (config?.raw === true || /\\boxed\{/.test(String(completion ?? prediction)))
}

function parse(line: string): Case {
  return JSON.parse(line) as Case
}
