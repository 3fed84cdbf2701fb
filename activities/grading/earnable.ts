/** Whether a gold answer is one that a completion can give: no placeholder, no whole solution, and equal to itself in a box. */
import { boxOnly, grade } from './index.ts'
import { isExpression } from './readable.ts'

/** What stands in data sets where nobody knew an answer, or where there is none to give. */
const placeholder =
  /^(?:(?:see )?(?:the )?(?:proof|solution)|prove|q\.?e\.?d\.?|not ?_?(?:found|available|provided|given|applicable)|no ?answer(?: (?:found|given|provided))?|unanswerable|unknown|nan|null|n\/a|todo|tbd|-+|\?+|…|\.{3})\.?$/i

export const isPlaceholder = (gold: string): boolean =>
  placeholder.test(
    gold
      .replace(/\\(?:text|textbf|textit|mathrm|mbox|boxed)\s*\{([^{}]*)\}/g, '$1')
      .replaceAll('$', '')
      .trim(),
  )

/** Lines that are no expression, or what GSM8K ends in its answer: nobody's box holds a whole solution. */
const isSolution = (gold: string): boolean =>
  /(?:^|\n)\s*####/.test(gold) || (/\S[^\S\n]*\n\s*\S/.test(gold) && !isExpression(gold))

/** Whether a completion can be right by a gold answer: one that has the very answer in its box, and that a box can hold. */
export const isEarnable = (gold: string): boolean =>
  !isPlaceholder(gold) &&
  !isSolution(gold) &&
  grade({ gold, completion: `\\boxed{${gold}}`, policy: boxOnly }).verdict === 'correct'
