/**
 * Wrong answers by construction: a gold answer and another value of the same kind, close by, in one of the spellings that
 * answers have. Every pair is checked here on the numbers it is made of, never by the grader; the same seed makes the same
 * pairs.
 */
import type { Policy } from '../../activities/grading/index.ts'

export interface Wrong {
  readonly kind: string
  readonly gold: string
  readonly answer: string
  readonly policy?: Partial<Policy>
}

type Pair = readonly [gold: string, answer: string, policy?: Partial<Policy>]

/** Numbers from 0 to 1 (mulberry32). */
type Random = () => number

function random(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = Math.imul(state ^ (state >>> 15), state | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
}

const whole = (next: Random, least: number, most: number) => least + Math.floor(next() * (most - least + 1))
const oneOf = <T>(next: Random, all: readonly T[]): T => all[Math.floor(next() * all.length)]!
const nonzero = (next: Random, most: number) => whole(next, 1, most) * (next() < 0.5 ? -1 : 1)

/** Another number than `value`: a step, the sign, a digit, or two digits that change places. */
function other(next: Random, value: number): number {
  const changes = [
    value + whole(next, 1, 3),
    value - whole(next, 1, 3),
    -value,
    value * 10,
    Number(`${value}${whole(next, 0, 9)}`),
  ]
  const digits = [...String(Math.abs(value))]
  if (digits.length > 1) changes.push(Math.sign(value) * Number(digits.toReversed().join('')))
  const changed = oneOf(next, changes)
  return changed === value || !Number.isSafeInteger(changed) ? value + 1 : changed
}

/** n/d in one of its spellings; exact ones only. */
function fraction(next: Random, n: number, d: number): string {
  const [sign, size] = [n < 0 ? '-' : '', Math.abs(n)]
  const spellings = [
    `${n}/${d}`,
    `\\frac{${n}}{${d}}`,
    `${sign}\\dfrac{${size}}{${d}}`,
    `${sign}{${size} \\over ${d}}`,
    `\\frac{${2 * n}}{${2 * d}}`,
  ]
  if (size > d && size % d !== 0) spellings.push(`${sign}${Math.floor(size / d)}\\frac{${size % d}}{${d}}`)
  if ([1, 2, 4, 5, 8, 10, 20, 25].includes(d)) spellings.push(String(n / d))
  return oneOf(next, spellings)
}

const squarefree = [2, 3, 5, 6, 7, 10, 11, 13, 14, 15, 17, 19, 21, 22, 23, 26, 29, 30]

/** a√b in one of its spellings. */
const root = (next: Random, a: number, b: number) =>
  oneOf(next, [
    `${a}\\sqrt{${b}}`,
    `${a} \\cdot \\sqrt{${b}}`,
    `\\sqrt{${b}} \\cdot ${a}`,
    `${a}√${b}`,
    a > 0 ? `\\sqrt{${a * a * b}}` : `-\\sqrt{${a * a * b}}`,
  ])

/** A polynomial in x from its coefficients, the constant first. */
function polynomial(next: Random, coefficients: readonly number[]): string {
  const terms = coefficients.flatMap((c, i) =>
    c === 0 ? [] : [`${c}${['', 'x', `x^${i}`][Math.min(i, 2)]}`],
  )
  if (next() < 0.5) terms.reverse()
  return terms.length === 0 ? '0' : terms.join(' + ').replaceAll('+ -', '- ')
}

const tuple = (next: Random, items: readonly (number | string)[]) =>
  oneOf(next, [
    `(${items.join(', ')})`,
    `\\left(${items.join(',')}\\right)`,
    `\\langle ${items.join(', ')} \\rangle`,
  ])

const list = (next: Random, items: readonly (number | string)[]) =>
  oneOf(next, [
    items.join(', '),
    `\\{${items.join(', ')}\\}`,
    items.join(' \\text{ and } '),
    items.join('; '),
  ])

function matrix(next: Random, rows: readonly (readonly number[])[]): string {
  const inside = rows.map((row) => row.join(' & ')).join(' \\\\ ')
  const name = oneOf(next, ['pmatrix', 'bmatrix', 'matrix'])
  const plain = `\\begin{${name}} ${inside} \\end{${name}}`
  const brackets = `[${rows.map((row) => `[${row.join(', ')}]`).join(', ')}]`
  const doubled = rows.every((row) => row.every((entry) => entry % 2 === 0))
    ? `2${plain.replace(/-?\d+/g, (entry) => String(Number(entry) / 2))}`
    : plain
  return oneOf(next, rows.length > 1 && rows[0]!.length > 1 ? [plain, brackets, doubled] : [plain, doubled])
}

const presentations: readonly ((answer: string) => string)[] = [
  (answer) => `\\textcolor{red}{${answer}}`,
  (answer) => `{\\color{blue}${answer}}`,
  (answer) => `\\boxed{${answer}}`,
  (answer) => `\\fcolorbox{red}{white}{${answer}}`,
  (answer) => `\\large ${answer}`,
  (answer) => `\\mathbf{${answer}}`,
  (answer) => `\\underline{${answer}}`,
  (answer) => `${answer} \\tag{1}`,
  (answer) => `\\begin{aligned} ${answer} \\end{aligned}`,
  (answer) => `${answer} \\checkmark`,
  (answer) => `\\phantom{1}${answer}`,
  (answer) => `$${answer}$`,
]

const makers: Readonly<Record<string, (next: Random) => Pair | null>> = {
  integer: (next) => {
    const value = nonzero(next, 2000)
    return [String(value), String(other(next, value))]
  },
  fraction: (next) => {
    const [n, d] = [nonzero(next, 60), whole(next, 2, 30)]
    const [p, q] = oneOf(next, [
      [n + 1, d],
      [n, d + 1],
      [-n, d],
      [Math.sign(n) * d, Math.abs(n)],
      [other(next, n), d],
    ] as const)
    return n * q === p * d ? null : [fraction(next, n, d), fraction(next, p, q)]
  },
  decimal: (next) => {
    const value = nonzero(next, 99999)
    const [places, moved] = [whole(next, 1, 3), next() < 0.3 ? 1 : 0]
    const changed = moved === 1 ? value : other(next, value)
    return value === changed && moved === 0
      ? null
      : [(value / 10 ** places).toFixed(places), (changed / 10 ** (places + moved)).toFixed(places + moved)]
  },
  'rounded by choice': (next) => {
    const [n, d] = [whole(next, 1, 99), oneOf(next, [3, 7, 9, 11, 13, 17, 19])]
    return n % d === 0 ? null : [fraction(next, n, d), (n / d).toFixed(whole(next, 1, 4))]
  },
  radical: (next) => {
    const [a, b, c] = [nonzero(next, 12), oneOf(next, squarefree), oneOf(next, squarefree)]
    const [p, q] = oneOf(next, [
      [a, c],
      [a + 1, b],
      [-a, b],
      [b, Math.abs(a)],
    ] as const)
    return Math.abs(a * Math.sqrt(b) - p * Math.sqrt(q)) < 1e-6 || p === 0
      ? null
      : [root(next, a, b), root(next, p, q)]
  },
  'sum with a root': (next) => {
    const [a, b, c] = [nonzero(next, 20), nonzero(next, 9), oneOf(next, squarefree)]
    const [p, q] = oneOf(next, [
      [other(next, a), b],
      [a, -b],
      [-a, b],
      [b, a],
    ] as const)
    return p === a && q === b ? null : [`${a} + ${b}\\sqrt{${c}}`, `${q}\\sqrt{${c}} + ${p}`]
  },
  'multiple of π': (next) => {
    const [a, b] = [nonzero(next, 40), whole(next, 1, 12)]
    const p = other(next, a)
    return [
      `\\frac{${a}\\pi}{${b}}`,
      oneOf(next, [
        `\\frac{${p}\\pi}{${b}}`,
        `\\frac{${p}}{${b}} \\pi`,
        `\\frac{${a}}{${b}}`,
        `\\frac{${a}\\pi^2}{${b}}`,
        `\\frac{${a}}{${b}\\pi}`,
      ]),
    ]
  },
  power: (next) => {
    const [base, exponent] = [whole(next, 2, 20), whole(next, 2, 400)]
    return [
      `${base}^{${exponent}}`,
      oneOf(next, [
        `${base}^{${exponent + 1}}`,
        `${base + 1}^{${exponent}}`,
        `${base}^{-${exponent}}`,
        `${base}^{${exponent}} + 1`,
        `-${base}^{${exponent}}`,
      ]),
    ]
  },
  polynomial: (next) => {
    const coefficients = Array.from({ length: whole(next, 2, 5) }, () => nonzero(next, 9))
    const at = whole(next, 0, coefficients.length - 1)
    const changed = coefficients.map((c, i) => (i === at ? other(next, c) : c))
    const shifted = [0, ...coefficients]
    return [polynomial(next, coefficients), polynomial(next, oneOf(next, [changed, changed, shifted]))]
  },
  'another letter': (next) => {
    const [a, b, c] = [whole(next, 2, 9), whole(next, 1, 9), whole(next, 2, 4)]
    const [x, y] = oneOf(next, [
      ['x', 'y'],
      ['a', 'b'],
      ['n', 'm'],
      ['v_0', 'v_1'],
      ['x', 'X'],
      ['\\alpha', '\\beta'],
    ] as const)
    return [
      `${a}${x}^{${c}} + ${b}`,
      oneOf(next, [`${a}${y}^{${c}} + ${b}`, `${a}${x}^{${c}} + ${b}${y}`, `${a}${x}^{${c + 1}} + ${b}`]),
    ]
  },
  quotient: (next) => {
    const [a, b, c, d] = [nonzero(next, 9), nonzero(next, 9), nonzero(next, 9), nonzero(next, 9)]
    if (a * d === b * c || c === d) return null
    return [
      `\\frac{${a}x + ${b}}{${c}x + ${d}}`,
      oneOf(
        next,
        [
          `\\frac{${c}x + ${d}}{${a}x + ${b}}`,
          `\\frac{${a}x - ${b}}{${c}x + ${d}}`,
          `\\frac{${a}x + ${b}}{${c}x}`,
          `\\frac{${a}x + ${b}}{${other(next, c)}x + ${d}}`,
        ].slice(a * d === -b * c || Math.abs(a) === Math.abs(c) ? 1 : 0),
      ),
    ]
  },
  tuple: (next) => {
    const items = Array.from({ length: whole(next, 2, 4) }, () => nonzero(next, 30))
    const at = whole(next, 0, items.length - 1)
    const swapped = [...items.slice(1), items[0]!]
    const wrong = oneOf(next, [
      items.map((item, i) => (i === at ? other(next, item) : item)),
      swapped,
      [...items, 0],
      items.length > 2 ? items.slice(1) : swapped,
    ])
    return wrong.join() === items.join() ? null : [tuple(next, items), tuple(next, wrong)]
  },
  interval: (next) => {
    const low = nonzero(next, 20)
    const high = low + whole(next, 1, 20)
    const brackets = ['()', '[]', '(]', '[)'] as const
    const [open, changed] = [oneOf(next, brackets), oneOf(next, brackets)]
    const [p, q] = oneOf(next, [
      [low, high],
      [low - 1, high],
      [low, high + 1],
      [low, 2 * high + 1],
    ] as const)
    if (open === changed && p === low && q === high) return null
    return [`${open[0]}${low}, ${high}${open[1]}`, `${changed[0]}${p}, ${q}${changed[1]}`]
  },
  'inequality and interval': (next) => {
    const bound = nonzero(next, 50)
    const [open, closed] = [`(${bound}, \\infty)`, `[${bound}, \\infty)`]
    return oneOf<Pair>(next, [
      [open, `x \\ge ${bound}`],
      [closed, `x > ${bound}`],
      [open, `x < ${bound}`],
      [`x \\le ${bound}`, `(-\\infty, ${bound})`],
      [`x < ${bound}`, `x > ${bound}`],
      [`x \\ne ${bound}`, `x = ${bound}`],
      [`x \\neq ${bound}`, `x \\neq ${other(next, bound)}`],
    ])
  },
  'list or set': (next) => {
    const items = [...new Set(Array.from({ length: whole(next, 2, 5) }, () => nonzero(next, 40)))]
    const fresh = 41 + whole(next, 0, 9)
    const wrong = oneOf(next, [
      [...items, fresh],
      items.slice(1),
      [fresh, ...items.slice(1)],
      items.map((item) => -item),
    ])
    const key = (all: readonly number[]) => [...new Set(all)].sort((a, b) => a - b).join()
    return wrong.length === 0 || items.length < 2 || key(wrong) === key(items)
      ? null
      : [list(next, items), list(next, wrong)]
  },
  'list of tuples': (next) => {
    const [a, b, c, d] = [whole(next, 1, 9), whole(next, 10, 19), whole(next, 20, 29), whole(next, 30, 39)]
    const gold = `(${a}, ${b}), (${c}, ${d})`
    return [
      gold,
      oneOf(next, [
        `(${b}, ${a}), (${d}, ${c})`,
        `(${a}, ${d}), (${c}, ${b})`,
        `(${a}, ${b})`,
        `x = ${b}, y = ${a}; x = ${d}, y = ${c}`,
        `(${a}, ${b}, ${c}, ${d})`,
        `(${a}, ${b}), (${c}, ${d + 1})`,
      ]),
    ]
  },
  matrix: (next) => {
    const [height, width] = [whole(next, 1, 3), whole(next, 2, 3)]
    const even = next() < 0.5 ? 2 : 1
    const rows = Array.from({ length: height }, () =>
      Array.from({ length: width }, () => even * nonzero(next, 9)),
    )
    const [i, j] = [whole(next, 0, height - 1), whole(next, 0, width - 1)]
    const transposed = rows[0]!.map((_, k) => rows.map((row) => row[k]!))
    const changed = rows.map((row, k) =>
      row.map((entry, l) => (k === i && l === j ? other(next, entry) : entry)),
    )
    const wrong = oneOf(next, [
      changed,
      height > 1 ? transposed : changed,
      rows.map((row) => row.map((entry) => -entry)),
      height > 1 ? rows.slice(1) : changed,
    ])
    return JSON.stringify(wrong) === JSON.stringify(rows) ? null : [matrix(next, rows), matrix(next, wrong)]
  },
  line: (next) => {
    const [m, b] = [nonzero(next, 9), nonzero(next, 20)]
    const [p, q] = oneOf(next, [
      [other(next, m), b],
      [m, other(next, b)],
      [-m, b],
      [m, -b],
      [b, m],
    ] as const)
    return p === m && q === b
      ? null
      : [`y = ${m}x + ${b}`, oneOf(next, [`y = ${p}x + ${q}`, `${p}x - y + ${q} = 0`, `y - ${p}x = ${q}`])]
  },
  circle: (next) => {
    const [a, b, r] = [whole(next, 1, 9), whole(next, 10, 19), whole(next, 2, 12)]
    const circle = (x: number, y: number, square: number) => `(x - ${x})^2 + (y - ${y})^2 = ${square}`
    return [
      circle(a, b, r * r),
      oneOf(next, [
        circle(b, a, r * r),
        circle(a, b, r),
        circle(a, b, r * r + 1),
        circle(-a, b, r * r).replace('- -', '+ '),
        `(x + ${a})^2 + (y - ${b})^2 = ${r * r}`,
      ]),
    ]
  },
  'equation for a value': (next) => {
    const [a, b] = [whole(next, 2, 20), whole(next, 2, 20)]
    return [
      `${b} = ${a}p + q`,
      oneOf(next, [`${a}p + q`, `${b}`, `${a}p + q = ${b + 1}`, `${a}p - q = ${b}`]),
    ]
  },
  complex: (next) => {
    const [a, b] = [nonzero(next, 12), nonzero(next, 12)]
    const [p, q] = oneOf(next, [
      [a, -b],
      [-a, b],
      [b, a],
      [a, other(next, b)],
    ] as const)
    return p === a && q === b ? null : [`${a} + ${b}i`, oneOf(next, [`${p} + ${q}i`, `${q}i + ${p}`])]
  },
  'repeating decimal': (next) => {
    const [digits, changed] = [String(whole(next, 12, 98)), String(whole(next, 12, 98))]
    if (digits === changed || /^(.)\1$/.test(digits) || /^(.)\1$/.test(changed)) return null
    const spell = (period: string) =>
      oneOf(next, [
        `0.\\overline{${period}}`,
        `0.(${period})`,
        `0.\\dot{${period[0]}}\\dot{${period[1]}}`,
        `0.${period.repeat(3)}\\ldots`,
      ])
    return [
      oneOf(next, [spell(digits), `\\frac{${digits}}{99}`]),
      oneOf(next, [spell(changed), `0.${digits}`, `0.0(${digits})`]),
    ]
  },
  assignment: (next) => {
    const [a, b] = [whole(next, 1, 20), whole(next, 21, 40)]
    const gold = oneOf(next, [`(${a}, ${b})`, `x = ${a}, y = ${b}`, `(x, y) = (${a}, ${b})`])
    return [
      gold,
      oneOf(next, [
        `x = ${b}, y = ${a}`,
        `y = ${a}, x = ${b}`,
        `x = ${a}, y = ${b + 1}`,
        `(x, y) = (${b}, ${a})`,
        `x = ${a}`,
      ]),
    ]
  },
  'scientific notation': (next) => {
    const [digits, exponent] = [whole(next, 101, 998), whole(next, 2, 40)]
    const written = (value: number, power: number) =>
      oneOf(next, [
        `${value / 100} \\times 10^{${power}}`,
        `${value / 100}e${power}`,
        `${value / 100} \\cdot 10^{${power}}`,
      ])
    return [
      written(digits, exponent),
      oneOf(next, [
        written(digits, exponent + 1),
        written(digits, -exponent),
        written(digits + 1, exponent),
        String(digits / 100),
      ]),
    ]
  },
  'scientific notation beside a fraction': (next) => {
    const [n, d] = [whole(next, 1, 9), oneOf(next, [7, 11, 13, 17, 19, 23])]
    const power = Math.floor(Math.log10(n / d))
    const digits = Math.round((n / d) * 10 ** (2 - power))
    return digits >= 999 || digits <= 101
      ? null
      : [`\\frac{${n}}{${d}}`, `${(digits + oneOf(next, [-1, 1, 10])) / 100} \\times 10^{${power}}`]
  },
  thousands: (next) => {
    const value = whole(next, 1000, 999999)
    const written = (n: number) =>
      n.toLocaleString('en-US').replaceAll(',', oneOf(next, [',', ' ', '\\,', '{,}', ',\\!']))
    return [
      String(value),
      oneOf(next, [
        written(other(next, value) === -value ? value + 1 : Math.max(1000, value + 10)),
        written(value + 1000),
        String(Math.floor(value / 1000)),
      ]),
    ]
  },
  'numbers with units': (next) => {
    const value = whole(next, 2, 500)
    // A percent sign may divide by 100, and a degree sign is none.
    const unit = [
      '\\text{ cm}',
      '^\\circ',
      ' dollars',
      '°C',
      '元',
      ' руб.',
      '\\,\\mathrm{m/s}',
      ' kg',
      '个',
      ' m/s',
    ]
    return [
      oneOf(next, [`${value}${oneOf(next, unit)}`, String(value)]),
      `${other(next, value)}${oneOf(next, unit)}`,
    ]
  },
  'units where they count': (next) => {
    const value = whole(next, 2, 500)
    const [a, b] = oneOf(next, [
      ['cm', 'm'],
      ['m', 'km'],
      ['kg', 'g'],
      ['hours', 'minutes'],
      ['cm', 'inches'],
      ['dollars', 'cents'],
      ['m/s', 'km/h'],
    ] as const)
    return [`${value}\\text{ ${a}}`, `${value}\\text{ ${b}}`, { units: 'compared' }]
  },
  ratio: (next) => {
    const [a, b] = [whole(next, 1, 20), whole(next, 21, 40)]
    return [`${a}:${b}`, oneOf(next, [`${b}:${a}`, `${a}:${b + 1}`, `${a + 1} : ${b}`])]
  },
  choice: (next) => {
    const [right, wrong] = [whole(next, 0, 4), whole(next, 1, 4)]
    const letter = (n: number) => 'ABCDE'[n % 5]!
    return [
      oneOf(next, [letter(right), `\\text{(${letter(right)})}`]),
      oneOf(next, [
        letter(right + wrong),
        `(${letter(right + wrong)})`,
        `\\textbf{(${letter(right + wrong)})}`,
      ]),
    ]
  },
  'no answer': (next) =>
    oneOf<Pair>(next, [
      [
        oneOf(next, ['\\emptyset', '\\text{no solution}', '\\text{None}', '\\text{DNE}']),
        oneOf(next, [
          '0',
          String(whole(next, 1, 99)),
          '\\{0\\}',
          '\\infty',
          'x = 0',
          '\\text{all real numbers}',
        ]),
      ],
      [String(whole(next, 0, 99)), oneOf(next, ['\\emptyset', '\\text{no solution}', 'none', 'DNE'])],
    ]),
  base: (next) => {
    const [value, base] = [whole(next, 5, 300), whole(next, 3, 9)]
    const digits = value.toString(base)
    return [
      `${digits}_{${base}}`,
      oneOf(next, [
        `${(value + 1).toString(base)}_{${base}}`,
        `${digits}_{${base + 1}}`,
        `${(value + 1).toString(base)}`,
      ]),
    ]
  },
  series: (next) => {
    const [from, power] = [whole(next, 1, 3), whole(next, 1, 3)] // from 0 the first term would be 0
    const sum = (low: number, body: string, high = 'n') => `\\sum_{k=${low}}^{${high}} ${body}`
    const body = `a_k k^${power}`
    return [
      sum(from, body),
      oneOf(next, [
        sum(from + 1, body),
        sum(from, body, 'n-1'),
        sum(from, `a_k k^${power + 1}`),
        sum(from, `a_{k+1} k^${power}`),
        body,
      ]),
    ]
  },
  antiderivative: (next) => {
    const [a, b] = [whole(next, 2, 9), whole(next, 2, 9)]
    return [
      `${a}x^${b} + C`,
      oneOf(next, [
        `${a + 1}x^${b} + c`,
        `${a}x^${b + 1} + c`,
        `${a}x^${b} - x + C`,
        `${a}x^${b} + ${whole(next, 1, 9)}x + c`,
      ]),
    ]
  },
  function: (next) => {
    const [name, wrong] = oneOf(next, [
      ['sin', 'cos'],
      ['ln', 'exp'],
      ['tan', 'sin'],
      ['arcsin', 'arccos'],
    ] as const)
    const a = whole(next, 2, 9)
    return [
      `\\${name}(${a}x)`,
      oneOf(next, [`\\${wrong}(${a}x)`, `\\${name}(${a + 1}x)`, `${a}\\${name}(x)`, `-\\${name}(${a}x)`]),
    ]
  },
  'absolute value': (next) => {
    const [x, y] = oneOf(next, [
      ['x', 'y'],
      ['p', 'q'],
      ['a', 'b'],
      ['m', 'n'],
    ] as const)
    const a = whole(next, 1, 99)
    return oneOf<Pair>(next, [
      [`|${x}|+${a}|${y}|`, oneOf(next, [`|${x}+${a}${y}|`, `|${x}|-${a}|${y}|`, `${x}+${a}|${y}|`])],
      [`|${x}-${a}|`, oneOf(next, [`${x}-${a}`, `${a}-${x}`, `|${x}+${a}|`, `|${x}|-${a}`, `|${x}|+${a}`])],
      [`|${x}+${a}|-${a}`, oneOf(next, [x, `|${x}|`, `|${x}+${a + 1}|-${a + 1}`])],
    ])
  },
  'joined intervals': (next) => {
    const [a, b] = [whole(next, -9, 0), whole(next, 1, 9)]
    const c = b + whole(next, 1, 9)
    return [
      oneOf(next, [`(${a},${c})`, `(${a},${b}]\\cup[${b},${c})`, `(${a},${b}]\\cup(${b},${c})`]),
      oneOf(next, [
        `(${a},${b})\\cup(${b},${c})`,
        `(${a},${b}]\\cup[${b},${c}]`,
        `(${a},${b}]\\cup[${b + 1},${c + 1})`,
        `[${a},${b}]\\cup[${b},${c})`,
        `(${a},${b}]\\cap[${b},${c})`,
      ]),
    ]
  },
  'named quantity': (next) => {
    const [n, d] = [whole(next, 1, 20), whole(next, 21, 40)]
    const value = `\\frac{${n}}{${d}}`
    const wrong = fraction(next, other(next, n), d)
    return oneOf<Pair>(next, [
      [value, oneOf(next, ['P(A \\mid B)', '\\tan A', "f'(2)", 'f(-1)', 'a/b']) + ` = ${wrong}`],
      [String(n), oneOf(next, ['x+y', 'x^2', '3x-y', '\\sin x', '\\frac{y}{x}', '|x-y|']) + ` = ${n}`],
    ])
  },
  'lettered figure': (next) => {
    const [p, q, r] = oneOf(next, ['ABC', 'PQR', 'ACD', 'XYZ', 'BOA', 'EFG'])
    return oneOf<Pair>(next, [
      [`\\angle ${p}${q}${r}`, oneOf(next, [`\\angle ${q}${p}${r}`, `∠${p}${r}${q}`])],
      [`\\overrightarrow{${p}${q}}`, `\\overrightarrow{${oneOf(next, [q! + p!, p! + r!, q! + r!])}}`],
      [`\\overline{${p}${q}}`, oneOf(next, [`\\overline{${p}${r}}`, `\\overline{${r}${q}}`])],
    ])
  },
}

/** At least `count` pairs, as many of each kind, a third of the answers in some presentation. */
export function wrongAnswers(seed: number, count: number): Wrong[] {
  const next = random(seed)
  const kinds = Object.entries(makers)
  const all: Wrong[] = []
  while (all.length < count)
    for (const [kind, make] of kinds) {
      const made = make(next)
      const present = next() < 1 / 3 ? oneOf(next, presentations) : (answer: string) => answer
      if (made === null) continue
      const [gold, answer, policy] = made
      all.push({ kind, gold, answer: present(answer), ...(policy && { policy }) })
    }
  return all
}
