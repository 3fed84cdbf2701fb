/**
 * Where the answer of a completion is. A box comes first, and where there is one nothing else is looked at: a box that
 * cannot be read is never searched for numbers. Without a box the routes below follow in order, and the first that finds
 * something is the answer; a result names its route, so that answers found by guessing can be counted apart.
 *
 *   tag       <answer>…</answer>
 *   whole     the completion is one formula or expression
 *   stated    what follows the last "answer is", "answer:" and the like, in a dozen languages
 *   choice    the last letter that something is, else the first that stands alone, where the gold answer is such a letter
 *   formula   the last $…$, \(…\) or \[…\] that is more than a name
 *   number    the last number
 *   words     a short completion, as it is
 */
import { answerPart, closingBoxes } from './extract.ts'
import { parseAnswer } from './parse.ts'
import type { Policy } from './policy.ts'
import { unitNames } from './words.ts'
import { choiceOf } from './wording.ts'

export type Route =
  'none' | 'box' | 'boxes' | 'tag' | 'whole' | 'stated' | 'choice' | 'formula' | 'number' | 'words'

export interface Found {
  readonly route: Route
  readonly text: string
}

/** Everything but boxes and tags is looked for at the end only. */
const tailLength = 4000
const longestWords = 300

/** The answers a completion may have, the likeliest first: none or one, or two where boxes form a run. */
export function answersOf(completion: string, gold: string, policy: Policy): readonly Found[] {
  if (policy.extract === 'whole') return [{ route: 'whole', text: completion }]
  const run = closingBoxes(completion, policy)
  const last = run.at(-1)
  if (last !== undefined) {
    const box: Found = { route: 'box', text: last }
    return run.length === 1 ? [box] : [box, { route: 'boxes', text: run.join(', ') }]
  }
  if (policy.extract === 'box') return []
  const found = unboxed(answerPart(completion, policy), choiceOf(gold) !== null)
  return found === null ? [] : [found]
}

/** The answer of a gold text, which may be a whole solution: its boxes, or what it states. */
export function answerOfGold(gold: string): string {
  const run = closingBoxes(gold, { unclosedThinking: 'searched', cutBox: 'earlier' })
  if (run.length > 0) return run.join(', ')
  const opened = /\\boxed\s*\{/.exec(gold) // cut off before its brace closes
  if (opened !== null) return gold.slice(opened.index + opened[0].length)
  return stated(gold.slice(-tailLength), false) ?? gold
}

function unboxed(completion: string, choices: boolean): Found | null {
  const tail = completion.slice(-tailLength)
  const tagged = /<answer>([^]*)<\/answer>/.exec(tail)?.[1]
  if (tagged !== undefined) return { route: 'tag', text: tagged.slice(tagged.lastIndexOf('<answer>') + 1) }
  const text = tail.replace(/<\|[\w ]{1,30}\|>[^]*$/, '').trim() // what follows a turn's end marker is another turn
  if (text === '') return null
  if (isExpression(text)) return { route: 'whole', text }
  const statement = stated(text, choices)
  if (statement !== null) return { route: 'stated', text: statement }
  const letter = choices ? (lastNamedLetter(text) ?? firstLetter(text)) : null
  if (letter !== null) return { route: 'choice', text: letter }
  return lastFormulaOrNumber(text) ?? (text.length <= longestWords ? { route: 'words', text } : null)
}

const shortWords = /(?<![\\\p{L}])(?:is|it|so|we|to|be|of|no|my)(?!\p{L})/iu

/** Whether a text is mathematics throughout: readable, and without words other than units. */
function isExpression(text: string): boolean {
  if (text.length > longestWords || /[\u3040-\u9fff]/.test(text)) return false
  const words = text
    .replace(/\\(?:text|textbf|mathrm|mbox)\s*\{[^{}]*\}|\\[a-zA-Z]+|\{[a-z]*matrix\}/g, ' ')
    .match(/\p{L}{3,}/gu)
  const strange = (words ?? []).filter(
    (word) =>
      !unitNames.has(word.toLowerCase()) && !/^(?:percent|pct|and|orW?|sqrt|sin|cos|tan|log)$/.test(word),
  )
  return strange.length === 0 && !shortWords.test(text) && parseAnswer(text).expression.kind !== 'text'
}

const statement = new RegExp(
  [
    '(?:(?<!\\p{L})(?:answer|solution|result|réponse|respuesta|antwort|resposta|risposta|ответ|الجواب|الإجابة|उत्तर)(?!\\p{L})',
    '|答案|答え|正解)[^\\S\\n]*\\**',
    '(?:(?:is|are|be|equals|est|es|ist|é|è|هو|هي|है)(?!\\p{L})|[是为為は:：=])[^\\S\\n]*[:：]?\\**',
  ].join(''),
  'giu',
)

/** What the last statement of an answer says; null without one. */
function stated(text: string, choices: boolean): string | null {
  const last = [...text.matchAll(statement)].at(-1)
  if (last === undefined) return null
  const rest = text.slice(last.index + last[0].length).trimStart()
  const sentence = /^[^]*?(?=[.。!?](?:\s|["”]|$)|\n|$)/.exec(rest)?.[0].trim() ?? ''
  if (choices) {
    const letter = firstLetter(sentence)
    if (letter !== null) return letter
  }
  const said = sentence.split(/\s(?:is|are|equals)\s/).at(-1)!
  const formulas = formulasOf(said === sentence ? rest : said)
  const [first] = formulas
  if (first !== undefined && (said !== sentence || first.start <= Math.max(said.length, 3)))
    return joined(formulas)
  if (isExpression(said)) return said
  const number = numbersOf(said)[0]
  if (number !== undefined) return number.text
  const vague = /^(?:solution|result)/i.test(last[0]) // which a text also says of what is no answer
  return vague || said === '' || said.length > longestWords ? null : said.replace(/^["“*]+|["”*]+$/g, '')
}

/** A letter of a choice that stands alone. "A" before a word is an article. */
function firstLetter(text: string): string | null {
  return (
    /(?<![A-Za-zÀ-ɏ\p{N}'])(?![AI] (?!is |or |and )\p{Ll})([A-J])(?![A-Za-zÀ-ɏ\p{N}'])/u.exec(text)?.[1] ??
    null
  )
}

function lastNamedLetter(text: string): string | null {
  return (
    [...text.matchAll(/(?:\bis|\bbe|:)[\s$(*\\]{1,4}([A-J])(?![A-Za-zÀ-ɏ\p{N}'])(?! \p{Ll})/gu)].at(
      -1,
    )?.[1] ?? null
  )
}

interface Piece {
  readonly start: number
  readonly end: number
  readonly text: string
}

const formula = /\$\$([^$]+)\$\$|\$((?:\\\$|[^$])+)\$|\\\(([^]*?)\\\)|\\\[([^]*?)\\\]/g
const prose = /^\$[^\\$]*\s[a-z]{3,}\s[^\\$]*\$$/ // two amounts of money: $5 and not $
const afterFormula = /^\s*(?:\\?%|percent\b|pct\b)/

function formulasOf(text: string): Piece[] {
  const found: RegExpExecArray[] = []
  formula.lastIndex = 0
  for (let match = formula.exec(text); match !== null; match = formula.exec(text)) {
    if (prose.test(match[0]))
      formula.lastIndex = match.index + 1 // its second dollar may open a formula
    else found.push(match)
  }
  return found.map((match) => {
    const end = match.index + match[0].length
    const content = match[1] ?? match[2] ?? match[3] ?? match[4] ?? ''
    return {
      start: match.index,
      end,
      text: afterFormula.test(text.slice(end, end + 20)) ? `${content}\\%` : content,
    }
  })
}

/** The first formula, with those that follow it after no more than "and" or a comma: $12$ and $13$. */
function joined(formulas: readonly Piece[]): string {
  const run = formulas.slice(0, 1)
  for (const next of formulas.slice(1)) {
    if (next.start - run.at(-1)!.end > 6) break // " and ", ", "
    run.push(next)
  }
  return run.map(({ text }) => text).join(', ')
}

const number =
  /(?:(?<=^|[\s=(:：$*~≈])[-−+])?[$€£]?(?<![A-Za-zα-ω\p{N}_.,^])(?:\p{Nd}{1,3}(?:,\p{Nd}{3})+|\p{Nd}+)(?:\.\p{Nd}+|,\p{Nd}{1,2}(?!\p{Nd}))?(?:\/\p{Nd}+)?(?:\s?\\?%)?/gu

function numbersOf(text: string): Piece[] {
  return [...text.matchAll(number)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
    text: match[0],
  }))
}

const brackets = /[([][^()[\]]{1,80},[^()[\]]{1,80}[)\]]/g

function tuplesOf(text: string): Piece[] {
  return [...text.matchAll(brackets)]
    .map((match) => ({ start: match.index, end: match.index + match[0].length, text: match[0] }))
    .filter((piece) => isExpression(piece.text))
}

const sentenceEnd = /[.。!?]\s|\n/

/**
 * Whichever comes last; a formula that is only a name or a fragment answers nothing. Of one sentence its number in a formula
 * counts more than bare ones after it: $7$ dozens in 4 weeks.
 */
function lastFormulaOrNumber(text: string): Found | null {
  const formulas = formulasOf(text).filter(({ text }) => !/^\s*\\?[a-zA-Z]?\s*$/.test(text))
  const last = formulas.at(-1)
  const digits = [...numbersOf(text).slice(-1), ...tuplesOf(text).slice(-1)]
    .sort((a, b) => a.end - b.end)
    .at(-1)
  const isValue = last !== undefined && /\d/.test(last.text) && !last.text.includes('=')
  const after = last === undefined || digits === undefined ? '' : text.slice(last.end, digits.start)
  if (
    last !== undefined &&
    (digits === undefined || digits.start < last.end || (isValue && !sentenceEnd.test(after)))
  )
    return { route: 'formula', text: last.text }
  return digits === undefined ? null : { route: 'number', text: digits.text }
}
