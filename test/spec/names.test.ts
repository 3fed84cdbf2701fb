/** Names that every object has: as a key anywhere in a spec they are refused, or kept as what they are. */
import { describe, expect, it } from 'vitest'
import { readAsked, kinds, type Kind } from '../../activities/spec/asked.ts'
import { InvalidSpec, overlay, resolveTrain } from '../../activities/spec/resolve.ts'
import { openSweep, specOf } from '../../activities/spec/arms.ts'
import { grade } from '../../activities/grading/index.ts'
import { looks } from '../../activities/report/palette.ts'

const inherited = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']

const train = {
  preset: 'demo',
  model: 'nano/coder',
  reward: { all: [{ not: { random: 0.5 } }, 'majority'] },
  data: { source: 'file:///x', columns: { problem: 'p' }, where: { level: [1] } },
  labels: { samples: 2, sampling: { temperature: 1 } },
  batch: { problems: 2 },
  sampling: { temperature: 1 },
  objective: { name: 'grpo' },
  optimizer: { name: 'sgd' },
  evaluate: { every: 0 },
  checkpoint: { every: 1 },
  stop: { entropy: { below: 1, steps: 2 }, reward: { steps: 2 } },
  engine: { name: 'onnx' },
}
const specs: { readonly [K in Kind]: object } = {
  train,
  sweep: { base: train, models: ['nano/coder'], arms: { a: train }, seeds: [0], priorities: { a: 1 } },
  evaluate: { model: 'm', benchmarks: ['nano'] },
  label: { model: 'm', data: train.data, sampling: { temperature: 1 } },
  probe: { model: 'm' },
  score: { run: 'r', reward: train.reward },
  pretrain: { recipe: 'coder' },
  export: { checkpoint: 'r/1', to: 'file:///x' },
  gc: { dryRun: true },
  verify: { digests: true },
}

/** Every object of a JSON value, by its path. */
function* objectsIn(value: unknown, path: readonly (string | number)[] = []): Iterable<readonly (string | number)[]> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield path
  for (const [key, inner] of Object.entries(value)) yield* objectsIn(inner, [...path, Array.isArray(value) ? Number(key) : key])
} // prettier-ignore

/** The value with one more key at a path, as JSON.parse gives it. */
function withKey(value: unknown, path: readonly (string | number)[], key: string, added: unknown): unknown {
  const copy = JSON.parse(JSON.stringify(value)) as unknown
  let at = copy as Record<string | number, unknown>
  for (const step of path) at = at[step] as Record<string | number, unknown>
  Object.defineProperty(at, key, { value: added, enumerable: true, writable: true, configurable: true })
  return copy
}

/** Where names are a user's own, and what may stand under one. */
const named = (path: readonly (string | number)[]) => {
  const last = path.at(-1)
  return last === 'columns'
    ? 'x'
    : last === 'where'
      ? 'x'
      : last === 'priorities'
        ? 1
        : last === 'arms'
          ? {}
          : null
}

describe.each(kinds)('a spec of the kind %s', (kind) => {
  it('is admitted as it stands here', () => {
    expect(() => readAsked(specs[kind], kind)).not.toThrow()
  })

  it.each(inherited)('with %s as a key of any of its objects is refused, naming it; a name of a user is kept', (key) => {
    for (const path of objectsIn(specs[kind])) {
      const given = withKey(specs[kind], path, key, named(path) ?? 1)
      const place = [...path, key].join('.')
      let message = 'admitted'
      try {
        readAsked(given, kind)
      } catch (error) {
        expect(error, place).toBeInstanceOf(InvalidSpec)
        message = (error as Error).message
      }
      const isOwn = named(path) !== null && key !== '__proto__' && !(path.at(-1) === 'arms' && /[A-Z]/.test(key))
      // Priorities are of arms that there are.
      if (isOwn && path.at(-1) !== 'priorities') expect(message, place).toBe('admitted')
      else expect(message, place).toMatch(new RegExp(`${key}|Invalid input|reward`))
    }
  }) // prettier-ignore
})

describe('a name that every object has', () => {
  it.each(inherited.slice(1))('%s stays a column, and is merged as any other', (key) => {
    const base = { ...train, data: { source: 'file:///x', columns: { problem: 'p', [key]: 'a' } } }
    const arm = { data: { columns: { [key]: 'b' } } }
    expect(resolveTrain(overlay(base as never, arm as never)).data.columns).toEqual({ problem: 'p', [key]: 'b' })
    expect(resolveTrain(overlay({ ...train } as never, arm as never)).data.columns).toEqual({ problem: 'p', [key]: 'b' })
  }) // prettier-ignore

  it('constructor is an arm like any other, with its priority, its spec and a colour that there is', () => {
    const spec = { models: ['nano/coder'], arms: { constructor: { preset: 'demo', reward: 'format' } }, seeds: [0], controls: false, priorities: { constructor: 1 } } // prettier-ignore
    const { given, cells } = openSweep(spec, 's')
    expect(cells.map(({ run }) => run)).toEqual(['s:nano-coder:constructor:0'])
    expect(specOf(given, cells[0]!).reward).toBe('format')
    expect(Object.entries(given.priorities)).toEqual([['constructor', 1]])
    expect(looks(['constructor', 'null']).get('constructor')?.colour).toMatch(/^var\(--[a-z]+\)$/)
  })

  it.each(inherited)('%s in an answer is read as any other word', (name) => {
    const another = name.replaceAll('o', 'u')
    const verdict = (written: string, gold = '5') =>
      grade({ gold, completion: `\\boxed{${written}}` }).verdict
    for (const shape of ['#', '\\#', '\\#(5)', '5 #', '5 #x', '#_1', '\\begin{#}5\\end{#}']) {
      const [one, other] = [name, another].map((word) => shape.replaceAll('#', () => word))
      expect(verdict(one!), one).toBe(verdict(other!))
      expect(verdict(one!, one), one).toBe(verdict(other!, other))
    }
  })
})
