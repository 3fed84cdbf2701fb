/**
 * Checksums of bytes in memory and in files: SHA-256 names a blob, CRC32 (IEEE, as S3 keeps it: big-endian, base64)
 * tells a whole object from a torn one without reading it. Both native, in one pass.
 */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import type { BlobRef, Transfer } from './store.ts'

export interface Checksums extends BlobRef {
  readonly crc32: string
}

/** Big enough that a chunk's cost is its bytes, small enough that other work gets its turn. */
const chunkBytes = 2 * 1024 * 1024

export function base64OfCrc32(value: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes.toString('base64')
}

export const crc32Of = (bytes: Uint8Array) => base64OfCrc32(crc32(bytes))

export function checksumsOf(bytes: Uint8Array): Checksums {
  const digest = createHash('sha256').update(bytes).digest('hex')
  return { digest, sizeBytes: bytes.length, crc32: crc32Of(bytes) }
}

export async function checksumsOfFile(path: string, transfer?: Transfer): Promise<Checksums> {
  const sha256 = createHash('sha256')
  let crc = 0
  const sizeBytes = await readThrough(path, transfer, (chunk) => {
    sha256.update(chunk)
    crc = crc32(chunk, crc)
  })
  return { digest: sha256.digest('hex'), sizeBytes, crc32: base64OfCrc32(crc) }
}

/** Of what stays on this machine: no store asks for its CRC32, which would take a third of the time. */
export async function digestOfFile(path: string, transfer?: Transfer): Promise<BlobRef> {
  const sha256 = createHash('sha256')
  const sizeBytes = await readThrough(path, transfer, (chunk) => sha256.update(chunk))
  return { digest: sha256.digest('hex'), sizeBytes }
}

export async function crc32OfFile(
  path: string,
  transfer?: Transfer,
): Promise<{ crc32: string; sizeBytes: number }> {
  let crc = 0
  const sizeBytes = await readThrough(path, transfer, (chunk) => (crc = crc32(chunk, crc)))
  return { crc32: base64OfCrc32(crc), sizeBytes }
}

/** Shows a file's bytes to `visit`, in order; resolves with their number. */
async function readThrough(
  path: string,
  transfer: Transfer | undefined,
  visit: (chunk: Uint8Array) => void,
): Promise<number> {
  let sizeBytes = 0
  for await (const chunk of chunksOf(path, transfer)) {
    visit(chunk)
    sizeBytes += chunk.length
  }
  return sizeBytes
}

/** A file's bytes in order; a chunk is good until the next is asked for, which is read meanwhile. */
export async function* chunksOf(path: string, transfer?: Transfer): AsyncIterable<Uint8Array> {
  const handle = await open(path)
  const buffers = [Buffer.allocUnsafeSlow(chunkBytes), Buffer.allocUnsafeSlow(chunkBytes)] as const
  const read = (i: number) => handle.read(buffers[i % 2 === 0 ? 0 : 1], 0, chunkBytes)
  let reading = read(0)
  try {
    for (let i = 1; ; i++) {
      const { bytesRead, buffer } = await reading
      transfer?.signal?.throwIfAborted()
      if (bytesRead === 0) return
      reading = read(i)
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await reading.catch(() => undefined)
    await handle.close()
  }
}
