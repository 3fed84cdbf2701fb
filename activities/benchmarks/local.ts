/**
 * A regular file on this machine, opened once and read in ranges: nothing here holds a whole file. A FIFO, a device or
 * a socket is refused by name before anything waits for it, and so is what a link leads to outside of the folders that
 * are allowed. Leaves out: who may name which file (`origin.ts`).
 */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { requireOpened, requirePath, type Roots } from '../models/within.ts'
import { DataUnavailable, InvalidData } from './faults.ts'

/** A file of problems, here, and what complaints call it. */
export interface LocalFile {
  readonly path: string
  /** The source as a spec writes it, or where a set's file came from. */
  readonly name: string
  /** What findings call it, if not `name`: they are stored, and a folder is one worker's own. */
  readonly place?: string
  /** The JSON array that the paper's authors publish; otherwise JSON Lines or Parquet, by its first bytes. */
  readonly published?: boolean
  /** Becomes a column, and part of the ids. */
  readonly level?: number
  /** Where its links may lead, if it is a user's. */
  readonly within?: Roots
}

export interface RegularFile {
  readonly name: string
  readonly sizeBytes: number
  /** Exactly these bytes, in a buffer of their own. Throws InvalidData where the file ends sooner. */
  read(from: number, to: number): Promise<Uint8Array<ArrayBuffer>>
  close(): Promise<void>
}

/** What is in memory already, read as a file is. */
export const inMemory = (bytes: Uint8Array, name: string): RegularFile => ({
  name,
  sizeBytes: bytes.length,
  read: async (from, to) => new Uint8Array(bytes.subarray(from, to)),
  close: async () => {},
})

/** What another attempt meets again: nothing is there, or nothing that may be read. */
const forGood = /^(ENOENT|ENOTDIR|EACCES|EPERM|ELOOP|ENAMETOOLONG|ENXIO|ENODEV|EISDIR|EINVAL|ERR_\w+)$/

/** Throws DataUnavailable where there is no regular file, NotAllowed outside of `within`; a disk that fails is left as it is. */
export async function openRegular(path: string, name: string, within?: Roots): Promise<RegularFile> {
  if (within !== undefined) await requirePath(`data ${name}`, path, within)
  const refuse = (why: string, cause?: unknown) =>
    new DataUnavailable(`data ${name}: cannot be read (${why})`, { cause })
  // Without O_NONBLOCK, opening a FIFO waits for its writer, and nothing can end that wait.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(
    (cause: unknown) => {
      const { code = '', message } = cause as NodeJS.ErrnoException
      if (code === 'ENOENT') throw refuse('ENOENT: there is no such file on this machine', cause)
      throw forGood.test(code) ? refuse(message, cause) : cause
    },
  )
  try {
    if (within !== undefined) await requireOpened(`data ${name}`, handle, path, within)
    const stat = await handle.stat()
    if (!stat.isFile()) throw refuse(`it is ${kindOf(stat)}, expected a regular file`)
    const { size } = stat
    const read = async (from: number, to: number) => {
      const bytes = new Uint8Array(to - from)
      for (let at = 0; at < bytes.length;) {
        const { bytesRead } = await handle.read(bytes, at, bytes.length - at, from + at)
        if (bytesRead === 0)
          throw new InvalidData(
            `${name}: ended at byte ${from + at} while it was read, it had ${size} when it was opened`,
          )
        at += bytesRead
      }
      return bytes
    }
    return { name, sizeBytes: size, read, close: () => handle.close() }
  } catch (error) {
    await handle.close()
    throw error
  }
}

interface Kind {
  isFIFO(): boolean
  isDirectory(): boolean
  isSocket(): boolean
}
const kindOf = (stat: Kind) =>
  stat.isFIFO() ? 'a FIFO' : stat.isDirectory() ? 'a directory' : stat.isSocket() ? 'a socket' : 'a device'
