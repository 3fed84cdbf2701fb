/** A writer to be killed: `doomed.ts URL CACHE FILE PLACE`. Stores a blob, then its manifest; at PLACE it says so and waits. */
import { z } from 'zod'
import { openBlobs } from '../../activities/checkpoint/cache.ts'
import { commit } from '../../activities/checkpoint/documents.ts'
import { openStore } from '../../activities/checkpoint/open.ts'

const [url = '', cache = '', file = '', place = ''] = process.argv.slice(2)
const store = await openStore(url)
const blobs = openBlobs(store, cache)

/** Blocks the thread, so that nothing further happens before the kill. */
function reached(name: string): void {
  if (name !== place) return
  process.stdout.write(`${name}\n`)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

const blob = await blobs.adopt(file, { progress: () => reached('in the blob') })
reached('before the manifest')
await commit(store, 'manifest.json', z.strictObject({ format: z.literal(1), digest: z.string() }), {
  format: 1,
  digest: blob.digest,
})
process.stdout.write('done\n')
await store.close()
