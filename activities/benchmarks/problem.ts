/** A problem: what is asked, and the answer that counts as right. */
export interface Problem {
  readonly id: string
  /** The text a prompt is made of. */
  readonly problem: string
  /** Gold answer as its source writes it, LaTeX or plain; the grader reads it. */
  readonly answer: string
  /** Further columns of its source (level, subject, …), which a spec's `where` can ask for. */
  readonly [column: string]: string | number
}
