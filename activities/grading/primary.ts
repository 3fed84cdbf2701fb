/**
 * What operators combine: numbers, symbols, groups, and LaTeX commands with their arguments. The other half of the grammar
 * in parse.ts, which recurs through here.
 */
import { Unreadable, type Cursor } from './cursor.ts'
import type { Token } from './lex.ts'
import { negative, number, print, some, type Expression } from './expression.ts'
import { rowEnd } from './normalise.ts'
import { list, parted, power, product, relation, sum } from './parse.ts'
import { rename } from './statement.ts'
import { rational, type Rational } from './rational.ts'
import { reals } from './sets.ts'
import { functionNames, hyperbolic, symmetric, trigonometric } from './words.ts'

/** What a command or an exponent takes: a braced group, or one token (\frac17 is 1/7). */
export function argument(cursor: Cursor, oneDigit = false): Expression {
  if (cursor.take('-')) return negative(argument(cursor, oneDigit))
  if (cursor.take('+')) return argument(cursor, oneDigit)
  if (oneDigit && cursor.token()?.type === 'number') return literal(cursor.takeDigit())
  return primary(cursor)
}

export function primary(cursor: Cursor): Expression {
  return cursor.nested(() => {
    const { type, value } = cursor.next()
    if (type === 'number') return decimal(cursor, value)
    if (type === 'letter') return { kind: 'symbol', name: value + valueAt(cursor, value) }
    if (type === 'command') return command(cursor, value)
    if (value === '|') return absolute(cursor, '|')
    return group(cursor, value)
  })
}

const functionLetters = /^[fgFGP]$/

/** The (1) of f(1), which is a name and no product; empty for other letters and arguments. */
function valueAt(cursor: Cursor, letter: string): string {
  if (!functionLetters.test(letter) || cursor.peek() !== '(' || cursor.peek(2) !== ')') return ''
  if (cursor.token(1)?.type !== 'number') return ''
  cursor.next()
  const { value } = cursor.next()
  cursor.next()
  return `(${value})`
}

/** Digits, and 0.1\overline{6} whose digits under the line repeat for ever. */
function decimal(cursor: Cursor, text: string): Expression {
  if (cursor.peek() !== 'overline' || !text.includes('.')) return literal(text)
  cursor.next()
  cursor.expect('{')
  const repeating = cursor.next().value
  if (!/^\d+$/.test(repeating)) throw new Unreadable()
  cursor.expect('}')
  const decimals = text.length - text.indexOf('.') - 1
  const shift = 10n ** BigInt(decimals)
  const whole = BigInt(text.replace('.', '') || '0')
  const nines = 10n ** BigInt(repeating.length) - 1n
  return number(required(rational(whole * nines + BigInt(repeating), shift * nines)))
}

const closers: Readonly<Record<string, readonly string[]>> = {
  '(': [')', ']'],
  '[': [']', ')'],
  '\\{': ['\\}'],
  '{': ['}'],
}

/** Parentheses, braces and square brackets around one value only group; brackets around several are a list with those brackets. */
function group(cursor: Cursor, open: string): Expression {
  const ends = closers[open]
  if (ends === undefined) throw new Unreadable()
  if (ends.includes(cursor.peek() ?? '')) {
    cursor.next()
    return { kind: 'list', open: '{', close: '}', items: [] }
  }
  const [outer, outerSet] = [cursor.inBars, cursor.inSet]
  cursor.inBars = open === '\\{' || (open === '{' && outer)
  cursor.inSet = open === '\\{'
  const items = parted(cursor, list(cursor))
  cursor.inBars = outer
  cursor.inSet = outerSet
  if (open === '\\{' && items.length === 1 && (cursor.take('mid') || cursor.take('|') || cursor.take(':'))) {
    const condition = relation(cursor)
    cursor.expect('\\}')
    return condition // {x | 2 < x < 3} is what its condition says
  }
  const close = cursor.next().value
  if (!ends.includes(close)) throw new Unreadable()
  const groups = open === '{' || (open === '(' && close === ')') || (open === '[' && close === ']')
  if (items.length === 1 && groups) return items[0]!
  const set = open === '{' || open === '\\{'
  return { kind: 'list', open: set ? '{' : open, close: set ? '}' : close, items }
}

const emptySets: ReadonlySet<string> = new Set(['emptyset', 'varnothing'])

const ellipses: ReadonlySet<string> = new Set(['ldots', 'cdots', 'dots'])

/** Notation this grammar does not know: the answer stays text. Any other unknown command is a symbol, as Greek letters are. */
const unknown: ReadonlySet<string> = new Set(
  (
    'mid end int iint oint lim pmod over choose ' +
    'bmod not nmid forall exists rvert rfloor rceil ' +
    // Between two sides whose order matters.
    'll gg prec succ preceq succeq vdash models subsetneq supsetneq hookrightarrow rightharpoonup leadsto ' +
    'triangleleft triangleright nearrow searrow xrightarrow xleftarrow'
  ).split(' '),
)

function command(cursor: Cursor, name: string): Expression {
  if (name === 'pi' || name === 'infty') return { kind: 'symbol', name }
  if (ellipses.has(name)) return { kind: 'symbol', name: '…' }
  if (emptySets.has(name)) return { kind: 'list', open: '{', close: '}', items: [] }
  if (name === 'frac')
    return { kind: 'quotient', over: argument(cursor, true), under: argument(cursor, true) }
  if (name === 'binom' || name === 'dbinom' || name === 'tbinom')
    return { kind: 'call', name: 'binom', items: [argument(cursor, true), argument(cursor, true)] }
  if (name === 'sqrt') return squareRoot(cursor)
  if (symmetric.has(name)) return ofSeveral(cursor, name)
  if (name === 'reals') return reals
  if (functionNames.has(name)) return applied(cursor, name)
  if (name === 'begin') return matrix(cursor)
  if (name === 'sum' || name === 'prod') return series(cursor, name)
  if (name === 'lvert' || name === 'vert') return absolute(cursor, name === 'vert' ? 'vert' : 'rvert')
  if (name === 'lfloor') return enclosed(cursor, 'floor', 'rfloor')
  if (name === 'lceil') return enclosed(cursor, 'ceil', 'rceil')
  if (unknown.has(name)) throw new Unreadable()
  if (drawn.has(name)) return { kind: 'symbol', name: `\\${name}{${drawnOver(cursor, name)}}` }
  if (name === 'angle' && [0, 1, 2].every((ahead) => isPoint(cursor.token(ahead))))
    return { kind: 'symbol', name: `\\angle{${eitherWay([cursor.next(), cursor.next(), cursor.next()])}}` }
  return { kind: 'symbol', name: `\\${name}` }
}

/** What is drawn over a name and belongs to it: \overline{AB}, \hat{p}. */
const drawn: ReadonlySet<string> = new Set(
  'overline overrightarrow overleftrightarrow hat widehat bar dot ddot tilde widetilde'.split(' '),
)

/** The name under it; over anything else the notation is unknown, as over digits. */
function drawnOver(cursor: Cursor, name: string): string {
  const tokens: Token[] = []
  if (!cursor.take('{')) tokens.push(cursor.next())
  else while (!cursor.take('}')) tokens.push(cursor.next())
  const [first] = tokens
  if (first === undefined || tokens.length > 4 || /^\d/.test(first.value)) throw new Unreadable()
  if (!tokens.every(({ type }) => type === 'letter' || type === 'number')) throw new Unreadable()
  // A segment or an arc is one from either end, a ray or a vector is not; digits in a row are no points.
  return /^(?:overline|overleftrightarrow|widehat)$/.test(name) && tokens.every(isPoint)
    ? eitherWay(tokens)
    : tokens.map(({ value }) => value).join('')
}

const isPoint = (token: Token | undefined) => token?.type === 'letter' && /^[A-Z]$/.test(token.value)

/** ∠ABC is ∠CBA, and neither is ∠ACB. */
function eitherWay(points: readonly Token[]): string {
  const names = points.map(({ value }) => value)
  const [there, back] = [names.join(''), names.toReversed().join('')]
  return there < back ? there : back
}

function squareRoot(cursor: Cursor): Expression {
  if (!cursor.take('[')) return { kind: 'call', name: 'sqrt', items: [argument(cursor)] }
  const degree = sum(cursor)
  cursor.expect(']')
  return { kind: 'call', name: 'root', items: [argument(cursor), degree] }
}

const absolute = (cursor: Cursor, close: string) => enclosed(cursor, 'abs', close)

function enclosed(cursor: Cursor, name: string, close: string): Expression {
  const outer = cursor.inBars
  cursor.inBars = close === '|'
  const inside = sum(cursor)
  cursor.inBars = outer
  cursor.expect(close)
  return { kind: 'call', name, items: [inside] }
}

/** \sin^2 x, \log_2 8, \ln(x + 1); without brackets the argument is a run of factors. */
function applied(cursor: Cursor, name: string): Expression {
  const base = cursor.take('_') ? index(cursor, name) : null
  const raised = cursor.take('^') ? argument(cursor, true) : null
  const outer = cursor.inAngle
  cursor.inAngle = trigonometric.has(name)
  let of = cursor.peek() === '(' ? primary(cursor) : power(cursor)
  while (['number', 'letter'].includes(cursor.token()?.type ?? ''))
    of = { kind: 'product', items: [of, power(cursor)] }
  cursor.inAngle = outer
  // \sin^{-1} is the inverse function.
  const inverse = raised?.kind === 'number' && raised.value.n === -1n && raised.value.d === 1n
  if (inverse && (trigonometric.has(name) || hyperbolic.has(name)))
    return { kind: 'call', name: `arc${name}`, items: [of] }
  const call: Expression =
    name === 'cbrt'
      ? { kind: 'call', name: 'root', items: [of, number({ n: 3n, d: 1n })] }
      : { kind: 'call', name, items: base === null ? [of] : [of, base] }
  return raised === null ? call : { kind: 'power', base: call, exponent: raised }
}

/** \log_28 is log_2 8, but log_10(x) and log_25(x) have the bases that they write: there is none of 1, nor a factor before (. */
function index(cursor: Cursor, name: string): Expression {
  const token = cursor.token()
  const whole = token?.type === 'number' && (token.value.startsWith('1') || cursor.peek(1) === '(')
  return argument(cursor, !(name === 'log' && whole))
}

/**
 * \sum_{k=0}^{n} f(k) as a call of f(k), k, 0 and n, with k under a name of its own: what it is called says nothing. It ends
 * before the next sign of a sum.
 */
function series(cursor: Cursor, name: string): Expression {
  const above = cursor.take('^') ? argument(cursor) : null
  cursor.expect('_')
  cursor.expect('{')
  const from = relation(cursor)
  cursor.expect('}')
  if (above === null) cursor.expect('^')
  const to = above ?? argument(cursor)
  if (from.kind !== 'relation' || from.operators.join() !== '=' || from.items[0]?.kind !== 'symbol')
    throw new Unreadable()
  const [index, low] = from.items as [Extract<Expression, { kind: 'symbol' }>, Expression]
  const body = cursor.nested(() => product(cursor))
  let level = 0 // of series within it
  while (some(body, (part) => part.kind === 'symbol' && part.name === `\\index${level}`)) level++
  return { kind: 'call', name, items: [rename(body, index.name, `\\index${level}`), low, to] }
}

/** \\max(a, b) and \\max\\{b, a\\} are one call; alone such a name is a symbol. */
function ofSeveral(cursor: Cursor, name: string): Expression {
  if (cursor.peek() !== '(' && cursor.peek() !== '\\{') return { kind: 'symbol', name: `\\${name}` }
  const of = primary(cursor)
  if (of.kind !== 'list') return of
  return { kind: 'call', name, items: of.items.toSorted((a, b) => (print(a) < print(b) ? -1 : 1)) }
}

/** Matrices and vectors row by row; other environments are unknown. */
function matrix(cursor: Cursor): Expression {
  const name = environment(cursor)
  if (!/^[pbvBV]?(?:small)?matrix\*?$|^array$|^[dr]?cases$/.test(name)) throw new Unreadable()
  if (name === 'array' && cursor.take('{')) while (!cursor.take('}')) cursor.next()
  const rows: Expression[] = []
  do {
    if (cursor.peek() === 'end') break
    const items = [relation(cursor)]
    while ((cursor.take(',') && cursor.peek() === '&') || cursor.peek() === '&') {
      cursor.next()
      items.push(relation(cursor))
    }
    rows.push({ kind: 'list', open: 'row', close: '', items })
  } while (cursor.take(rowEnd))
  cursor.expect('end')
  if (environment(cursor) !== name) throw new Unreadable()
  if (name === 'vmatrix') throw new Unreadable() // a determinant
  if (name.endsWith('cases')) return { kind: 'list', open: '{', close: '}', items: rows } // in any order
  return { kind: 'list', open: 'matrix', close: '', items: rows }
}

function environment(cursor: Cursor): string {
  cursor.expect('{')
  let name = ''
  while (!cursor.take('}')) name += cursor.next().value
  return name
}

export function literal(text: string): Expression {
  const [whole = '', decimals = ''] = text.split('.')
  const value = required(rational(BigInt(whole + decimals || '0'), 10n ** BigInt(decimals.length)))
  return decimals === '' ? number(value) : { kind: 'number', value, digits: significant(whole + decimals) }
}

const significant = (digits: string) => digits.replace(/^0+/, '').length

function required(value: Rational | null): Rational {
  if (value === null) throw new Unreadable()
  return value
}

export function isProperFraction(part: Expression): boolean {
  if (part.kind !== 'quotient' || part.over.kind !== 'number' || part.under.kind !== 'number') return false
  const [over, under] = [part.over.value, part.under.value]
  return over.d === 1n && under.d === 1n && over.n > 0n && over.n < under.n
}
