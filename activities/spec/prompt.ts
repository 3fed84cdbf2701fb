/** From a problem to the tokens a policy continues: the named prompt, through the policy's own chat template. */
import type { Problem } from '../benchmarks/problem.ts'
import { renderPrompt } from '../benchmarks/prompts.ts'
import type { Tokenizer } from '../policy/tokenizer.ts'

export interface PromptText {
  readonly text: string
  readonly tokens: readonly number[]
  readonly stop: readonly string[]
}

/** `date`: what a chat template is told when it asks for today. */
export function promptOf(tokenizer: Tokenizer, name: string, problem: Problem, date?: string): PromptText {
  const rendered = renderPrompt(name, problem, { chat: tokenizer.hasTemplate })
  const today = date === undefined ? {} : { date }
  const body = 'messages' in rendered ? tokenizer.renderChat(rendered.messages, today) : rendered.text
  const text = body + rendered.prefix
  // A template writes its own special tokens; a raw prompt gets those that the tokenizer adds.
  return { text, tokens: tokenizer.encode(text, { special: !('messages' in rendered) }), stop: rendered.stop }
}

/** Whether a policy's tokenizer has tokens for all that a prompt writes around a problem. */
export function canRead(tokenizer: Tokenizer, name: string, date?: string): boolean {
  const { text, tokens } = promptOf(tokenizer, name, { id: '', problem: '', answer: '' }, date)
  // A template's special tokens are left out in decoding, so only a raw prompt can be compared.
  const written = tokenizer.decode(tokens).normalize('NFC').trim()
  return tokenizer.hasTemplate || written === text.normalize('NFC').trim()
}
