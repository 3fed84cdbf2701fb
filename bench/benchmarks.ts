/** The benchmarks by name. */
import type { Benchmark } from './comparison.ts'
import { durability } from './durability.ts'
import { grading } from './grading.ts'
import { hostile } from './hostile.ts'
import { long } from './long.ts'
import { sampling } from './sampling.ts'
import { step } from './step.ts'
import { store } from './store.ts'
import { sweep } from './sweep.ts'
import { training } from './training.ts'

export const benchmarks: Readonly<Record<string, Benchmark>> = {
  sampling,
  training,
  step,
  grading,
  store,
  durability,
  sweep,
  long,
  hostile,
}
