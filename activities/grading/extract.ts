/**
 * From a completion to its boxes: the balanced `\boxed{…}`, found in one pass.
 *
 * Braces are matched by a stack that remembers which of them a box opened, so 20,000 unclosed boxes cost as much as any
 * text of that length. What follows the last `</think>` is the answer; a text without it is taken whole. Thinking that does
 * not end and a last box that is cut off are conventions (policy.ts).
 */
import { spend } from './budget.ts'
import { defaultPolicy, type Policy } from './policy.ts'

export type BoxPolicy = Pick<Policy, 'unclosedThinking' | 'cutBox'>

interface Box {
  /** Of its content. */
  readonly start: number
  readonly end: number
  readonly content: string
  readonly closed: boolean
}

/** Contents of all balanced boxes in the order in which they open. */
export function boxes(completion: string): string[] {
  return balanced(afterThinking(completion)).map(({ content }) => content)
}

/** Content of the last box to open; of nested boxes that is the innermost. Null without one. */
export function lastBox(completion: string, policy: BoxPolicy = defaultPolicy): string | null {
  return closingBoxes(completion, policy).at(-1) ?? null
}

/**
 * The boxes that together end the answer: the last one and those before it with nothing but "and", commas and names between,
 * as in \boxed{k = 45} and \boxed{n = 2}. One box, mostly; none without a box.
 */
export function closingBoxes(completion: string, policy: BoxPolicy = defaultPolicy): string[] {
  const text = answerPart(completion, policy)
  const found = places(text)
  const last = found.at(-1)
  if (last?.closed === false && policy.cutBox !== 'earlier')
    return policy.cutBox === 'read' ? [text.slice(last.start)] : []
  const all = found.filter(({ closed }) => closed)
  const run = all.slice(-1)
  for (let i = all.length - 2; i >= 0 && run.length < mostInRun; i--) {
    const [before, next] = [all[i]!, run[0]!]
    const between = text.slice(before.end + 1, next.start)
    if (
      next.start - before.end > longestBetween ||
      !connective.test(between.replace(/\\*(?:boxed|fbox)\s*\{$/, ''))
    )
      break
    run.unshift(before)
  }
  return run.map(({ content }) => content)
}

const mostInRun = 20
const longestBetween = 60 // characters, the opening of the next box included
const connective =
  /^(?:[\s$,;{}]|\\[()[\],;! ]|\\q?quad(?![a-z])|\\text(?![a-z])|and|or|[A-Za-z](?:_\{?\w{1,9}\}?)?\s*=)*$/

const marks = /[\\{}]/g

const balanced = (text: string): Box[] => places(text).filter(({ closed }) => closed)

/** All boxes in the order in which they open, those that never close among them. */
function places(text: string): Box[] {
  const found: Box[] = []
  const open: { start: number; place: number }[] = [] // -1: a brace that no box opened
  marks.lastIndex = 0
  while (marks.test(text)) {
    spend(1)
    const at = marks.lastIndex - 1
    if (text[at] === '\\') {
      const length = boxOpening(text, at)
      marks.lastIndex = at + (length === 0 ? 2 : length) // an escaped character, `\{` among them, is no brace
      if (length > 0) {
        const start = at + length
        open.push({ start, place: found.push({ start, end: text.length, content: '', closed: false }) - 1 })
      }
    } else if (text[at] === '{') {
      open.push({ start: at + 1, place: -1 })
    } else {
      const last = open.pop()
      if (last !== undefined && last.place >= 0)
        found[last.place] = { start: last.start, end: at, content: text.slice(last.start, at), closed: true }
    }
  }
  return found
}

const openings = ['\\boxed', '\\fbox', '\\\\boxed', '\\\\fbox'] as const // the latter two from doubly escaped LaTeX

/** Characters from the backslash to the brace that opens a box, both included; 0 where none begins. */
function boxOpening(text: string, at: number): number {
  const name = openings.find((one) => text.startsWith(one, at))
  if (name === undefined) return 0
  let end = at + name.length
  while (text[end] === ' ') end++
  return text[end] === '{' ? end - at + 1 : 0
}

/** What follows the thinking; of thinking that does not end, what stands before it or all of it. */
export function answerPart(
  completion: string,
  { unclosedThinking }: Pick<Policy, 'unclosedThinking'>,
): string {
  const text = afterThinking(completion)
  const opened = unclosedThinking === 'ignored' ? text.lastIndexOf('<think>') : -1
  return opened < 0 ? text : text.slice(0, opened)
}

/** What follows the last closing tag of a chain of thought. */
export function afterThinking(completion: string): string {
  const tag = '</think>'
  const last = completion.lastIndexOf(tag)
  return last < 0 ? completion : completion.slice(last + tag.length)
}
