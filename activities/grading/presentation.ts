/**
 * What only changes how an answer looks is seen through: colours, boxes, fonts, sizes, spaces, tags, alignment. A macro is
 * known by how many arguments go with it; what follows those stays, in its braces. Commands of text become \text.
 *
 * Left out: macros that somebody defines, and whatever says something, as \overline and \cancel do.
 */
import { spend } from './budget.ts'

const names = (words: string) => words.split(' ')

const table = new Map<string, number | 'text' | 'measured'>([
  // Switches, wrappers of one argument and marks at an answer's end: only the name goes.
  ...names(
    'bf it rm sf tt sc sl em cal mit tiny scriptsize footnotesize small normalsize large Large LARGE huge Huge bfseries ' +
      'mdseries itshape upshape slshape scshape rmfamily sffamily ttfamily normalfont boldmath unboldmath selectfont ' +
      'displaystyle textstyle scriptstyle scriptscriptstyle limits nolimits displaylimits centering noindent indent ' +
      'mathtt mathfrak mathscr mathnormal mathop mathord mathbin mathrel mathopen mathclose mathpunct mathinner bold Bbb pmb ' +
      'symbf symrm symit symup ensuremath smash mathstrut strut null mathclap mathllap mathrlap clap llap rlap num ang ' +
      'underline underbar uline uuline uwave dashuline dotuline ul hl framebox makebox ovalbox shadowbox doublebox ovalnode ' +
      'bbox overbrace underbrace ' +
      'thinspace medspace thickspace enspace enskip negthinspace negmedspace negthickspace nobreakspace space hfill hfil ' +
      'vfill hss allowbreak nobreak break linebreak relax protect nonumber notag par ' +
      'checkmark qed qedhere qedsymbol blacksquare',
  ).map((name) => [name, 0] as const),
  ...names(
    'color textcolor colorbox scalebox rotatebox raisebox parbox href enclose cssId class style htmlClass htmlStyle htmlId ' +
      'overset underset stackrel foreignlanguage ' +
      'tag label phantom hphantom vphantom hspace vspace mspace si unit footnote cite ref',
  ).map((name) => [name, 1] as const),
  ...names('fcolorbox resizebox fontsize rule').map((name) => [name, 2] as const),
  ...names('textnormal textup textmd textsl textsf texttt textlf emph hbox vbox textmath').map(
    (name) => [name, 'text'] as const,
  ),
  ...names('SI qty').map((name) => [name, 'measured'] as const), // \SI{5}{\metre}: the second argument is a unit
])

const macro = /\\([a-zA-Z]+)\*?/g
const roman = /\{\s*\\rm\s([a-zA-Z\s/]*)\}/g // {\rm cm}
const length =
  /\\(?:hskip|kern|mskip|mkern|hspace|vskip)\s*-?[\d.]*\s*(?:em|ex|pt|mu|cm|mm|in|px|pc)(?![a-z])/g
const marks = /[✓✔✅☑\u200b-\u200f\u2060-\u2064\ufeff]/g

/** The answer without what only changes its looks; the same text where there is nothing of the kind. */
export function seeThrough(answer: string): string {
  const unmarked = /[^\0-\x7f]/.test(answer) ? answer.replace(marks, '') : answer
  if (!unmarked.includes('\\')) return unmarked
  const aligned = unmarked.includes('\\begin') ? withoutAlignment(unmarked) : unmarked
  const upright = aligned.includes('\\rm') ? aligned.replace(roman, '\\text{$1}') : aligned
  const text = /kern|skip|space/.test(upright) ? upright.replace(length, ' ') : upright
  let out = ''
  let kept = 0 // up to here the text is in `out`
  let close: Int32Array | null = null
  macro.lastIndex = 0
  for (let match = macro.exec(text); match !== null; match = macro.exec(text)) {
    const name = match[1]!
    const kind = table.get(name)
    if (kind === undefined || text[match.index - 1] === '\\') continue
    close ??= closings(text)
    out += text.slice(kept, match.index)
    kept = macro.lastIndex
    if (kind === 'text') {
      out += '\\text'
    } else if (kind === 'measured') {
      kept = afterOptions(text, kept)
      const first = afterArgument(text, kept, close)
      out += text.slice(kept, first)
      kept = afterArgument(text, first, close)
    } else {
      if (optional.has(name)) kept = afterOptions(text, kept)
      for (let i = 0; i < kind; i++) kept = afterArgument(text, kept, close)
      if (name.endsWith('brace')) [out, kept] = withoutNote(out, text, kept, close)
      if (/[a-zA-Z]/.test(text[kept] ?? '') && /[a-zA-Z]$/.test(out)) out += ' '
    }
    macro.lastIndex = kept
  }
  return out === '' && kept === 0 ? text : out + text.slice(kept)
}

/** For each opening brace or bracket where its partner stands; 0 for none. */
function closings(text: string): Int32Array {
  spend(text.length / 4)
  const close = new Int32Array(text.length)
  const open: number[] = []
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '{') open.push(i)
    else if (text[i] === '}') {
      const at = open.pop()
      if (at !== undefined) close[at] = i
    }
  }
  return close
}

const afterSpaces = (text: string, from: number): number => {
  let at = from
  while (text[at] === ' ') at++
  return at
}

/** Past the [place], [model] or [length] that some macros take before their arguments. */
function afterOptions(text: string, from: number): number {
  let at = from
  for (let i = 0; i < mostOptions && text[afterSpaces(text, at)] === '['; i++) {
    const end = text.indexOf(']', at)
    if (end < 0) return from
    at = end + 1
  }
  return at
}

const mostOptions = 3
const optional = new Set(
  names('framebox makebox parbox raisebox textcolor color colorbox fcolorbox bbox rule SI qty'),
)

/** Past one braced argument, or one character or command. */
function afterArgument(text: string, from: number, close: Int32Array): number {
  const at = afterSpaces(text, from)
  if (text[at] === '{') return close[at]! > 0 ? close[at]! + 1 : text.length
  if (text[at] === '\\') return at + (/^\\(?:[a-zA-Z]+|[^])/.exec(text.slice(at, at + 40))?.[0].length ?? 1)
  return Math.min(at + 1, text.length)
}

/** \underbrace{1+1}_{2} is 1+1: the content stays, the note goes. */
function withoutNote(out: string, text: string, from: number, close: Int32Array): [string, number] {
  const end = afterArgument(text, from, close)
  const mark = afterSpaces(text, end)
  if (text[mark] !== '_' && text[mark] !== '^') return [out, from]
  return [out + text.slice(from, end), afterArgument(text, mark + 1, close)]
}

const aligning =
  'aligned|alignedat|align|alignat|flalign|gathered|gather|split|equation|eqnarray|multline|displaymath|math|center|flushleft|flushright'
const alignment = new RegExp(
  `\\\\begin\\s*\\{(${aligning}|cases|dcases|rcases)\\*?\\}(?:\\{\\d+\\})?([^]*?)\\\\end\\s*\\{\\1\\*?\\}`,
  'g',
)
const rowBreak = /\\\\(?:\[[^\][]{1,8}\])?(?![a-zA-Z]{2})/
const continues = /^\s*(?:[=<>+]|\\(?:le|ge|leq|geq|approx|equiv|times|cdot|pm)(?![a-z]))/

/** Lines of an aligned environment as a list; a line that goes on with a relation belongs to the one before. */
function withoutAlignment(text: string): string {
  return text.replace(alignment, (whole, name: string, content: string) => {
    if (content.includes('\\begin')) return ` ${content.trim()} `
    if (name.endsWith('cases') && /(?<!(?<!\\)\\)&/.test(content)) return whole // a function by cases
    const lines = content
      .replace(/(?<!(?<!\\)\\)&/g, ' ')
      .split(rowBreak)
      .map((line) => line.trim())
    return lines
      .filter((line) => line !== '')
      .reduce(
        (joined, line) =>
          continues.test(line) || /[=<>+\-,;]$/.test(joined) ? `${joined} ${line}` : `${joined}, ${line}`,
        '',
      )
      .replace(/^, /, '')
  })
}
