/** Whether the grader reads a gold answer: as an expression, a choice, a time or words. The rest is compared as text only. */
import { parseAnswer } from './parse.ts'
import { cleaned } from './readings.ts'
import { answerOfGold } from './routes.ts'
import { choiceOf, isNothing, statementsOf, timeOf } from './wording.ts'

export function isReadable(gold: string): boolean {
  const answer = cleaned(gold)
  return (
    isExpression(answer) ||
    choiceOf(answer) !== null ||
    statementsOf(answer) !== null ||
    isNothing(answer) ||
    timeOf(answer) !== null ||
    isWords(answer)
  )
}

/** Of a gold as it is written, which may name what it is the value of. */
export function isExpression(gold: string): boolean {
  const isOne = (text: string) => parseAnswer(text).expression.kind !== 'text'
  const answer = cleaned(gold)
  return isOne(answer) || isOne(answerOfGold(answer))
}

/** Words that an answer may have: of more, no completion has the very same. */
const mostWords = 20

/** "no solution", \text{east}. */
function isWords(text: string): boolean {
  if (text.trim().split(/\s+/, mostWords + 1).length > mostWords) return false
  const plain = text.replace(/\\(?:text|textbf|textit|mathrm|mbox)\s*\{([^{}]*)\}/g, '$1')
  return /^(?=.*\p{L})[\p{L}\p{M}\s'’.,()&-]+$/u.test(plain)
}
