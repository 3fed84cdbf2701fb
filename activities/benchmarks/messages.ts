/**
 * Conversations in the place of a question: a list of `{ role, content }`, as chat templates read them. Kept are a system
 * message at the beginning and earlier turns; the last message is the user's, and is what is asked. A message of the
 * assistant at the end would be the answer. Leaves out: tools, images, other names of the two fields.
 */
import { InvalidData } from './faults.ts'
import type { Message, Problem } from './problem.ts'

/** Messages of one problem. */
const mostMessages = 1000

/** What is asked, and the whole conversation if there is more to it. Throws InvalidData. `place`: with its column. */
export function conversationIn(
  cells: readonly unknown[],
  place: string,
): Pick<Problem, 'problem' | 'messages'> {
  if (cells.length === 0) throw new InvalidData(`${place} is an empty list, expected messages`)
  if (cells.length > mostMessages)
    throw new InvalidData(`${place} has ${cells.length} messages, expected at most ${mostMessages}`)
  const messages = cells.map((cell, i) => messageIn(cell, i, `${place}, message ${i + 1},`))
  const last = messages.at(-1)!
  if (last.role !== 'user')
    throw new InvalidData(
      `${place} ends in a message of role "${last.role}", expected the user's question last: an answer belongs into its own column`,
    )
  return { problem: last.content, ...(messages.length > 1 && { messages }) }
}

function messageIn(cell: unknown, i: number, place: string): Message {
  const { role, content, ...others } = (typeof cell === 'object' && cell !== null ? cell : {}) as Loose
  if (typeof role !== 'string') {
    const found = Object.keys(others).join(', ') || (typeof cell === 'object' ? 'nothing' : typeof cell)
    throw new InvalidData(`${place} has no role, found ${found}; expected { "role": …, "content": … }`)
  }
  const isKnown = role === 'user' || role === 'assistant' || (role === 'system' && i === 0)
  if (!isKnown)
    throw new InvalidData(
      `${place} has role ${JSON.stringify(role.slice(0, 40))}, expected user, assistant, or system for the first`,
    )
  const text = contentOf(content)
  if (text === null) throw new InvalidData(`${place} has content that is not text`)
  if (text.trim() === '') throw new InvalidData(`${place} is empty`)
  return { role, content: text }
}

interface Loose {
  readonly role?: unknown
  readonly content?: unknown
}

/** Text, or a list of parts that are text. */
function contentOf(content: unknown): string | null {
  if (typeof content === 'string') return content
  if (!Array.isArray(content) || content.length === 0) return null
  const parts = content.map((part) => {
    const { type, text } = (typeof part === 'object' && part !== null ? part : {}) as Record<string, unknown>
    return type === 'text' && typeof text === 'string' ? text : null
  })
  return parts.some((part) => part === null) ? null : parts.join('')
}
