/**
 * From a completion to its answer: the last balanced `\boxed{…}`, found in one pass. Nothing else counts as an answer.
 *
 * Braces are matched by a stack that remembers which of them a box opened, so 20,000 unclosed boxes cost as much as any
 * text of that length. What follows the last `</think>` is the answer; a text without it is taken whole.
 */

/** Contents of all balanced boxes in the order in which they open. */
export function boxes(completion: string): string[] {
  const text = afterThinking(completion)
  const found: { start: number; content: string }[] = []
  const open: { start: number; box: boolean }[] = []
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (character === '\\') {
      const opening = boxOpening(text, i)
      if (opening === 0) {
        i++ // an escaped character, `\{` among them, is no brace
      } else {
        i += opening - 1
        open.push({ start: i + 1, box: true })
      }
    } else if (character === '{') {
      open.push({ start: i + 1, box: false })
    } else if (character === '}') {
      const last = open.pop()
      if (last?.box) found.push({ start: last.start, content: text.slice(last.start, i) })
    }
  }
  return found.sort((a, b) => a.start - b.start).map(({ content }) => content)
}

/** Content of the last box to open; of nested boxes that is the innermost. Null without one. */
export function lastBox(completion: string): string | null {
  return boxes(completion).at(-1) ?? null
}

const openings = ['\\boxed', '\\fbox'] as const

/** Characters from the backslash to the brace that opens a box, both included; 0 where none begins. */
function boxOpening(text: string, at: number): number {
  const name = openings.find((one) => text.startsWith(one, at))
  if (name === undefined) return 0
  let end = at + name.length
  while (text[end] === ' ') end++
  return text[end] === '{' ? end - at + 1 : 0
}

function afterThinking(completion: string): string {
  const tag = '</think>'
  const last = completion.lastIndexOf(tag)
  return last < 0 ? completion : completion.slice(last + tag.length)
}
