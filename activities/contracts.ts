/**
 * Every shape that crosses a boundary: specs from the command line, activity arguments and results, stored documents.
 * Schema and inferred type share a name. Parsed at three edges (workflow input in `admit`, activity entry, stored
 * documents); inside, types are trusted. Unknown keys are errors everywhere.
 */
export * from './contracts/asked.ts'
export * from './contracts/documents.ts'
export {
  Benchmark,
  DataSpec,
  Labels,
  Objective,
  Optimizer,
  Preset,
  ResolvedTrain,
  Reward,
  Sampling,
  Stop,
} from './contracts/specs.ts'
export * from './contracts/tasks.ts'
export { Digest, RunId } from './contracts/words.ts'
