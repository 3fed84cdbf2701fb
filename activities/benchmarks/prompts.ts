/**
 * Named prompts: what a policy reads for a problem. All of the paper's, because the initial accuracy depends on them
 * (49.4 to 68.8 on MATH-500 for Qwen2.5-Math-7B), so that it is never reported under one only.
 *
 * Sources: arXiv 2506.10947, appendix on prompts, and BASE_MODEL_PROMPT of its published evaluation; `simplerl` is
 * SimpleRL-Zoo's (arXiv 2503.18892), `sober` that of "A Sober Look at Progress in Language Model Reasoning" (arXiv
 * 2504.07086), both word for word from their published code (`qwen-boxed`; MATH_QUERY_TEMPLATE). `lorem-ipsum` is the
 * first paragraph of LaTeX's lipsum package, which the paper used. A prompt that is no name here is a template with
 * `{problem}` in it.
 */
import { messagesOf, type Message, type Problem } from './problem.ts'

/** `prefix` is text that the assistant's answer begins with; `stop` ends a completion. */
export type RenderedPrompt = { readonly prefix: string; readonly stop: readonly string[] } & (
  { readonly messages: readonly Message[] } | { readonly text: string }
)

interface PromptRow {
  /** The user's message, or with `raw` the whole text; `{problem}` is the problem. */
  readonly user: string
  readonly system?: string
  /** Never through a chat template. */
  readonly raw?: true
  readonly prefix?: string
  readonly stop?: readonly string[]
  /** Raised when the wording changes, so that completions under the old one are not taken for those under the new. */
  readonly revision?: number
}

const r1: PromptRow = {
  raw: true,
  user:
    'A conversation between User and Assistant. The user asks a question, and the Assistant solves it. The assistant ' +
    'first thinks about the reasoning process in the mind and then provides the user with the answer. The reasoning ' +
    'process and answer are enclosed within <think> </think> and <answer> </answer> tags, respectively, i.e., ' +
    '<think> reasoning process here </think> <answer> answer here </answer>.\n\n' +
    '<|user|>\n{problem}\n<|assistant|>\n<think>',
  stop: ['</answer>'],
}

const rows = {
  /** The problem alone: the template brings the model's own system prompt (Qwen2.5-Math) or none. */
  default: { user: '{problem}' },
  r1,
  /** The problem and nothing else, not even a template: nano models. */
  plain: { raw: true, user: '{problem}' },
  'math-problem': { user: 'Math Problem: {problem}' },
  sober: {
    revision: 2,
    user:
      'Solve the following math problem efficiently and clearly.  The last line of your response should be of the ' +
      "following format: 'Therefore, the final answer is: $\\boxed{ANSWER}$. I hope it is correct' (without quotes) " +
      'where ANSWER is just the final number or expression that solves the problem. Think step by step before ' +
      'answering.\n\n{problem}',
  },
  simplerl: {
    system: 'You are a helpful assistant.',
    user: '{problem}\nPlease reason step by step, and put your final answer within \\boxed{}.',
  },
  'lorem-ipsum': {
    user:
      'Lorem ipsum dolor sit amet, consectetuer adipiscing elit. Ut purus elit, vestibulum ut, placerat ac, adipiscing ' +
      'vitae, felis. Curabitur dictum gravida mauris. Nam arcu libero, nonummy eget, consectetuer id, vulputate a, ' +
      'magna. Donec vehicula augue eu neque. Pellentesque habitant morbi tristique senectus et netus et malesuada ' +
      'fames ac turpis egestas. Mauris ut leo. Cras viverra metus rhoncus sem. Nulla et lectus vestibulum urna ' +
      'fringilla ultrices. Phasellus eu tellus sit amet tortor gravida placerat. Integer sapien est, iaculis in, ' +
      'pretium quis, viverra ac, nunc. Praesent eget sem vel leo ultrices bibendum. Aenean faucibus. Morbi dolor ' +
      'nulla, malesuada eu, pulvinar at, mollis ac, nulla. Curabitur auctor semper nulla. Donec varius orci eget ' +
      'risus. Duis nibh mi, congue eu, accumsan eleifend, sagittis quis, diam. Duis eget orci sit amet orci ' +
      'dignissim rutrum.\n\n{problem}',
  },
  /** Forces code reasoning: the answer begins with this sentence. */
  python: { user: '{problem}', prefix: "Let's solve this using Python." },
} as const satisfies Record<string, PromptRow>

export const promptNames = Object.keys(rows)

export const isPrompt = (name: string) => Object.hasOwn(rows, name) || name.includes('{problem}')

/** What a prompt is called where results are known by it: its name, with its revision if it has one. */
export function promptKey(name: string): string {
  const row: PromptRow | undefined = Object.hasOwn(rows, name) ? rows[name as keyof typeof rows] : undefined
  return row?.revision === undefined ? name : `${name}@${row.revision}`
}

/**
 * `chat`: whether the policy has a chat template. Without one, `default` and `python` are asked in the R1 style, as the
 * paper asks base models, and every other prompt is plain text. A problem that ends a conversation is asked behind its
 * earlier messages, which are turns of the chat, or, in plain text, paragraphs before it.
 */
export function renderPrompt(
  name: string,
  given: Problem,
  { chat }: { readonly chat: boolean },
): RenderedPrompt {
  const { problem } = given
  if (!isPrompt(name))
    throw new RangeError(`prompt ${name}: expected ${promptNames.join(', ')} or a template with {problem}`)
  const named: PromptRow = Object.hasOwn(rows, name) ? rows[name as keyof typeof rows] : { user: name }
  const asked = !chat && (name === 'default' || name === 'python') ? r1 : named
  // A replacer, because in a replacement text `$&` would mean something, and problems are full of dollars.
  const user = asked.user.replaceAll('{problem}', () => problem)
  const common = { prefix: named.prefix ?? '', stop: asked.stop ?? [] }
  const own = messagesOf(given)
  const system: Message[] = asked.system === undefined ? [] : [{ role: 'system', content: asked.system }]
  // A conversation's own system message stands in the place of the prompt's.
  const isOwn = own?.[0]?.role === 'system'
  const before = own === null ? system : [...(isOwn ? [] : system), ...own.slice(0, -1)]
  const messages: Message[] = [...before, { role: 'user', content: user }]
  if (!asked.raw && chat) return { ...common, messages }
  return { ...common, text: messages.map(({ content }) => content).join('\n\n') }
}
