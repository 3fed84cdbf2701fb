/** A run's learning curve: evaluations beside its training, never in its way, ended before its history is. */
import * as wf from '@temporalio/workflow'
import type { ResolvedTrain, Stopped } from '../activities/contracts.ts'
import { limits } from '../temporal.config.ts'
import { upsert } from './details.ts'
import { evaluate, type EvaluateResult } from './evaluate.ts'
import { evaluationFailed, onceFree, sentenceOf, typeOf } from './failures.ts'
import type { CurvePoint } from './progress.ts'
import { tagged } from './tags.ts'
import { Window } from './window.ts'

/** Evaluations at once: a run that goes on may have thousands to begin, and 2,000 children may be pending. */
const evaluationsAtOnce = 100

export class Curve {
  /** The last points, in order of their steps. */
  points: readonly CurvePoint[]
  /** What became of evaluations that the spec does not require, a sentence each. */
  notes: readonly string[]
  /** The run's end by its rule, where an evaluated policy has logits that are not finite; the earliest. */
  unsound: Stopped | null = null
  /** What this start of the run computed for it. */
  deviceSeconds = 0
  /** Hears of the first evaluation that failed and is required, at once. */
  readonly #fail: (error: Error) => void
  readonly #run: string
  readonly #spec: ResolvedTrain
  readonly #attributes: readonly string[]
  readonly #window = new Window(evaluationsAtOnce, () => wf.patched('curveWindow'))
  readonly #begun = new Map<number, Promise<void>>()

  constructor(
    run: string,
    spec: ResolvedTrain,
    attributes: readonly string[],
    earlier: { readonly curve?: readonly CurvePoint[]; readonly notes?: readonly string[] } | undefined,
    fail: (error: Error) => void,
  ) {
    this.#run = run
    this.#spec = spec
    this.#attributes = attributes
    this.#fail = fail
    this.points = earlier?.curve ?? []
    this.notes = earlier?.notes ?? []
  }

  /** The steps up to this one that have a point: step 0, every n-th, and the last one of the spec. */
  due(to: number): number[] {
    return Array.from({ length: to + 1 }, (_, step) => step).filter((step) => this.isDue(step))
  }

  /** `every` 0 evaluates the ends only. */
  isDue(step: number): boolean {
    const { evaluate, steps } = this.#spec
    if (evaluate.benchmarks.length === 0) return false
    return step === 0 || step === steps || (evaluate.every > 0 && step % evaluate.every === 0)
  }

  /** What is asked of each point, whatever its step. */
  evaluationAt(step: number) {
    const { evaluate, date } = this.#spec
    const { every: _every, required: _required, ...rest } = evaluate
    const asked = { prompts: [this.#spec.prompt], ...(date !== undefined && { date }) }
    return { checkpoint: `${this.#run}/${step}`, ...asked, seed: 0, ...rest }
  }

  begin(step: number): void {
    if (this.#spec.evaluate.benchmarks.length === 0 || this.#begun.has(step)) return
    const workflowId = `${this.#run}:evaluate:${step}`
    const args: Parameters<typeof evaluate> = [this.evaluationAt(step), { run: this.#run, step }]
    const child = () => wf.executeChild(evaluate, { args, workflowId, ...tagged() })
    const add = ({ results, deviceSeconds }: EvaluateResult) => {
      this.deviceSeconds += deviceSeconds
      const others = this.points.filter((point) => point.step !== step)
      this.points = [...others, ...results.map((result) => ({ step, ...result }))]
        .sort((a, b) => a.step - b.step)
        .slice(-limits.curveInQuery)
      upsert(this.#attributes, { Accuracy: results[0]?.accuracy })
    }
    const evaluated = () => child().then(add, async (error: unknown) => add(await onceFree(error, child)))
    const ended = this.#window.enter(evaluated)
    this.#begun.set(step, this.#missed(ended, step, workflowId))
  }

  /** Resolves when all that were begun have ended: a child left open would be terminated with this history. */
  async ended(): Promise<void> {
    await Promise.all(this.#begun.values())
  }

  /** The same promise, with somebody who listens: one that nobody awaits yet would hold up the run's tasks for ever. */
  #missed(ended: Promise<void>, step: number, workflowId: string): Promise<void> {
    const scope = wf.CancellationScope.current()
    const heard = ended.catch((error: unknown) => {
      if (scope.consideredCancelled) throw error // the run's own cancellation is its end
      const isUnsound = typeOf(error) === 'NonFiniteLogits' && step > 0
      if (isUnsound && this.#spec.stop?.nonFinite === true) {
        if (this.unsound === null || step <= this.unsound.step)
          this.unsound = { rule: 'non-finite', step: step - 1, message: sentenceOf(error) }
        return
      }
      if (this.#spec.evaluate.required === false) {
        this.notes = [
          ...this.notes,
          `No evaluation at step ${step} (${workflowId}): ${sentenceOf(error)}`,
        ].slice(-limits.curveInQuery)
        return
      }
      const failure = evaluationFailed(step, workflowId, error)
      this.#fail(failure)
      throw failure
    })
    heard.catch(() => {})
    return heard
  }
}
