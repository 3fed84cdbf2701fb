/** Files of problems that nobody should have. */
import { execFileSync } from 'node:child_process'
import { symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import type { Hostile } from './inputs.ts'
import { tiny } from '../tiny.ts'

interface File {
  readonly name: string
  /** What the file is called, and how it is written. */
  readonly path: string
  readonly build: (path: string) => void
  readonly data?: Readonly<Record<string, unknown>>
  readonly expect: RegExp
}

const data = /^(InvalidData|Reading\w+)$/
const text = (content: string | Uint8Array) => (path: string) => writeFileSync(path, content)
const line = (problem: unknown, answer: unknown = '1') => `${JSON.stringify({ problem, answer })}\n`

/** A Parquet file of two problems. */
function parquet(): Uint8Array {
  const rows = ['What is 1 + 1?', 'What is 1 + 2?']
  const columnData = [
    { name: 'problem', data: rows, type: 'STRING' as const },
    { name: 'answer', data: ['2', '3'], type: 'STRING' as const },
  ]
  return new Uint8Array(parquetWriteBuffer({ columnData }))
}

/** The same with some bytes exchanged, counted from the end where negative. */
const flipped = (at: number, bytes: readonly number[]) => (path: string) => {
  const file = parquet()
  file.set(bytes, at < 0 ? file.length + at : at)
  writeFileSync(path, file)
}

const files: readonly File[] = [
  { name: 'a FIFO', path: 'fifo.jsonl', build: (path) => execFileSync('mkfifo', [path]), expect: data },
  { name: 'a device', path: 'zero.jsonl', build: (path) => symlinkSync('/dev/zero', path), expect: /^(InvalidData|NotAllowed)$/ },
  { name: 'a folder', path: '.', build: () => {}, expect: data },
  { name: 'a file of 3 GB without an end of line', path: 'line.jsonl', build: (path) => { text('{"problem": "')(path); truncateSync(path, 3 * 2 ** 30) }, expect: data },
  { name: 'an array with an item of 3 GB', path: 'item.json', build: (path) => { text('[{"problem": "')(path); truncateSync(path, 3 * 2 ** 30) }, expect: data },
  { name: 'an empty file', path: 'empty.jsonl', build: text(''), expect: data },
  { name: 'a line nested 100,000 deep', path: 'deep.jsonl', build: text('['.repeat(1e5)), expect: data },
  { name: 'a file that is not UTF-8', path: 'latin.jsonl', build: text(Uint8Array.from([0x7b, 0xff, 0xfe, 0x7d])), expect: data },
  { name: 'a million rows that are wrong', path: 'wrong.jsonl', build: text('{"problem": 1}\n'.repeat(1e6)), expect: data },
  { name: 'a problem of a million letters', path: 'letters.jsonl', build: text(line('a'.repeat(1e6))), expect: /^(PromptTooLong|InvalidData|Reading\w+)$/ },
  { name: 'Parquet that is only its mark', path: 'mark.parquet', build: text('PAR1'), expect: data },
  { name: 'Parquet whose footer is longer than the file', path: 'footer.parquet', build: flipped(-8, [0xff, 0xff, 0xff, 0x7f]), expect: data },
  { name: 'Parquet with a footer of noise', path: 'noise.parquet', build: flipped(-60, Array.from({ length: 40 }, (_, i) => (i * 37) % 256)), expect: data },
  { name: 'Parquet with pages of noise', path: 'pages.parquet', build: flipped(4, Array.from({ length: 60 }, (_, i) => (i * 91 + 7) % 256)), expect: data },
  { name: 'Parquet of pages that inflate to more than they say', path: 'inflates.parquet', build: inflating, expect: data },
  { name: 'columns that no row has', path: 'columns.jsonl', build: text(line('What is 1 + 1?')), data: { columns: { answer: '__proto__' } }, expect: /^(InvalidData|InvalidSpec)$/ },
] // prettier-ignore

/** Each page says that it has a few bytes, and inflates to 256 MiB. */
function inflating(path: string): void {
  const bomb = gzipSync(new Uint8Array(256 * 2 ** 20))
  const columnData = [
    { name: 'problem', data: ['What is 1 + 1?'], type: 'STRING' as const },
    { name: 'answer', data: ['2'], type: 'STRING' as const },
  ]
  const file = parquetWriteBuffer({ columnData, codec: 'GZIP', compressors: { GZIP: () => bomb } })
  writeFileSync(path, new Uint8Array(file))
}

/** Each as a run on such a file. */
export function hostileData(folder: string, url: string): Hostile[] {
  return files.map(({ name, path, build, data, expect }) => {
    build(join(folder, path))
    return {
      name,
      type: 'train',
      input: { ...tiny, data: { source: `${url}/${path}`, ...data } },
      expect,
    }
  })
}
