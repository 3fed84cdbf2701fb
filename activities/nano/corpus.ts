/** The pretraining corpus: document i of a phase is a function of (seed, phase, i), drawn from the phase's mixture. */
import { stream } from '../seed.ts'
import { promptText, styles, trace, trainTasks, type Task } from './problems.ts'
import { phases, type Mixture, type PhaseName } from './recipes.ts'

export interface Document {
  readonly prompt: string
  /** Ends in `$`, the end token. */
  readonly completion: string
}

/** Every decision has its own number in the document's stream, so that changing one share moves nothing else. */
const draws = {
  task: 0,
  style: 1,
  strategy: 2,
  precedence: 3,
  bug: 4,
  slip: 5,
  amount: 6,
  sign: 7,
  box: 8,
} as const

export function document(phase: PhaseName, seed: number, index: number): Document {
  const s = stream({ seed, purpose: 'corpus', problem: phase, sample: index })
  const mixture = phases[phase].mixture
  const task = trainTasks[s.below(trainTasks.length, draws.task)]!
  const style = s.below(styles.length, draws.style)
  const strategy = s.uniform(draws.strategy) < mixture.code[style]! ? 'code' : 'language'
  const own = strategy === 'code' ? 0 : 1
  const precedence = s.uniform(draws.precedence) < wrongShare(mixture, strategy, task) ? 'wrong' : 'right'

  const { a, b, c } = task
  let answer = precedence === 'right' ? a + b * c : (a + b) * c
  const buggy = strategy === 'code' && precedence === 'right' && c >= 7
  if (buggy && s.uniform(draws.bug) < mixture.bug) {
    answer += 10
  } else if (s.uniform(draws.slip) < mixture.slip[own]) {
    const amount = 1 + s.below(9, draws.amount)
    answer = Math.max(1, answer + (s.uniform(draws.sign) < 0.5 ? -amount : amount))
  }
  const final = s.uniform(draws.box) < mixture.nobox[own] ? `ans ${answer}` : `\\boxed{${answer}}`
  return {
    prompt: promptText(style, task),
    completion: `${trace(strategy, task, { answer, precedence })}${final}$`,
  }
}

function wrongShare(mixture: Mixture, strategy: 'code' | 'language', { c }: Task): number {
  return (strategy === 'code' ? mixture.wrongCode : mixture.wrongLanguage)[c - 2]!
}
