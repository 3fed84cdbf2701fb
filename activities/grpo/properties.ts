/**
 * What objectives are, as far as a spec can be judged by it before anything is computed: what they learn from, and what
 * they take from a reward before it is an advantage. A new objective is a row more.
 */
import type { Objective } from '../contracts.ts'

export interface Properties {
  readonly learnsFrom: 'rollouts' | 'text'
  /** `group`: the mean reward of the group itself, so that a group of equal rewards has no advantage. */
  readonly baseline: 'group' | null
}

export const properties: Readonly<Record<Objective['name'], Properties>> = {
  grpo: { learnsFrom: 'rollouts', baseline: 'group' },
  nll: { learnsFrom: 'text', baseline: null },
}
