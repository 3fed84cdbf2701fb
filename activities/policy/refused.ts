/** Why a policy's own files cannot write a prompt. */

/** A prompt that this policy's own files cannot write: its template refuses the chat, or it has no token for a text. */
export class PromptRefused extends Error {
  override readonly name = 'PromptRefused'
}

/** A prompt that leaves no room for its completion. */
export class PromptTooLong extends Error {
  override readonly name = 'PromptTooLong'
}
