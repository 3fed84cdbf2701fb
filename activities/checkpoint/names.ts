/**
 * What the key of a document says of its content: its own digest, the digest of something in it, or its coordinates. A
 * document that was put under another's key is whole by itself; only here it shows.
 *
 * Left out are documents whose key covers more than they hold (evaluations, probes, overlaps, labelled problems): who
 * derives such a key names the fields that it expects (documents.ts). A later format has rules of its own.
 */
import type {
  CheckpointDocument,
  DataDocument,
  EvaluationRecord,
  LabelsDocument,
  MetricsDocument,
  ModelDocument,
  PretrainDocument,
  RunDocument,
  SweepDocument,
} from '../contracts.ts'
import { canonical, digestOf } from './canonical.ts'

/** What a key's part may be, by the document found; the first is the usual one. Empty: nothing to compare with. */
interface Rule {
  readonly keys: RegExp
  readonly parts: (found: never) => readonly (string | number)[]
}

const hash = '([0-9a-f]{64})'
const rules: readonly Rule[] = [
  { keys: RegExp(`^specs/${hash}\\.json$`), parts: (found: unknown) => [digestOf(found)] },
  {
    // A pinned source is known by its name, any other by its files.
    keys: RegExp(`^models/${hash}\\.json$`),
    parts: ({ policy, source }: ModelDocument) => [policy.digest, digestOf(source)],
  },
  {
    keys: RegExp(`^data/${hash}\\.json$`),
    parts: ({ data, problems, labelled }: DataDocument) =>
      labelled === undefined ? [digestOf(data), digestOf({ data, problems: problems.digest })] : [],
  },
  {
    keys: RegExp(`^pretrain/${hash}\\.json$`),
    parts: ({ checkpoint }: PretrainDocument) => [checkpoint.lineage],
  },
  {
    keys: RegExp(`^labels/${hash}\\.json$`),
    parts: ({ completions, grader, vote, extract }: LabelsDocument) => [
      digestOf({ completions, grader, vote, extract }),
    ],
  },
  { keys: /^runs\/([^/]+)\/run\.json$/, parts: ({ run }: RunDocument) => [run] },
  { keys: /^runs\/[^/]+\/checkpoints\/(\d{6,})\.json$/, parts: ({ step }: CheckpointDocument) => [step] },
  { keys: /^runs\/[^/]+\/steps\/(\d{6,})\/metrics\.json$/, parts: ({ step }: MetricsDocument) => [step] },
  {
    keys: /^runs\/[^/]+\/steps\/\d{6,}\/evaluation-(.+)\.json$/,
    parts: ({ benchmark }: EvaluationRecord) => [benchmark],
  },
  { keys: /^sweeps\/([^/]+)\/runs\.json$/, parts: ({ sweep }: SweepDocument) => [sweep] },
]

/** How a document, parsed under its schema, contradicts its key: expected and found. Null: it does not. */
export function misnamed(key: string, document: unknown): string | null {
  if ((document as { format?: unknown } | null)?.format !== 1) return null
  for (const { keys, parts } of rules) {
    const named = keys.exec(key)?.[1]
    if (named === undefined) continue
    const found = parts(document as never)
    const isNamed = (part: string | number) => (typeof part === 'number' ? Number(named) : named) === part
    return found.length === 0 || found.some(isNamed)
      ? null
      : `expected what its key names, ${named}, found ${found[0]}`
  }
  return null
}

/** How a document differs from what is known of it, field by field. Null: it does not. */
export function unexpected<T>(document: T, expected: Partial<T>): string | null {
  for (const [name, value] of Object.entries(expected)) {
    const found = (document as Record<string, unknown>)[name]
    if (canonical([found ?? null]) !== canonical([value ?? null]))
      return `${name}: expected ${shown(value)}, found ${shown(found)}`
  }
  return null
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
