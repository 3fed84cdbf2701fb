/** A problem set, read from local files, looked at, and written where the worker takes it from without parsing it. */
import { InvalidData } from '../benchmarks/faults.ts'
import { findingsIn } from '../benchmarks/findings.ts'
import { loadLocal } from '../benchmarks/load.ts'
import { isLayered } from '../benchmarks/problem.ts'
import { writeProblems } from '../benchmarks/write.ts'
import type { Progress } from '../engine/port.ts'
import type { Job } from './jobs.ts'
import { named } from './named.ts'

export const readData: Job<'data'> = ({ data, files, to, whole = false }, steps) =>
  named(steps, invalid, async (at) => {
    // Nobody aborts it from within: its process is ended.
    const control = { signal: new AbortController().signal, progress: (at: Progress) => steps.progress(at) }
    at(files.map(({ name }) => name).join(', '))
    const checked = await loadLocal(data, files, control, !whole)
    at(`writing ${checked.problems.length} problems`)
    await writeProblems(checked.problems, to, control)
    at(`looking at ${checked.problems.length} problems`)
    const { problems } = checked
    return {
      count: problems.length,
      findings: await findingsIn(checked, control),
      isLayered: problems.some(isLayered),
    }
  })

const invalid = (message: string, cause: ErrorOptions) => new InvalidData(message, cause)
