/**
 * The nano models' whole world: 1,920 problems a+b*c, five ways to ask, two ways to answer.
 *
 * A completion reasons in code ("python …") or in language ("first … then … so"), with the right precedence or the
 * wrong one, so that strategy and correctness are separate and measurable, as they are for the paper's models.
 * 320 problems are held out; pretraining and reinforcement learning see only the other 1,600. The split is one
 * shuffle by coordinates and never depends on a run's seed.
 */
import type { Problem } from '../benchmarks/problem.ts'
import { stream } from '../seed.ts'

/** Ways to ask, four letters each, so that every prompt has 12 characters. */
export const styles = ['calc', 'find', 'eval', 'what', 'give'] as const

/** a + b * c with a in 1..30, b and c in 2..9. */
export interface Task {
  readonly a: number
  readonly b: number
  readonly c: number
}

const heldOut = 320

/** `{style} {a:>2}+{b}*{c}\n`: 4 + 1 + 2 + 1 + 1 + 1 + 1 + 1 = 12 characters. */
export function promptText(style: number, { a, b, c }: Task): string {
  return `${styles[style] ?? ''} ${String(a).padStart(2)}+${b}*${c}\n`
}

/** All tasks in the one shuffled order: the first 320 are held out. */
export const tasks: readonly Task[] = shuffled()
export const testTasks: readonly Task[] = tasks.slice(0, heldOut)
export const trainTasks: readonly Task[] = tasks.slice(heldOut)

/** Problem i of a split asks in style i mod 5. */
export function problems(split: 'train' | 'test'): Problem[] {
  return (split === 'test' ? testTasks : trainTasks).map((task, i) => ({
    id: `${task.a}+${task.b}*${task.c}`,
    problem: promptText(i % styles.length, task),
    answer: String(task.a + task.b * task.c),
    style: styles[i % styles.length] ?? '',
    c: task.c, // the planted bug depends on it
  }))
}

/** How a trace goes about its task, right or wrong, and what it ends up with. */
export interface Working {
  readonly answer: number
  readonly precedence: 'right' | 'wrong'
}

/** The working, up to where the final answer begins; with box and end token at most 46 characters. */
export function trace(
  strategy: 'code' | 'language',
  { a, b, c }: Task,
  { answer, precedence }: Working,
): string {
  const t = precedence === 'right' ? b * c : a + b
  if (strategy === 'code') {
    return precedence === 'right'
      ? `python t=${b}*${c}#${t}\nprint(${a}+t)#${answer}\n`
      : `python t=${a}+${b}#${t}\nprint(t*${c})#${answer}\n`
  }
  return precedence === 'right'
    ? `first ${b}*${c}=${t} then ${a}+${t}=${answer} so `
    : `first ${a}+${b}=${t} then ${t}*${c}=${answer} so `
}

function shuffled(): Task[] {
  const all: Task[] = []
  for (let a = 1; a <= 30; a++)
    for (let b = 2; b <= 9; b++) for (let c = 2; c <= 9; c++) all.push({ a, b, c })
  const order = stream({ seed: 0, purpose: 'data', problem: 'nano' }).permutation(all.length)
  return order.map((i) => all[i]!)
}
