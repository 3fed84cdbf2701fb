/**
 * Every key of the store's layout, one function each. Ids are checked before they become part of a key, and no key is
 * a prefix of another up to a slash: a store whose objects are plain files cannot hold `p` beside `p/q`.
 */
import { Digest, RunId } from '../contracts.ts'

export const store = 'store.json'

export const blob = (digest: string) => `blobs/sha256/${checked(digest).slice(0, 2)}/${digest}`

/** Prefix of the blobs whose digests begin with this digit. */
export const blobs = (digit: string) => `blobs/sha256/${digit}`

export const spec = (hash: string) => `specs/${checked(hash)}.json`
export const model = (key: string) => `models/${checked(key)}.json`
export const data = (key: string) => `data/${checked(key)}.json`
export const overlaps = (key: string) => `overlaps/${checked(key)}.json`
export const pretrain = (lineage: string) => `pretrain/${checked(lineage)}.json`
export const evaluation = (key: string) => `evaluations/${checked(key)}.json`
export const completions = (key: string, shard: number) =>
  `completions/${checked(key)}/completions-${digits(shard, 2)}.parquet`
/** What was finished of a shard whose worker was told to stop; gone once the shard is whole. */
export const unfinishedCompletions = (key: string, shard: number) =>
  `completions/${checked(key)}/unfinished-${digits(shard, 2)}.parquet`
export const unfinishedRollouts = (id: string, step: number, shard: number) =>
  `${stepFolder(id, step)}/unfinished-${digits(shard, 2)}.parquet`
export const labels = (key: string) => `labels/${checked(key)}.json`
export const labelsTable = (key: string) => `labels/${checked(key)}.parquet`
/** Labels of some of the problems, until the table has them all. */
export const votes = (key: string, part: number) => `labels/${checked(key)}/votes-${digits(part, 2)}.parquet`
export const scores = (key: string) => `scores/${checked(key)}.parquet`
export const probe = (key: string) => `probes/${checked(key)}.json`

export const run = (id: string) => `${runFolder(id)}/run.json`
export const overlap = (id: string) => `${runFolder(id)}/overlap.json`
export const result = (id: string) => `${runFolder(id)}/result.json`
/** Prefix of all that a run's steps wrote. */
export const steps = (id: string) => `${runFolder(id)}/steps/`
export const rollouts = (id: string, step: number, shard: number) =>
  `${stepFolder(id, step)}/rollouts-${digits(shard, 2)}.parquet`
export const rewards = (id: string, step: number, shard: number) =>
  `${stepFolder(id, step)}/rewards-${digits(shard, 2)}.parquet`
export const metrics = (id: string, step: number) => `${stepFolder(id, step)}/metrics.json`
export const provenance = (id: string, step: number) => `${stepFolder(id, step)}/provenance.json`
export const runEvaluation = (id: string, step: number, benchmark: string) =>
  `${stepFolder(id, step)}/evaluation-${name(benchmark)}.json`
/** Prefix of a run's checkpoints. */
export const checkpoints = (id: string) => `${runFolder(id)}/checkpoints/`
export const checkpoint = (id: string, step: number) => `${checkpoints(id)}${digits(step, 6)}.json`

export const sweepResults = (id: string) => `sweeps/${identifier(id)}/results.parquet`
/** The same rows for spreadsheets; and the sweep's runs, a row an evaluation. */
export const sweepResultsCsv = (id: string) => `sweeps/${identifier(id)}/results.csv`
export const sweepRunsCsv = (id: string) => `sweeps/${identifier(id)}/runs.csv`
export const sweepRuns = (id: string) => `sweeps/${identifier(id)}/runs.json`
/** Prefix of the sweeps whose ids begin so. */
export const sweeps = (start: string) => `sweeps/${identifier(start)}`
/** The sweep whose runs a key lists, or null for another key. */
export const sweepOf = (key: string) => /^sweeps\/([^/]+)\/runs\.json$/.exec(key)?.[1] ?? null
export const sweepReport = (id: string) => `sweeps/${identifier(id)}/report/index.html`

/** Prefix of what a survey of the store wrote down about blobs whose digests begin with this digit. */
export const surveyed = (survey: string, digit: string) => `${surveyFolder(survey)}${digit}/`
export const surveyPage = (survey: string, digit: string, page: number) =>
  `${surveyed(survey, digit)}${digits(page, 6)}.json`
/** Prefix of all that a survey wrote down, or of all surveys. */
export const surveys = (survey?: string) => (survey === undefined ? 'surveys/' : surveyFolder(survey))

/** The step that a key under `steps` or `checkpoints` belongs to. */
export function stepOf(key: string): number {
  const step = /^runs\/[^/]+\/(?:steps|checkpoints)\/(\d{6,})[./]/.exec(key)?.[1]
  if (step === undefined)
    throw new RangeError(`key ${JSON.stringify(key)}: expected a step's or a checkpoint's`)
  return Number(step)
}

/** Throws unless a store of any kind can hold the key: relative, no empty or dotted segment, no control character. */
export function checkKey(key: string): void {
  const fault = faultOf(key)
  if (fault !== null) throw new RangeError(`key ${JSON.stringify(key)}: ${fault}`)
}

function faultOf(key: string): string | null {
  if (key === '') return 'is empty'
  if (Buffer.byteLength(key) > 900) return 'is longer than 900 bytes' // S3 allows 1024, the store's prefix included
  if (/[\u0000-\u001f\u007f\\]/.test(key)) return 'holds a control character or a backslash'
  const segments = key.split('/')
  if (segments.includes('')) return 'has an empty segment'
  // A leading dot is how stores and this one hide their own temporary files.
  if (segments.some((segment) => segment.startsWith('.'))) return 'has a segment that starts with a dot'
  return null
}

const surveyFolder = (id: string) => `surveys/${identifier(id)}/`
const runFolder = (id: string) => `runs/${identifier(id)}`
const stepFolder = (id: string, step: number) => `${steps(id)}${digits(step, 6)}`

const checked = (digest: string) => parsed(Digest, digest)
const identifier = (id: string) => parsed(RunId, id)

function parsed(schema: typeof Digest, text: string): string {
  const result = schema.safeParse(text)
  if (result.success) return text
  const expected = result.error.issues[0]?.message
  throw new RangeError(`id ${JSON.stringify(text)} cannot be part of a key: expected ${expected}`)
}

function name(text: string): string {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(text))
    throw new RangeError(`name ${JSON.stringify(text)}: expected lower-case letters, digits and -`)
  return text
}

function digits(number: number, width: number): string {
  if (!Number.isSafeInteger(number) || number < 0)
    throw new RangeError(`number ${number}: expected 0 or more, whole`)
  return String(number).padStart(width, '0')
}
