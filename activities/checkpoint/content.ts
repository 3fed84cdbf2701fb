/** What is to be stored, cut where a transfer wants it: bytes in memory, or a file. Its CRC32 is known before it goes. */
import { open, stat } from 'node:fs/promises'
import { crc32Of, crc32OfFile } from './checksum.ts'
import type { ObjectHead, Upload } from './store.ts'

export interface Content {
  readonly sizeBytes: number
  readonly crc32: string
  /** Bytes from (inclusive) to (exclusive). */
  part(from: number, to: number): Promise<Uint8Array>
}

/** All bytes of a stream, in memory. */
export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export const contentOf = (bytes: Uint8Array): Content => ({
  sizeBytes: bytes.length,
  crc32: crc32Of(bytes),
  part: async (from, to) => bytes.subarray(from, to),
})

/** Size and CRC32 of a file that is to be uploaded; it is read only if nobody has yet. */
export async function sumsOf(path: string, { crc32, signal }: Upload = {}): Promise<Omit<Content, 'part'>> {
  if (crc32 === undefined) return crc32OfFile(path, signal && { signal })
  return { sizeBytes: (await stat(path)).size, crc32 }
}

export async function openContent(
  path: string,
  upload?: Upload,
): Promise<Content & { close(): Promise<void> }> {
  const sums = await sumsOf(path, upload)
  const file = await open(path)
  const part = async (from: number, to: number) => {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(to - from), 0, to - from, from)
    if (bytesRead === to - from) return buffer
    throw new Error(
      `${path}: expected ${sums.sizeBytes} bytes, found ${from + bytesRead}: it changed meanwhile`,
    )
  }
  return { ...sums, part, close: () => file.close() }
}

/** Whether what a store has is young enough for a writer who counts on its staying. */
export const fresh = (found: ObjectHead | null, upload: Upload | undefined) =>
  (found?.modifiedMs ?? 0) >= (upload?.freshSinceMs ?? -Infinity)

/** Whether what a store has is this content, as far as size and checksum can tell. */
export const same = (found: Omit<ObjectHead, 'modifiedMs'> | null, content: Omit<Content, 'part'>) =>
  found?.sizeBytes === content.sizeBytes && found.crc32 === content.crc32
