/**
 * What collecting and inspecting promise, as one suite for every store: `file.test.ts` runs it on a folder,
 * `store.test.ts` on an S3 server. Run `a` keeps one whole checkpoint of six: 0, 2 and 4 are whole.
 */
import { beforeEach, expect, test } from 'vitest'
import { canonical, digestOf } from '../../activities/checkpoint/canonical.ts'
import { collectBlobs, discardStale, noneCollected } from '../../activities/checkpoint/collect.ts'
import { inspectBlobs, noneInspected } from '../../activities/checkpoint/inspect.ts'
import { checksumsOf } from '../../activities/checkpoint/checksum.ts'
import * as keys from '../../activities/checkpoint/keys.ts'
import { openStore } from '../../activities/checkpoint/open.ts'
import type { Store } from '../../activities/checkpoint/store.ts'
import { digits, endSurvey, readSurvey, surveyPage } from '../../activities/checkpoint/survey.ts'
import type {
  Blob,
  CheckpointDocument,
  Collected,
  Inspected,
  ModelDocument,
  Problem,
  RunDocument,
  SpecDocument,
} from '../../activities/contracts.ts'
import { resolveTrain } from '../../activities/spec/resolve.ts'
import { policyOf } from '../../activities/engine/embedded.ts'
import { keysOf } from './contract.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
export const blobOf = (text: string): Blob => {
  const { digest, sizeBytes } = checksumsOf(bytesOf(text))
  return { digest, sizeBytes }
}
export const keyOf = (text: string) => keys.blob(blobOf(text).digest)
const named = (name: string, text: string) => ({ name, ...blobOf(text) })
const policyFrom = (weights: string) =>
  policyOf([named('config.json', 'config'), named('model.safetensors', weights)])
const put = (store: Store, key: string, document: unknown) => store.replace(key, bytesOf(canonical(document)))

const identity = digestOf('identity')
export const modelKey = keys.model(digestOf('a model'))

/** A model, run `a` with its checkpoints 0 to 5, every blob they name, and two blobs that nothing names. */
export async function furnish(store: Store): Promise<void> {
  const texts = ['config', 'w0', 'w1', 'w2', 'w3', 'w4', 'w5', 's2', 's4', 'problems', 'lost', 'lost too']
  for (const text of texts) await store.replace(keyOf(text), bytesOf(text))
  const model: ModelDocument = { format: 1, source: 'a model', policy: policyFrom('w0') }
  await put(store, modelKey, model)
  const spec: SpecDocument = {
    format: 1,
    identity,
    spec: resolveTrain({
      preset: 'demo',
      model: 'nano/coder',
      reward: 'format',
      steps: 5,
      checkpoint: { every: 2, keep: 1 },
    }),
    model: modelKey,
    policy: model.policy.digest,
    data: keys.data(identity),
    problems: blobOf('problems'),
  }
  await put(store, keys.spec(digestOf(spec)), spec)
  const run: RunDocument = {
    format: 1,
    run: 'a',
    namespace: 'default',
    identity,
    specs: [keys.spec(digestOf(spec))],
  }
  await put(store, keys.run('a'), run)
  for (let step = 0; step <= 5; step++) await put(store, keys.checkpoint('a', step), checkpointOf(step))
}

function checkpointOf(step: number): CheckpointDocument {
  const whole = step === 0 ? [] : [named('optimizer.safetensors', `s${step}`)]
  return {
    format: 1,
    identity,
    step,
    policy: policyFrom(`w${step}`),
    checkpoint: {
      lineage: digestOf(step),
      optimizer: { name: 'adamw', updates: step, state: step % 2 === 0 ? whole : null },
    },
    learntFrom: [],
  }
}

const later = () => Date.now() + 3600_000
const signal = new AbortController().signal

interface Round {
  readonly cutoffMs: number
  readonly dryRun?: boolean
  readonly pageManifests?: number
}

/** All pages of a survey, as the workflows ask for them. */
async function surveyed(store: Store, { cutoffMs, pageManifests }: Round, survey = 'survey') {
  const problems: Problem[] = []
  let [after, page, manifests, dropped] = ['' as string | null, 0, 0, 0]
  while (after !== null) {
    const options = { survey, page: page++, after, cutoffMs, ...(pageManifests && { pageManifests }) }
    const found = await surveyPage(store, options)
    after = found.next
    manifests += found.manifests
    dropped += found.dropped
    problems.push(...found.problems)
  }
  return { pages: page, manifests, dropped, problems }
}

/** A whole collection, and what of the store it left. */
async function collected(store: Store, round: Round) {
  const survey = await surveyed(store, round)
  const parts: Collected[] = []
  const { cutoffMs, dryRun = false } = round
  const options = { survey: 'survey', cutoffMs, dryRun, signal, reached: () => {} }
  for (const digit of digits) parts.push(await collectBlobs(store, digit, noneCollected, options))
  const sum = (of: 'needed' | 'young' | 'unneeded' | 'removed') =>
    parts.reduce((total, part) => total + part[of].count, 0)
  const counts = {
    needed: sum('needed'),
    young: sum('young'),
    unneeded: sum('unneeded'),
    removed: sum('removed'),
  }
  await endSurvey(store, 'survey')
  return { survey, counts }
}

async function inspected(store: Store, options: { digests?: boolean; maxProblems?: number } = {}) {
  const survey = await surveyed(store, { cutoffMs: later() })
  const { digests = true, maxProblems = 20 } = options
  const parts: Inspected[] = []
  for (const digit of digits)
    parts.push(
      await inspectBlobs(store, digit, noneInspected, {
        survey: 'survey', digests, maxProblems, signal, reached: () => {},
      }), // prettier-ignore
    )
  await endSurvey(store, 'survey')
  return {
    survey,
    intact: parts.reduce((total, part) => total + part.intact.count, 0),
    gone: parts.reduce((total, part) => total + part.gone, 0),
    readBytes: parts.reduce((total, part) => total + part.readBytes, 0),
    problemCount: parts.reduce((total, part) => total + part.problemCount, 0),
    problems: parts.flatMap((part) => part.problems),
  }
}

/** `age` makes an object look as if it was written at that time. */
export function housekeepingContract(
  freshUrl: () => Promise<string>,
  age: (url: string, key: string, writtenMs: number) => Promise<void>,
): void {
  let url: string
  let store: Store
  beforeEach(async () => {
    url = await freshUrl()
    store = await openStore(url)
    await furnish(store)
  })
  const blobsLeft = async () => {
    const all = ['config', 'w0', 'w1', 'w2', 'w3', 'w4', 'w5', 's2', 's4', 'problems', 'lost', 'lost too']
    const left = new Set(await keysOf(store, 'blobs/'))
    return all.filter((text) => left.has(keyOf(text)))
  }
  const kept = ['config', 'w0', 'w4', 'w5', 's4', 'problems']

  test('what no manifest names goes, and of a run all but its kept checkpoints, 0, and those since', async () => {
    const { survey, counts } = await collected(store, { cutoffMs: later() })
    expect(survey).toMatchObject({ manifests: 8, dropped: 3, problems: [] }) // model, spec, 6 checkpoints
    expect(counts).toEqual({ needed: 6, young: 0, unneeded: 6, removed: 6 })
    expect(await blobsLeft()).toEqual(kept)
    expect(await keysOf(store, keys.checkpoints('a'))).toHaveLength(6) // manifests stay
    expect(await keysOf(store, keys.surveys())).toEqual([])
    expect((await collected(store, { cutoffMs: later() })).counts).toEqual({
      needed: 6, young: 0, unneeded: 0, removed: 0,
    }) // prettier-ignore
  })

  test('without its end mark, a page, or with another cutoff, a survey is refused and nothing goes', async () => {
    const cutoffMs = later()
    const options = { survey: 'survey', cutoffMs, dryRun: false, signal, reached: () => {} }
    const look = { survey: 'survey', digests: false, maxProblems: 5, signal, reached: () => {} }
    const digit = blobOf('w0').digest[0]!
    const refused = async (message: string) => {
      await expect(collectBlobs(store, digit, noneCollected, options)).rejects.toMatchObject({
        name: 'CorruptObject',
        message: expect.stringContaining(message) as unknown,
      })
    }
    await refused('surveys/survey/end/000000.json: not there')
    // Of two pages the first is written and taken away by another collection, then the last ends the survey.
    const first = await surveyPage(store, {
      survey: 'survey',
      page: 0,
      after: '',
      cutoffMs,
      pageManifests: 1,
    })
    await refused('surveys/survey/end/000000.json: not there')
    await discardStale(store, { cutoffMs, dryRun: false, signal })
    await surveyPage(store, { survey: 'survey', page: 1, after: first.next!, cutoffMs })
    await refused(`surveys/survey/${digit}/000000.json: not there`)
    await expect(inspectBlobs(store, digit, noneInspected, look)).rejects.toThrow('000000.json: not there')
    await surveyed(store, { cutoffMs: 5 })
    await refused(`expected a survey with the cutoff ${cutoffMs}, found 5`)
    await surveyed(store, { cutoffMs })
    await endSurvey(store, 'survey')
    await refused('surveys/survey/end/000000.json: not there')
    expect(await blobsLeft()).toHaveLength(12) // all of them
  })

  test('a dry run counts the same and removes nothing', async () => {
    const before = await keysOf(store, '')
    const { counts } = await collected(store, { cutoffMs: later(), dryRun: true })
    expect(counts).toEqual({ needed: 6, young: 0, unneeded: 6, removed: 0 })
    expect(await keysOf(store, '')).toEqual(before)
  })

  test('within the grace period nothing goes: neither a young blob nor what a young manifest names', async () => {
    const old = Date.now() - 100 * 3600_000
    const cutoffMs = Date.now() - 50 * 3600_000
    expect((await collected(store, { cutoffMs })).counts).toEqual({
      needed: 12 - 2, young: 2, unneeded: 0, removed: 0,
    }) // prettier-ignore
    // All blobs are old now, and so are the manifests of steps 1 and 2; the others, 3 too, are young.
    for (const key of await keysOf(store, 'blobs/')) await age(url, key, old)
    for (const step of [1, 2]) await age(url, keys.checkpoint('a', step), old)
    await store.replace(keyOf('lost too'), bytesOf('lost too')) // somebody wrote it again
    expect((await collected(store, { cutoffMs })).counts).toMatchObject({ young: 1, removed: 4 })
    expect(await blobsLeft()).toEqual(['config', 'w0', 'w3', 'w4', 'w5', 's4', 'problems', 'lost too'])
  })

  test('pages of any size find the same, and divide no run', async () => {
    const whole = await collected(store, { cutoffMs: later(), dryRun: true })
    const paged = await collected(store, { cutoffMs: later(), dryRun: true, pageManifests: 1 })
    expect([whole.survey.pages, paged.survey.pages]).toEqual([1, 3])
    expect({ ...paged.survey, pages: 1 }).toEqual(whole.survey)
    expect(paged.counts).toEqual(whole.counts)
  })

  test('a collection that was stopped goes on with the counts where it was, and ends in the same', async () => {
    const cutoffMs = later()
    await surveyed(store, { cutoffMs })
    const digit = blobOf('w0').digest[0]!
    for (let i = 0; i < 40; i++)
      await store.replace(`${keys.blobs(digit)}0/${digit}0-${i}`, bytesOf(`junk ${i}`))
    const options = { survey: 'survey', cutoffMs, dryRun: true, signal, reached: () => {} }
    const whole = await collectBlobs(store, digit, noneCollected, options)
    const steps: Collected[] = []
    await collectBlobs(store, digit, noneCollected, { ...options, reached: (sums) => steps.push(sums) })
    expect(steps.length).toBeGreaterThan(2)
    for (const reached of steps) expect(await collectBlobs(store, digit, reached, options)).toEqual(whole)
  })

  test('a document of another version protects what it names, wherever it names it', async () => {
    await put(store, 'later/thing.json', { format: 9, deep: [{ inside: { ...blobOf('lost'), more: 1 } }] })
    await collected(store, { cutoffMs: later() })
    expect(await blobsLeft()).toEqual([...kept, 'lost'])
  })

  test('a run of which nobody knows how much it keeps keeps all', async () => {
    await store.remove(keys.run('a'))
    const { survey } = await collected(store, { cutoffMs: later() })
    expect(survey.dropped).toBe(0)
    expect(await blobsLeft()).toEqual([...kept, 'w1', 'w2', 'w3', 's2'].sort(inOrder))
  })

  test('a manifest that cannot be read is a problem with its key and reason', async () => {
    await store.replace(keys.checkpoint('a', 3), bytesOf('{"format":1,'))
    await store.replace(keys.data(identity), bytesOf('{"format":1}'))
    const { problems } = await surveyed(store, { cutoffMs: later() })
    expect(problems.map(({ key }) => key)).toEqual([keys.data(identity), keys.checkpoint('a', 3)])
    expect(problems[0]?.problem).toMatch(/does not fit its schema: .*problems/)
    expect(problems[1]?.problem).toMatch(/000003\.json is not JSON \(12 bytes\)/)
  })

  test('what a survey wrote down says for each blob who names it and whether it is needed', async () => {
    await surveyed(store, { cutoffMs: later() })
    const all = (await Promise.all(digits.map((digit) => readSurvey(store, 'survey', digit)))).flat()
    const of = (text: string) => all.find(({ digest }) => digest === blobOf(text).digest)
    expect(of('w0')).toEqual({ ...blobOf('w0'), manifest: modelKey, needed: true })
    expect(of('w1')).toEqual({ ...blobOf('w1'), manifest: keys.checkpoint('a', 1), needed: false })
    expect(of('config')?.needed).toBe(true)
    expect(of('lost')).toBeUndefined()
  })

  test('an inspection finds all that is named, whole, before a collection and after', async () => {
    const bytes = ['config', 'w0', 'w1', 'w2', 'w3', 'w4', 'w5', 's2', 's4', 'problems'].join('').length
    expect(await inspected(store)).toMatchObject({ intact: 10, gone: 0, readBytes: bytes, problemCount: 0 })
    await collected(store, { cutoffMs: later() })
    expect(await inspected(store)).toMatchObject({ intact: 6, gone: 4, problemCount: 0 })
  })

  test('an inspection names a blob that is missing, too short, or of other bytes, and who names it', async () => {
    await store.remove(keyOf('w4'))
    await store.replace(keyOf('w5'), bytesOf('w'))
    await store.replace(keyOf('s4'), bytesOf('S4'))
    await store.remove(keyOf('w1')) // its checkpoint is dropped: it may be gone
    await store.replace(keyOf('w2'), bytesOf('W2')) // but what is there must be whole
    const found = await inspected(store)
    expect(found).toMatchObject({ intact: 5, gone: 1, problemCount: 4 })
    const problemOf = (text: string) => found.problems.find(({ key }) => key === keyOf(text))?.problem
    expect(problemOf('w4')).toBe(`missing; named by ${keys.checkpoint('a', 4)}`)
    expect(problemOf('w5')).toBe(`expected 2 bytes, found 1; named by ${keys.checkpoint('a', 5)}`)
    expect(problemOf('s4')).toBe(
      `its bytes are of digest ${blobOf('S4').digest}; named by ${keys.checkpoint('a', 4)}`,
    )
    expect(problemOf('w2')).toMatch(/^its bytes are of digest/)
    // Without reading, what has the right size passes.
    expect(await inspected(store, { digests: false })).toMatchObject({
      intact: 7,
      readBytes: 0,
      problemCount: 2,
    })
    expect((await inspected(store, { maxProblems: 1 })).problemCount).toBe(4)
  })

  test('an inspection that was stopped goes on behind the last blob it had compared', async () => {
    await store.replace(keyOf('w5'), bytesOf('w'))
    await surveyed(store, { cutoffMs: later() })
    const options = { survey: 'survey', digests: true, maxProblems: 5, signal, reached: () => {} }
    for (const digit of digits) {
      const whole = await inspectBlobs(store, digit, noneInspected, options)
      const steps: Inspected[] = []
      await inspectBlobs(store, digit, noneInspected, { ...options, reached: (at) => steps.push(at) })
      for (const reached of steps) expect(await inspectBlobs(store, digit, reached, options)).toEqual(whole)
    }
  })

  test('notes of a survey that never ended go with their age', async () => {
    await surveyed(store, { cutoffMs: later() })
    const old = { cutoffMs: 0, dryRun: false, signal }
    await discardStale(store, old)
    expect(await keysOf(store, keys.surveys())).not.toEqual([])
    await discardStale(store, { ...old, cutoffMs: later(), dryRun: true })
    expect(await keysOf(store, keys.surveys())).not.toEqual([])
    expect(await discardStale(store, { ...old, cutoffMs: later() })).toEqual({
      stale: 0,
      young: 0,
      discarded: 0,
    })
    expect(await keysOf(store, keys.surveys())).toEqual([])
  })
}

const order = ['config', 'w0', 'w1', 'w2', 'w3', 'w4', 'w5', 's2', 's4', 'problems', 'lost', 'lost too']
const inOrder = (a: string, b: string) => order.indexOf(a) - order.indexOf(b)
