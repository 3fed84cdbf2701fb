/**
 * A survey: every blob that some manifest names, written down by digest, in pages, so that neither a history nor a
 * process must hold a large store at once.
 *
 * A page reads some thousand manifests from where the last one ended, and writes down what they name under
 * surveys/<id>/<first digit of the digest>/<page>; a page that is done again writes the same. A run's checkpoints are
 * one unit, because which of them stay depends on all of them. `needed` is false for blobs that only checkpoints name
 * whose run no longer keeps them or never stored them; a manifest written since `cutoffMs` needs those it stored.
 * The last page leaves an end mark: where it or any page is gone, nobody takes what is missing for what nothing needs.
 */
import { z } from 'zod'
import { Blob, type Problem } from '../contracts.ts'
import { canonical } from './canonical.ts'
import { requireDocument } from './documents.ts'
import * as keys from './keys.ts'
import { isManifest, keepOf, keptSteps, readManifest, runOf, type Manifest } from './manifests.ts'
import { CorruptObject, NotFound, type Listed, type Store } from './store.ts'

const Named = z.strictObject({ ...Blob.shape, manifest: z.string(), needed: z.boolean() })
/** A blob, the first manifest that was found to name it, and whether anything needs it. */
export type Named = z.infer<typeof Named>

const Page = z.strictObject({ format: z.literal(1), blobs: z.array(Named) })

/** `pages`: how many there are, by their numbers. */
const End = z.strictObject({ format: z.literal(1), pages: z.int().min(1), cutoffMs: z.number() })

/** Beside the folders of the digits. */
const endKey = (survey: string) => keys.surveyPage(survey, 'end', 0)

export interface SurveyedPage {
  /** Where the next page begins; null: that was the last. */
  readonly next: string | null
  readonly manifests: number
  /** Checkpoints whose run does not keep them. */
  readonly dropped: number
  readonly problems: readonly Problem[]
}

export interface SurveyOptions {
  readonly survey: string
  readonly page: number
  /** The key behind which the page begins; '' is the first. */
  readonly after: string
  readonly cutoffMs: number
  readonly signal?: AbortSignal
  /** Told how many manifests are through. */
  readonly reached?: (manifests: number) => void
  readonly pageManifests?: number
}

export const digits = [...'0123456789abcdef']
/** Manifests in a page, and the least of them: a run's checkpoints are not divided. */
const defaultPageManifests = 2000
/** A problem crosses Temporal in a result; a document can be wrong in a thousand places. */
const maxProblemText = 500
/** Manifests read at once. */
const readsAtOnce = 16

export async function surveyPage(store: Store, options: SurveyOptions): Promise<SurveyedPage> {
  const page = new PageSurvey(store, options)
  const next = await page.read()
  await page.write()
  if (next === null) await page.writeEnd()
  return { next, ...page.found }
}

/**
 * All that was written down about blobs whose digests begin with this digit, by digest and size. Throws CorruptObject
 * unless the survey ended (with this cutoff, where one is given) and all of its pages are there.
 */
export async function readSurvey(
  store: Store,
  survey: string,
  digit: string,
  cutoffMs?: number,
): Promise<Named[]> {
  const end = await requireNote(store, endKey(survey), End)
  if (cutoffMs !== undefined && end.cutoffMs !== cutoffMs)
    throw new CorruptObject(
      `${endKey(survey)}: expected a survey with the cutoff ${cutoffMs}, found ${end.cutoffMs}`,
    )
  const all = new Map<string, Named>()
  for (let page = 0; page < end.pages; page++)
    for (const named of (await requireNote(store, keys.surveyPage(survey, digit, page), Page)).blobs)
      note(all, named)
  return [...all.values()]
}

async function requireNote<T>(store: Store, key: string, schema: z.ZodType<T>): Promise<T> {
  try {
    return await requireDocument(store, key, schema)
  } catch (cause) {
    if (!(cause instanceof NotFound)) throw cause
    throw new CorruptObject(
      `${key}: not there, so its survey did not end or its notes are gone; a new one has to begin`,
      { cause },
    )
  }
}

/** Removes what a survey wrote down, its end mark first: what lacks a page must not look whole. */
export async function endSurvey(store: Store, survey: string): Promise<void> {
  await store.remove(endKey(survey))
  for await (const { key } of store.list(keys.surveys(survey))) await store.remove(key)
}

class PageSurvey {
  readonly found = { manifests: 0, dropped: 0, problems: [] as Problem[] }
  readonly #store: Store
  readonly #options: SurveyOptions
  readonly #blobs = new Map<string, Named>()

  constructor(store: Store, options: SurveyOptions) {
    this.#store = store
    this.#options = options
  }

  /** The key behind which the next page begins, or null. */
  async read(): Promise<string | null> {
    const { pageManifests = defaultPageManifests } = this.#options
    let { after } = this.#options
    for await (const { run, manifests } of unitsOf(outsideOfBlobs(this.#store, after))) {
      if (this.found.manifests >= pageManifests) return after
      await this.#readUnit(manifests, run)
      after = manifests.at(-1)?.key ?? after
    }
    return null
  }

  /** `run`: the manifests are all of its checkpoints. */
  async #readUnit(unit: readonly Listed[], run: string | null): Promise<void> {
    const read: { listed: Listed; manifest: Manifest }[] = []
    for (let first = 0; first < unit.length; first += readsAtOnce) {
      this.#options.signal?.throwIfAborted()
      const some = unit.slice(first, first + readsAtOnce)
      const manifests = await Promise.all(
        some.map(({ key }) => this.#orProblem(key, () => readManifest(this.#store, key))),
      )
      for (const [i, manifest] of manifests.entries()) if (manifest) read.push({ listed: some[i]!, manifest })
      this.found.manifests += some.length
      this.#options.reached?.(this.found.manifests)
    }
    const kept = run === null ? null : await this.#kept(run, read)
    for (const { listed, manifest } of read) {
      const isKept =
        kept === null || listed.modifiedMs >= this.#options.cutoffMs || kept.has(keys.stepOf(listed.key))
      const needed = manifest.isStored && isKept
      if (!needed) this.found.dropped += 1
      for (const blob of manifest.blobs) note(this.#blobs, { ...blob, manifest: listed.key, needed })
    }
  }

  /** Null: all of them. */
  async #kept(run: string, read: readonly { listed: Listed; manifest: Manifest }[]) {
    const keep = await this.#orProblem(keys.run(run), () => keepOf(this.#store, run))
    if (keep === null || keep === Infinity) return null
    return keptSteps(
      read.map(({ listed, manifest }) => ({ step: keys.stepOf(listed.key), isWhole: manifest.isWhole })),
      keep,
    )
  }

  async #orProblem<T>(key: string, action: () => Promise<T>): Promise<T | null> {
    try {
      return await action()
    } catch (error) {
      if (!(error instanceof CorruptObject)) throw error
      this.found.problems.push({ key, problem: error.message.slice(0, maxProblemText) })
      return null
    }
  }

  async write(): Promise<void> {
    const { survey, page } = this.#options
    const all = [...this.#blobs.values()]
    for (const digit of digits) {
      // Written without blobs, too: whoever reads it can tell an empty page from one that is gone.
      const blobs = all.filter(({ digest }) => digest.startsWith(digit))
      const bytes = new TextEncoder().encode(canonical(Page.parse({ format: 1, blobs })))
      await this.#store.replace(keys.surveyPage(survey, digit, page), bytes)
    }
  }

  async writeEnd(): Promise<void> {
    const { survey, page, cutoffMs } = this.#options
    const bytes = new TextEncoder().encode(canonical(End.parse({ format: 1, pages: page + 1, cutoffMs })))
    await this.#store.replace(endKey(survey), bytes)
  }
}

/** Manifests that are read together: all of a run's checkpoints, or a few others. */
async function* unitsOf(
  listing: AsyncIterable<Listed>,
): AsyncIterable<{ run: string | null; manifests: readonly Listed[] }> {
  let manifests: Listed[] = []
  let run: string | null = null
  for await (const listed of listing) {
    if (!isManifest(listed.key)) continue
    const its = runOf(listed.key)
    if (manifests.length > 0 && (its !== run || (its === null && manifests.length === readsAtOnce))) {
      yield { run, manifests }
      manifests = []
    }
    run = its
    manifests.push(listed)
  }
  if (manifests.length > 0) yield { run, manifests }
}

/** Two manifests that name one digest with two sizes are two entries: one of them will not be found. */
function note(all: Map<string, Named>, named: Named): void {
  const id = `${named.digest} ${named.sizeBytes}`
  const known = all.get(id)
  if (known === undefined || (named.needed && !known.needed)) all.set(id, named)
}

/** Every object behind a key except blobs, which are listed only where they are looked for. */
async function* outsideOfBlobs(store: Store, after: string): AsyncIterable<Listed> {
  const behindBlobs = 'blobs/~' // every blob's key is before it
  if (after < behindBlobs) {
    let hasBlobs = false
    for await (const listed of store.list('', after)) {
      hasBlobs = listed.key.startsWith('blobs/')
      if (hasBlobs) break
      yield listed
    }
    if (!hasBlobs) return
  }
  yield* store.list('', after < behindBlobs ? behindBlobs : after)
}
