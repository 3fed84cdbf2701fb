/** Which problems of a set a spec asks for. A filter that cannot match is an error, never an empty or a full set. */
import type { DataSpec } from '../contracts.ts'
import { stream } from '../seed.ts'
import { InvalidData } from './check.ts'
import type { Problem } from './problem.ts'

export type Selection = Pick<DataSpec, 'where' | 'only' | 'shuffle' | 'limit'>

/** `name` is the set's in messages, `set` in the shuffle's stream: a file may move and keep its order. */
export function select(
  problems: readonly Problem[],
  selection: Selection,
  name: string,
  set: string = name,
): Problem[] {
  let chosen = [...problems]
  for (const [column, wanted] of Object.entries(selection.where ?? {})) {
    const values = new Set((Array.isArray(wanted) ? wanted : [wanted]).map(String))
    if (!problems.some((problem) => problem[column] !== undefined))
      throw new InvalidData(
        `${name}: where.${column}: no such column, there are ${Object.keys(problems[0] ?? {}).join(', ')}`,
      )
    chosen = chosen.filter((problem) => problem[column] !== undefined && values.has(String(problem[column])))
  }
  if (selection.only !== undefined) {
    const byId = new Map(chosen.map((problem) => [problem.id, problem]))
    chosen = selection.only.map((id) => {
      const problem = byId.get(id)
      if (problem === undefined)
        throw new InvalidData(`${name}: only: no problem ${JSON.stringify(id)} among ${chosen.length}`)
      return problem
    })
  }
  if (chosen.length === 0)
    throw new InvalidData(
      `${name}: where ${JSON.stringify(selection.where)}: none of ${problems.length} problems`,
    )
  if (selection.shuffle !== undefined) {
    const order = stream({ seed: selection.shuffle, purpose: 'data', problem: set }).permutation(
      chosen.length,
    )
    chosen = order.map((i) => chosen[i]!)
  }
  return selection.limit === undefined ? chosen : chosen.slice(0, selection.limit)
}
