/** A problem: what is asked, and the answer that counts as right. */
export interface Problem {
  readonly id: string
  /** The text a prompt is made of; of a conversation, its last question. */
  readonly problem: string
  /** Gold answer as its source writes it, LaTeX or plain; the grader reads it. */
  readonly answer: string
  /** All gold answers, where there are several: any of them counts, and `answer` is the first. */
  readonly answers?: readonly string[]
  /** The conversation that ends in the problem, where there is more to it: a system message, earlier turns. */
  readonly messages?: readonly Message[]
  /** Further columns of its source (level, subject, …), which a spec's `where` can ask for. */
  readonly [column: string]: string | number | readonly string[] | readonly Message[]
}

export interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** A file's own column may be called `answers`; it is text. */
export const goldsOf = ({ answer, answers }: Pick<Problem, 'answer' | 'answers'>): readonly string[] =>
  Array.isArray(answers) ? (answers as readonly string[]) : [answer]

/** All golds as one text, whatever their order. A single answer is its own: most sets have one a problem. */
export const answersOf = (problem: Problem): string => {
  const golds = goldsOf(problem)
  return golds.length === 1 ? problem.answer : JSON.stringify(golds.toSorted())
}

/** The conversation, if the problem is more than a question. */
export const messagesOf = ({ messages }: Pick<Problem, 'messages'>): readonly Message[] | null =>
  Array.isArray(messages) ? messages : null

/** Whether a program that knows text and numbers only would pass over a part of it. */
export const isLayered = (problem: Problem): boolean =>
  Array.isArray(problem.answers) || Array.isArray(problem.messages)
