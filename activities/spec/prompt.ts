/** From a problem to the tokens a policy continues: the named prompt, through the policy's own chat template. */
import type { Problem } from '../benchmarks/problem.ts'
import { renderPrompt } from '../benchmarks/prompts.ts'
import type { Tokenizer } from '../policy/tokenizer.ts'

export interface PromptText {
  readonly text: string
  readonly tokens: readonly number[]
  readonly stop: readonly string[]
}

export function promptOf(tokenizer: Tokenizer, name: string, problem: Problem): PromptText {
  const rendered = renderPrompt(name, problem, { chat: tokenizer.hasTemplate })
  const body = 'messages' in rendered ? tokenizer.renderChat(rendered.messages) : rendered.text
  const text = body + rendered.prefix
  // A template writes its own special tokens; a raw prompt gets those that the tokenizer adds.
  return { text, tokens: tokenizer.encode(text, { special: !('messages' in rendered) }), stop: rendered.stop }
}

/** Whether a policy's tokenizer has tokens for all that a prompt writes around a problem. */
export function canRead(tokenizer: Tokenizer, name: string): boolean {
  const { text, tokens } = promptOf(tokenizer, name, { id: '', problem: '', answer: '' })
  // A template's special tokens are left out in decoding, so only a raw prompt can be compared.
  const written = tokenizer.decode(tokens).normalize('NFC').trim()
  return tokenizer.hasTemplate || written === text.normalize('NFC').trim()
}
