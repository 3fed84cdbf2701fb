/** Parquet that other tools write, and Parquet that nobody should believe: what each is read as, or refused for. */
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js'
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js'
import { describe, expect, it } from 'vitest'
import type { RegularFile } from '../../activities/benchmarks/local.ts'
import { rowsOfParquet } from '../../activities/benchmarks/parquet/rows.ts'
import { stream } from '../../activities/seed.ts'
import { loadBytes, quiet } from './loading.ts'

const golden = (folder: string) => {
  const at = new URL(`../golden/${folder}/`, import.meta.url)
  return readdirSync(at).map((name) => ({ name, bytes: new Uint8Array(readFileSync(new URL(name, at))) }))
}
const inMemory = (bytes: Uint8Array, seen: (count: number) => void = () => {}): RegularFile => ({
  name: 'x',
  sizeBytes: bytes.length,
  read: (from, to) => {
    seen(to - from)
    return Promise.resolve(bytes.slice(from, to))
  },
  close: () => Promise.resolve(),
})
async function rowsIn(file: RegularFile, wanted: readonly string[], most = Infinity): Promise<object[]> {
  const rows: object[] = []
  for await (const batch of (await rowsOfParquet(file, wanted, quiet)).batches) {
    rows.push(...batch.map(({ value }) => value as object))
    if (rows.length >= most) break
  }
  return rows
}

describe('Parquet of other tools', () => {
  it.each(golden('kinds'))(
    'has the rows that hyparquet finds in the whole of it: $name',
    async ({ bytes }) => {
      const whole = await parquetReadObjects({ file: bytes.slice().buffer, compressors })
      const names = Object.keys(whole[0] ?? {})
      expect([whole.length, names.length]).toEqual([300, 13])
      expect(await rowsIn(inMemory(bytes), names)).toEqual(whole)
    },
  )

  it('is read no further than the rows that are wanted, in the columns that are', async () => {
    const [{ bytes } = { bytes: new Uint8Array() }] = golden('kinds').filter(
      ({ name }) => name === 'plain.parquet',
    )
    const count = async (wanted: string[], most: number) => {
      let sum = 0
      await rowsIn(
        inMemory(bytes, (read) => (sum += read)),
        wanted,
        most,
      )
      return sum
    }
    const all = await count(['uid', 'question', 'gold', 'messages', 'model', 'grid'], Infinity)
    const some = await count(['gold'], Infinity)
    const first = await count(['gold'], 1) // of three row groups
    expect(some).toBeLessThan(all)
    expect(first).toBeLessThan(some)
  })

  it('gives what a limit asks for and what is dropped by the same rule as its rows in JSON Lines', async () => {
    const [{ bytes } = { bytes: new Uint8Array() }] = golden('kinds')
    const columns = { problem: 'question', answer: 'gold' }
    const data = { source: 'x', columns, duplicates: 'drop', limit: 60 } as const
    const rows = await rowsIn(inMemory(bytes), ['question', 'gold'])
    const lines = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    const [ours, theirs] = [await loadBytes(bytes, data), await loadBytes(lines, data)]
    expect(ours.problems).toEqual(theirs.problems)
    expect(ours.problems).toHaveLength(60)
    // Of 40 x 7 = 280 pairs the first 60 rows have none twice.
    expect(ours.dropped?.count).toBe(0)
    expect((await loadBytes(bytes, { ...data, limit: 290 })).dropped?.count).toBe(20)
  })
})

type Thrift = Record<`field_${number}`, unknown>
type Page = { header: Thrift; body?: Uint8Array }
type Meta = { codec?: number; rows?: bigint; values?: bigint; offset?: bigint; size?: bigint; type?: number }
const types = { int64: 2, text: 6 }
const codec = { none: 0, snappy: 1, gzip: 2, lzo: 3, lz4: 7 }

interface Footer {
  field_1: number
  /** Elements of the schema. */
  field_2: { field_1?: number; field_3?: number; field_4: string; field_5?: number; field_6?: number }[]
  /** Rows. */
  field_3: bigint
  /** Row groups: column chunks, bytes, rows. */
  field_4: {
    field_1: { field_2: bigint; field_3: Thrift & { field_3: string[] } }[]
    field_2: bigint
    field_3: bigint
  }[]
}

/** A file of one required column `c` with these pages, and a footer that says what it is told to. */
function file(pages: readonly Page[], meta: Meta = {}, edit: (footer: Footer) => void = () => {}): Buffer {
  const data = new ByteWriter()
  data.appendBytes(Buffer.from('PAR1'))
  for (const { header, body = new Uint8Array(0) } of pages) {
    serializeTCompactProtocol(data, header)
    data.appendBytes(body)
  }
  const { rows = 2n, values = rows, offset = 4n, size = BigInt(data.offset - 4) } = meta
  const { type = types.text, codec = 0 } = meta
  const chunk = {
    field_1: type,
    field_2: [0],
    field_3: ['c'],
    field_4: codec,
    field_5: values,
    field_6: size,
    field_7: size,
    field_9: offset,
  }
  const leaf = { field_1: type, field_3: 0, field_4: 'c', ...(type === types.text && { field_6: 0 }) }
  const footer: Footer = {
    field_1: 2,
    field_2: [{ field_4: 'root', field_5: 1 }, leaf],
    field_3: rows,
    field_4: [{ field_1: [{ field_2: 0n, field_3: chunk }], field_2: size, field_3: rows }],
  }
  edit(footer)
  const start = data.offset
  serializeTCompactProtocol(data, footer as unknown as Thrift)
  data.appendUint32(data.offset - start)
  data.appendBytes(Buffer.from('PAR1'))
  return Buffer.from(data.getBytes())
}

const texts = (...values: string[]) =>
  Buffer.concat(values.map((text) => Buffer.concat([Buffer.from([text.length, 0, 0, 0]), Buffer.from(text)])))
const encodings = { plain: 0, dictionary: 8, delta: 5, prefixes: 7 }
/** DATA_PAGE of `count` values. */
const page = (body: Uint8Array, count = 2, encoding = encodings.plain, size = body.length): Page => ({
  header: {
    field_1: 0,
    field_2: size,
    field_3: body.length,
    field_5: { field_1: count, field_2: encoding, field_3: 3, field_4: 3 },
  },
  body,
})
const dictionary = (...values: string[]): Page => ({
  header: {
    field_1: 2,
    field_2: texts(...values).length,
    field_3: texts(...values).length,
    field_7: { field_1: values.length, field_2: 0 },
  },
  body: texts(...values),
})
const good = page(texts('p', 'q'))
/** An unsigned LEB128 number. */
const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
const footer = (change: (footer: Footer) => void) => file([good], {}, change)
const loadFile = (bytes: Uint8Array) =>
  loadBytes(bytes, { source: 'x', columns: { problem: 'c', answer: 'c' } })

describe('a file made by hand', () => {
  it('is read as it is written: two texts in a page', async () => {
    const { problems } = await loadFile(file([good]))
    expect(problems.map(({ answer }) => answer)).toEqual(['p', 'q'])
  })

  it('is read with a dictionary: a run of two times its second text', async () => {
    const { problems } = await loadFile(
      file([dictionary('p', 'q'), page(Buffer.from([1, 4, 1]), 2, encodings.dictionary)]),
    )
    expect(problems.map(({ answer }) => answer)).toEqual(['q', 'q'])
  })

  const bomb = gzipSync(Buffer.alloc(2 ** 24))
  const nested = (depth: number) => (f: Footer) => {
    const leaf = f.field_2.pop()!
    for (let i = 0; i < depth; i++)
      f.field_2.push({ field_3: 2, field_4: i === 0 ? 'c' : `c${i}`, field_5: 1 })
    f.field_2.push(leaf)
    f.field_4[0]!.field_1[0]!.field_3.field_3 = f.field_2.slice(1).map(({ field_4 }) => field_4)
  }
  it.each<[why: string, bytes: Uint8Array, message: RegExp]>([
    ['nothing', Buffer.alloc(0), /x: no problems/],
    ['only its first word', Buffer.from('PAR1'), /x: is not a whole Parquet file of 4 bytes \(has no room for a footer\)/],
    ['a footer longer than it', Buffer.from('PAR1\xff\xff\xff\x7fPAR1', 'latin1'), /states a footer of 2147483647 bytes/],
    ['a row group of 2^40 rows', footer((f) => { f.field_3 = f.field_4[0]!.field_3 = 2n ** 40n }), /column c: has 2 values for 1099511627776 rows/],
    ['2^40 rows and as many values', file([good], { rows: 2n ** 40n }), /column chunk ends 1099511627774 values before it should/],
    ['more rows than its groups', footer((f) => { f.field_3 = 3n }), /states 3 rows, its row groups have 2/],
    ['fewer than no rows', file([good], { rows: -2n }), /expected a count, found -2/],
    ['a column behind its end', file([good], { offset: 4000n }), /column c: lies at 4000 to/],
    ['a column of 2^60 bytes', file([good], { size: 2n ** 60n }), /bytes: expected a count/],
    ['a column of fewer than no bytes', file([good], { size: -1n }), /bytes: expected a count, found -1/],
    ['a schema with more children than it has', footer((f) => { f.field_2[0]!.field_5 = 2 ** 31 - 1 }), /the schema ends within a column/],
    ['lists nested 100 deep', footer(nested(100)), /x: has column c nested more than 64 deep, which is not read/],
    ['columns nested 2,000 deep', footer(nested(2000)), /nested more than 1024 deep/],
    ['no column chunk', footer((f) => { f.field_4[0]!.field_1 = [] }), /column c: is not there/],
    ['a codec that nothing reads', file([good], { codec: codec.lzo }), /x: is compressed with LZO, this worker reads uncompressed/],
    ['a page that states 2 GiB', file([page(texts('p', 'q'), 2, 0, 2 ** 31 - 1)], { codec: codec.gzip }), /x: has a page of 2147483647 bytes, at most 134217728 are read/],
    ['a page that states fewer than no bytes', file([page(texts('p', 'q'), 2, 0, -1)]), /a page whose header says -1 where it should say its number of bytes/],
    ['a page that inflates beyond what it states', file([page(bomb, 2, 0, 100)], { codec: codec.gzip }), /a page inflates beyond the 100 bytes that it states/],
    ['snappy that inflates beyond what it states', file([page(Buffer.from([4, 0, 65, 254, 1, 0]), 2, 0, 4)], { codec: codec.snappy }), /a page inflates beyond the 4 bytes that it states/],
    ['snappy whose length turns negative', file([page(Buffer.from([4, 252, 255, 255, 255, 255]), 2, 0, 4)], { codec: codec.snappy }), /a page inflates beyond the 4 bytes/],
    ['LZ4 that inflates beyond what it states', file([page(Buffer.from([0x1f, 65, 1, 0, 255, 255, 0]), 2, 0, 4)], { codec: codec.lz4 }), /a page inflates beyond the 4 bytes that it states/],
    ['a page of 2^31 values', file([page(texts('p'), 2 ** 31 - 1)]), /a page states 2147483647 values where there can be 2 at most/],
    ['a page of 2^31 values in a column of as many', file([page(texts('p'), 2 ** 31 - 1)], { rows: 2n ** 31n - 1n }), /x: has a page of 2147483647 values, at most 8388608 are read/],
    ['a page behind its column', file([{ header: { ...good.header, field_3: 4000 } }]), /a page of 4000 bytes, its column chunk has 0 left/],
    ['a text longer than its page', file([page(Buffer.from([255, 255, 255, 127, 65, 65]))]), /is not a whole Parquet/],
    ['a dictionary index beyond it', file([dictionary('p'), page(Buffer.from([8, 4, 7]), 2, encodings.dictionary)]), /refers to value 7 of a dictionary of 1/],
    ['dictionary indices and no dictionary', file([page(Buffer.from([1, 4, 1]), 2, encodings.dictionary)]), /refers to a dictionary, and there is none/],
    ['a run of 2^31 values', file([dictionary('p', 'q'), page(Buffer.from([1, ...varint(2 ** 32), 1]), 2, encodings.dictionary)]), /a run of 2147483648 values, 2 are left/],
    ['runs of nothing', file([dictionary('p'), page(Buffer.from([0, 0, 0, 0]), 2, encodings.dictionary)]), /ends in the middle of a value/],
    ['indices of 255 bits', file([dictionary('p'), page(Buffer.from([255, 4, 0]), 2, encodings.dictionary)]), /values of 255 bits/],
    ['differences in no parts', file([page(Buffer.from([128, 1, 0, 2, 0, 0, 0]), 2, encodings.delta)], { type: types.int64 }), /blocks of 128 values in 0 parts/],
    ['a number that does not end', file([page(Buffer.from([128, 1, 4, 2, 0, ...Array<number>(99).fill(255)]), 2, encodings.delta)], { type: types.int64 }), /a number of more than ten bytes/],
    ['a header that is not one', file([{ header: {}, body: Buffer.alloc(64, 0xff) }]), /is not a whole Parquet/],
  ])('with %s is InvalidData', async (_, bytes, message) => {
    const loading = loadFile(bytes)
    await expect(loading).rejects.toMatchObject({ name: 'InvalidData' })
    await expect(loading).rejects.toThrow(message)
  }) // prettier-ignore

  it('may not grow beyond a page by texts that begin as the one before: 1 + 2 + … + 20,000 are 200 MB', async () => {
    const count = 20_000
    // One block a list of lengths: 0, 1, 2, … (each one more than the last), and then 1, 1, 1, …
    const rising = (first: number, step: number) => {
      const block = [
        ...varint(32768),
        ...varint(4),
        ...varint(count),
        ...varint(2 * first),
        ...varint(2 * step),
      ]
      return Buffer.from([...block, 0, 0, 0, 0])
    }
    const body = Buffer.concat([rising(0, 1), rising(1, 0), Buffer.alloc(count, 65)])
    const bytes = file([page(body, count, encodings.prefixes)], { rows: BigInt(count) })
    await expect(loadFile(bytes)).rejects.toThrow('x: has a page of texts that grow beyond 134217728 bytes')
  })

  it('is not read behind the signal', async () => {
    const stopped = { ...quiet, signal: AbortSignal.abort(new Error('stopped')) }
    const columns = { problem: 'c', answer: 'c' }
    const loading = loadBytes(file([good]), { source: 'x', columns }, {}, stopped)
    await expect(loading).rejects.toThrow('stopped')
  })
})

/** One to three bytes of a file, each with a bit turned or with a byte that numbers break at. */
function mutant(bytes: Uint8Array, sample: number): Uint8Array {
  const s = stream({ seed: 13, purpose: 'fault', problem: 'parquet', sample })
  const mutated = bytes.slice()
  for (let i = 0; i <= s.below(3, 0); i++) {
    const at = s.below(bytes.length, 4 * i + 1)
    const turned = mutated[at]! ^ (1 << s.below(8, 4 * i + 2))
    mutated[at] = s.uniform(4 * i + 3) < 0.7 ? turned : [0, 127, 128, 255][s.below(4, 4 * i + 4)]!
  }
  return mutated
}

describe('a damaged file', () => {
  it('gives problems or InvalidData, whatever is turned over in it: 300 of twelve files', async () => {
    const files = [...golden('kinds'), ...golden('parquet')]
    expect(files).toHaveLength(12)
    const further = ['small', 'share', 'single', 'flag', 'day', 'price', 'code', 'messages', 'model', 'grid']
    const ends = { problems: 0, InvalidData: 0 }
    for (let i = 0; i < 300; i++) {
      const { name, bytes } = files[i % files.length]!
      const isOfKinds = bytes.length > 5000
      const own = { problem: 'question', answer: 'gold', id: 'uid' }
      const columns = isOfKinds
        ? { ...own, ...Object.fromEntries(further.map((column) => [column, column])) }
        : own
      try {
        await loadBytes(mutant(bytes, i), { source: 'x', columns })
        ends.problems += 1
      } catch (error) {
        expect({ name: (error as Error).name, i, of: name }).toEqual({ name: 'InvalidData', i, of: name })
        ends.InvalidData += 1
      }
    }
    expect(ends.problems).toBeGreaterThan(20) // many bytes are statistics, names, or texts
    expect(ends.InvalidData).toBeGreaterThan(100)
  }, 60_000)
})
