/** Whether the grader reads a gold answer: as an expression, a choice, a time or words. The rest is compared as text only. */
import { parseAnswer } from './parse.ts'
import { cleaned } from './readings.ts'
import { answerOfGold } from './routes.ts'
import { choiceOf, isNothing, statementsOf, timeOf } from './wording.ts'

export function isReadable(gold: string): boolean {
  const answer = cleaned(gold)
  const isExpression = (text: string) => parseAnswer(text).expression.kind !== 'text'
  return (
    isExpression(answer) ||
    choiceOf(answer) !== null ||
    statementsOf(answer) !== null ||
    isNothing(answer) ||
    timeOf(answer) !== null ||
    isWords(answer) ||
    isExpression(answerOfGold(answer))
  )
}

/** "no solution", \text{east}. */
function isWords(text: string): boolean {
  const plain = text.replace(/\\(?:text|textbf|textit|mathrm|mbox)\s*\{([^{}]*)\}/g, '$1')
  return /^(?=.*\p{L})[\p{L}\p{M}\s'’.,()&-]+$/u.test(plain)
}
