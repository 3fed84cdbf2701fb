/**
 * The added tokens of a tokenizer.json of which @huggingface/tokenizers makes the ids that Rust's tokenizers make; others
 * are refused by the place in their list. Rust numbers them itself, whatever the file says, and looks for those that are
 * normalised only between those that are not. Leaves out `single_word`.
 */
import { isObject, type Json } from './objects.ts'

interface Added {
  readonly id: number
  readonly content: string
  readonly place: string
  readonly normalized: boolean
}

const addedOf = ({ added_tokens }: Json): Added[] =>
  (added_tokens as readonly Json[]).map(({ id, content, normalized, special }, i) => ({
    id: id as number,
    content: content as string,
    place: `added_tokens[${i}]`,
    normalized: (normalized ?? special !== true) === true,
  }))

/** Why these are refused; null where they are not. */
export function addedFault(whole: Json): string | null {
  const { added_tokens: added, pre_tokenizer: pre, normalizer } = whole
  const tokens = added as readonly Json[]
  const at = (wrong: (token: Json) => boolean) => tokens.findIndex(wrong)
  const single = at(({ single_word }) => single_word === true)
  if (single >= 0) return `added_tokens[${single}]: expected single_word false, found true`
  const stripped = at(({ lstrip, rstrip }) => lstrip === true || rstrip === true)
  const blank = at(({ content }) => /^\s|\s$/u.test(content as string))
  if (stripped >= 0 && blank >= 0)
    return `added_tokens[${stripped}]: expected lstrip and rstrip false beside a token with a blank at its end (added_tokens[${blank}])`
  const normal = addedOf(whole).find(({ normalized }) => normalized)
  if (normal !== undefined && isFirst(pre) && (isObject(normalizer) || overlap(whole)))
    return `${normal.place}: expected normalized false beside a Metaspace with prepend_scheme first`
  return numberFault(whole)
}

/** Whether the library would look for all at once, though some are to be looked for before the others. */
export function splitsTwice(whole: Json): boolean {
  const [first, second] = byTurn(whole)
  return first.length > 0 && second.length > 0 && !isObject(whole.normalizer) && !isFirst(whole.pre_tokenizer)
}

/** What is looked for first, and what between those. */
function byTurn(whole: Json): [first: string[], second: string[]] {
  const contents = (which: boolean) =>
    addedOf(whole).flatMap(({ content, normalized }) => (normalized === which ? [content] : []))
  return [contents(false), contents(true)]
}

/** Published tokenizers have a few of one kind at most. */
const mostPairs = 1_000_000

/** Whether a token of one kind can begin within one of the other, so that it matters which is looked for first. */
function overlap(whole: Json): boolean {
  const [first, second] = byTurn(whole)
  if (first.length * second.length > mostPairs) return true
  return first.some((one) => second.some((other) => meets(one, other) || meets(other, one)))
}

/** Whether `other` lies within `one`, or begins with what `one` ends with. */
function meets(one: string, other: string): boolean {
  if (other === '') return false
  if (one.includes(other)) return true
  for (let shared = Math.min(one.length, other.length) - 1; shared > 0; shared--)
    if (one.endsWith(other.slice(0, shared))) return true
  return false
}

/**
 * Rust goes through them in their order. One that the vocabulary has keeps the id that it has there; any other has the next one:
 * as many as the vocabulary has tokens, or one more than the highest id of an added token before it.
 */
function numberFault(whole: Json): string | null {
  const { vocab } = whole.model as Json
  const pieces = Array.isArray(vocab)
    ? new Map((vocab as [string, number][]).map(([token], id) => [token, id]))
    : new Map(Object.entries(vocab as Record<string, number>))
  const size = Array.isArray(vocab) ? vocab.length : pieces.size
  const seen = new Map<string, string>()
  let next = size
  for (const { id, content, place } of addedOf(whole)) {
    if (content === '') continue // which Rust leaves out
    const before = seen.get(content)
    if (before !== undefined) return `${place}: expected another content than that of ${before}`
    seen.set(content, place)
    const known = pieces.get(content)
    const expected = known ?? next
    if (id !== expected)
      return `${place}: expected id ${expected}, ${known === undefined ? 'the next one' : 'which its content has in the vocabulary'}, found ${id}`
    // Rust's model never says one that a normalizer hides from the search for added tokens, the library's does.
    if (known === undefined && isObject(whole.normalizer) && [...content].length === 1)
      return `${place}: expected more than one character, or one of the vocabulary, beside a normalizer`
    next = Math.max(next, id + 1)
  }
  return null
}

const isFirst = (pre: unknown): boolean =>
  isObject(pre) &&
  ((pre.type === 'Metaspace' && pre.prepend_scheme === 'first') ||
    (Array.isArray(pre.pretokenizers) && pre.pretokenizers.some(isFirst)))
