/**
 * What a completed workflow came to, in a few lines: accuracies at the beginning and the end with their intervals, the
 * sweep's table, notes, and where the rest lies. By the fields that a result has, whatever its type.
 */
interface Accuracy {
  readonly step?: number
  readonly benchmark: string
  readonly prompt: string
  readonly accuracy: number
  readonly low: number
  readonly high: number
}

/** Fields of other results that are shown, in their order. */
const mostFields = 12

/** `placed`: where an object of the store is to be found, by its key. */
export function essentialsOf(result: unknown, placed: (key: string) => string): string[] {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return []
  const { curve, results, notes, stopped, text, page, checkpoint, ...others } = result as Readonly<
    Record<string, unknown>
  >
  const accuracies = Array.isArray(curve) ? overSteps(curve.filter(isAccuracy)) : []
  const measured = Array.isArray(results)
    ? results.filter(isAccuracy).map((one) => `${named(one)}: ${shown(one)}`)
    : []
  const said = [
    ...accuracies,
    ...measured,
    ...(typeof text === 'string' ? [text.trimEnd()] : []),
    ...(typeof stopped === 'object' && stopped !== null && 'message' in stopped
      ? [`stopped: ${String(stopped.message)}`]
      : []),
    ...(Array.isArray(notes) ? notes.map((note) => `note: ${String(note)}`) : []),
    ...(typeof checkpoint === 'string' ? [`checkpoint: ${placed(checkpoint)}`] : []),
    ...(typeof page === 'string' ? [`report: ${placed(page)}`] : []),
  ]
  return said.length > 0 ? said : fieldsOf(others)
}

/** Each benchmark and prompt where it began and where it ended. */
function overSteps(curve: readonly Accuracy[]): string[] {
  const kinds = new Map<string, Accuracy[]>()
  for (const point of curve) kinds.set(named(point), [...(kinds.get(named(point)) ?? []), point])
  return [...kinds].map(([name, points]) => {
    const [first, last] = [points[0], points.at(-1)]
    const at = (point: Accuracy | undefined) =>
      point === undefined ? '' : `${shown(point)} at step ${point.step ?? 0}`
    return `${name}: ${at(first)}${last === first ? '' : `, ${at(last)}`}`
  })
}

const named = ({ benchmark, prompt }: Accuracy) =>
  `${benchmark}, prompt ${prompt.replaceAll(/\s+/g, ' ').slice(0, 40)}`

const percent = (share: number) => (100 * share).toFixed(1)
/** With its interval of 95%. */
const shown = ({ accuracy, low, high }: Accuracy) =>
  `${percent(accuracy)}% [${percent(low)}, ${percent(high)}]`

function isAccuracy(value: unknown): value is Accuracy {
  if (typeof value !== 'object' || value === null) return false
  const { benchmark, prompt, accuracy, low, high } = value as Record<string, unknown>
  const isText = typeof benchmark === 'string' && typeof prompt === 'string'
  return isText && [accuracy, low, high].every((one) => typeof one === 'number')
}

const fieldsOf = (result: Readonly<Record<string, unknown>>) =>
  Object.entries(result)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    .slice(0, mostFields)
    .map(([name, value]) => `${name}: ${String(value).slice(0, 200)}`)
