/**
 * An upload in parts that is killed half-way. Nano models are far smaller than a part, so without this no upload of a
 * sweep could be orphaned, and finding none afterwards would say nothing.
 *
 * As a program, `upload.ts FILE`: puts a file into the store as a blob, as a worker does with large weights.
 */
import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as keys from '../../activities/checkpoint/keys.ts'
import { openStore } from '../../activities/checkpoint/open.ts'
import { leash } from '../leash.ts'
import type { World } from './faults.ts'

/** Parts are of 16 MiB: three of them, the last of which never arrives. */
const sizeBytes = 40 * 2 ** 20

/** Starts an upload, holds its last part, and kills the uploader; resolves with the time of that. */
export async function breakUpload({ folder, proxy, env, signal }: World, number: number): Promise<number> {
  const home = join(folder, 'uploads')
  await mkdir(home, { recursive: true })
  const file = join(home, String(number))
  const bytes = Buffer.alloc(sizeBytes, `upload ${number} of the chaos harness. `)
  await writeFile(file, bytes)
  const path = keys.blob(createHash('sha256').update(bytes).digest('hex'))
  const last = new RegExp(`^PUT .*/${path}\\?.*partNumber=3`)
  const held = proxy.strike({ failure: 'stall', times: 1, seconds: 600, match: last }, signal)
  const args = ['--import', 'tsx', fileURLToPath(import.meta.url), file]
  const uploader = leash(process.execPath, args, { env, log: `${file}.log`, graceSeconds: 0 })
  const early = uploader.exited.then((code) => {
    throw new Error(`the uploader ended with code ${code} before its last part:\n${uploader.tail()}`)
  })
  try {
    await Promise.race([held, early])
    return Date.now()
  } finally {
    uploader.kill()
    await early.catch(() => undefined)
    await rm(file, { force: true })
  }
}

async function main(file: string): Promise<void> {
  const bytes = await readFile(file)
  const store = await openStore(process.env['PLACEBO_STORE'] ?? '')
  await store.upload(keys.blob(createHash('sha256').update(bytes).digest('hex')), file)
}

if (realpathSync(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) await main(process.argv[2] ?? '')
