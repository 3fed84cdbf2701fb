/** Layouts that people have: what each is read as, and what is refused with what to do. */
import { readFileSync } from 'node:fs'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, it } from 'vitest'
import { findingsIn } from '../../activities/benchmarks/findings.ts'
import { ArrayItems } from '../../activities/benchmarks/array.ts'
import { expanded } from '../../activities/benchmarks/json.ts'
import { isEarnable, isPlaceholder } from '../../activities/grading/earnable.ts'
import { isReadable } from '../../activities/grading/readable.ts'
import { labelOf } from '../../activities/analysis/labelled.ts'
import { renderPrompt } from '../../activities/benchmarks/prompts.ts'
import { DataSpec } from '../../activities/contracts.ts'
import { score } from '../../activities/rewards/index.ts'
import { dataNotes } from '../../workflows/notes.ts'
import { loadBytes as loadAs, quiet } from './loading.ts'

const source = 'file:///x'
const golden = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../golden/layouts/${name}.parquet`, import.meta.url)))
const bytesOf = (from: string | Uint8Array) => (typeof from === 'string' ? Buffer.from(from) : from)
/** As a spec says it: what the schema refuses, a test may not use. */
const load = (from: string | Uint8Array, data: object = {}) =>
  loadAs(bytesOf(from), DataSpec.parse({ source, ...data }))
const golds = async (from: string | Uint8Array, data: object = {}) =>
  (await load(from, data)).problems.map(({ answer }) => answer)
const lines = (...rows: unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
const row = { problem: 'p', answer: '1' }

describe('one JSON array', () => {
  const rows = [
    { problem: '3+4*2', answer: '11' },
    { problem: 'a "[{,\\"}]', answer: '28' },
  ]
  const problems = rows.map((one, i) => ({ id: String(i + 1), ...one }))
  it.each([
    ['on one line', JSON.stringify(rows)],
    ['on many lines', JSON.stringify(rows, null, 2)],
    ['with a byte order mark and Windows line ends', `\ufeff${JSON.stringify(rows, null, 2).replaceAll('\n', '\r\n')}\r\n`],
  ])('is read %s', async (_, text) => {
    const checked = await load(text)
    expect(checked.problems).toEqual(problems)
    expect(checked.places.get('2')).toBe('file:///x, item 2')
  }) // prettier-ignore

  it('is the same wherever it is cut in reading: more than a MiB of items', async () => {
    const many = Array.from({ length: 30_000 }, (_, i) => ({ id: `é${i}`, problem: `"${i}"\\`, answer: 'a' }))
    expect((await load(JSON.stringify(many, null, 1))).problems).toEqual(many)
  })

  it('has the same items for every cut of its bytes', () => {
    const bytes = Buffer.from(' [ {"a":"}],[\\"é"} ,[1,[2]], "x\\\\", "\\\\\\"" ] ')
    const texts = (...pieces: Uint8Array[]) => {
      const items = new ArrayItems()
      const found = pieces.flatMap((piece) => items.push(piece))
      items.end()
      return found.map((item) => JSON.parse(Buffer.from(item).toString()) as unknown)
    }
    const whole = [{ a: '}],["é' }, [1, [2]], 'x\\', '\\"']
    for (let cut = 0; cut <= bytes.length; cut++)
      expect(texts(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual(whole)
  })

  it('is told apart from JSON Lines, whose first row may hold an array', async () => {
    expect((await load(lines({ tags: ['['], ...row }))).problems).toHaveLength(1)
  })

  it.each([
    ['does not end', '[{"problem":"p","answer":"1"}', 'is not one JSON array: the array does not end'],
    ['has something behind it', '[{"problem":"p","answer":"1"}]\n{"problem":"q"}', 'something stands behind the array, at byte 31'],
    ['has texts for items', '["p"]', 'x, item 1: expected an object, found string'],
    ['lacks an item', '[{"problem":"p","answer":"1"},]', 'x, item 2: is empty, expected an object'],
    ['is empty', '[ ]', 'x: no problems'],
    ['has an item of more than 16 MiB', `[{"problem":"${'a'.repeat(2 ** 24)}`, 'x, item 1: is longer than 16 MiB'],
    ['is in an object, on many lines', JSON.stringify({ version: 1, data: rows }, null, 2), `x: is one JSON object over several lines, expected an object a line (JSON Lines), one JSON array of objects, or Parquet; its rows may be in "data", a list of 2: write that list alone, as jq '.["data"]' x does`],
    ['is in an object, on one line', JSON.stringify({ data: rows }), `x:1: no column "problem", found data; its rows are in "data": write that list alone, as jq '.["data"]' x does`],
  ])('that %s is refused', async (_, text, message) => {
    const loading = load(text)
    await expect(loading).rejects.toMatchObject({ name: 'InvalidData' })
    await expect(loading).rejects.toThrow(message)
  }) // prettier-ignore
})

describe('an answer behind a mark', () => {
  const gsm8k = [
    { question: 'a', answer: '3*4=<<3*4=12>>12 pens.\nTogether 17 pens.\n#### 17' },
    { question: 'b', answer: '#### 1 is no answer yet\n1000+250=1250\n#### 1,250' },
  ]
  const columns = { problem: 'question' }
  const marked = { ...columns, answer: { column: 'answer', after: '####' } }

  it('is what stands behind its last occurrence', async () => {
    expect(await golds(lines(...gsm8k), { columns: marked })).toEqual(['17', '1250'])
    const said = [{ question: 'a', solution: 'so The answer is: x. The answer is: 1 + \\pi \n' }]
    const answer = { column: 'solution', after: 'The answer is:' }
    expect(await golds(lines(...said), { columns: { ...columns, answer } })).toEqual(['1 + \\pi'])
  })

  it('has the thousands that GSM8K writes: 1,250 is 1250, and is not 1.25', async () => {
    const [, problem] = (await load(lines(...gsm8k), { columns })).problems
    const at = { seed: 0, step: 1, problem: '2', occurrence: 0, sample: 0 }
    const value = (completion: string) => score('ground-truth', { problem: problem!, completion }, at).value
    expect(['\\boxed{1250}', '\\boxed{1,250}', '\\boxed{1.25}', '\\boxed{250}'].map(value)).toEqual([
      1, 1, 0, 0,
    ])
  })

  it('is seen without a word where every answer ends in it, and said', async () => {
    const checked = await load(lines(...gsm8k), { columns })
    expect(checked.problems.map(({ answer }) => answer)).toEqual(['17', '1250'])
    expect(dataNotes(await findingsIn(checked, quiet))).toEqual([
      'Data: all 2 answers are what stands behind their last "####"',
    ])
    expect(await findingsIn(await load(lines(...gsm8k), { columns: marked }), quiet)).not.toHaveProperty(
      'after',
    )
  })

  it('is not where one answer has none, wherever that is', async () => {
    const plain = { question: 'c', answer: '7' }
    const whole = gsm8k.map(({ answer }) => answer)
    for (const [rows, answers] of [
      [
        [...gsm8k, plain],
        [...whole, '7'],
      ],
      [
        [plain, ...gsm8k],
        ['7', ...whole],
      ],
    ] as const) {
      const checked = await load(lines(...rows), { columns })
      expect(checked.problems.map(({ answer }) => answer)).toEqual(answers)
      expect(checked.mark).toBeUndefined()
    }
  })

  it('is decided over what was chosen: by where, only, limit, or from what is not bad', async () => {
    const solved = ['2', '4'].map((n) => ({ problem: `p${n}`, answer: `so\n#### ${n}`, s: 'g' }))
    const rows = [...solved, { problem: 'q', answer: '6', s: 'm' }]
    for (const chosen of [{ where: { s: 'g' } }, { where: { s: { not: 'm' } } }, { only: ['1', '2'] }, { limit: 2 }]) {
      const { problems, mark } = await load(lines(...rows), chosen)
      expect(problems.map(({ answer }) => answer)).toEqual(['2', '4'])
      expect(mark).toBe('####')
    }
    expect(await golds(lines(...rows), { only: ['3', '1'] })).toEqual(['6', 'so\n#### 2'])
    expect(await golds(lines(...rows), { where: { s: 'm' } })).toEqual(['6'])
    const bad = lines(...solved, { problem: 'r', answer: null })
    expect(await golds(bad, { badRows: 'skip' })).toEqual(['2', '4'])
  }) // prettier-ignore

  it('that was not taken leaves a gold that no completion can be right by', async () => {
    const text = lines({ problem: 'a', answer: 'so\n#### 2' }, { problem: 'b', answer: '6' })
    expect((await findingsIn(await load(text), quiet)).never).toEqual({ count: 1, first: ['file:///x:1: "so\\n#### 2"'] })
  }) // prettier-ignore

  it('that is asked for and is not there is refused by line', async () => {
    const asking = (answer: string) => load(lines({ question: 'a', answer }), { columns: marked })
    await expect(asking('7')).rejects.toThrow('x:1: column "answer" has no "####" (columns.answer.after)')
    await expect(asking('7 #### ')).rejects.toThrow('x:1: column "answer" has nothing behind its last "####"')
  })

  it('belongs to the answer', () => {
    const { error } = DataSpec.safeParse({ source, columns: { problem: { column: 'p', after: '#' } } })
    expect(error?.issues[0]).toMatchObject({ path: ['columns', 'problem'] })
  })
})

describe('chat messages', () => {
  const system = { role: 'system', content: 'Answer in a box.' }
  const user = (content: string) => ({ role: 'user', content })
  const assistant = { role: 'assistant', content: '2' }
  const columns = { problem: 'prompt', answer: 'reward_model.ground_truth' }
  const chat = (...prompt: unknown[]) => lines({ prompt, reward_model: { ground_truth: '28' } })
  const only = async (text: string) => (await load(text, { columns })).problems[0]!

  it('of a question alone are that question', async () => {
    expect(await only(chat(user('5*6-2')))).toEqual({ id: '1', problem: '5*6-2', answer: '28' })
    const parts = [
      { type: 'text', text: '5*6' },
      { type: 'text', text: '-2' },
    ]
    expect(await only(chat({ role: 'user', content: parts }))).toMatchObject({ problem: '5*6-2' })
  })

  it('keep their system message and their turns in the prompt that a policy reads', async () => {
    const messages = [system, user('1+1'), assistant, user('5*6-2')]
    const problem = await only(chat(...messages))
    expect(problem).toEqual({ id: '1', problem: '5*6-2', answer: '28', messages })
    expect(renderPrompt('default', problem, { chat: true })).toMatchObject({ messages })
    // Another prompt words the question; its system message gives way to the problem's own.
    expect(renderPrompt('simplerl', problem, { chat: true })).toMatchObject({
      messages: [
        ...messages.slice(0, 3),
        user('5*6-2\nPlease reason step by step, and put your final answer within \\boxed{}.'),
      ],
    })
    expect(renderPrompt('plain', problem, { chat: true })).toMatchObject({
      text: 'Answer in a box.\n\n1+1\n\n2\n\n5*6-2',
    })
    const turns = await only(chat(user('1+1'), assistant, user('5*6-2')))
    expect(renderPrompt('simplerl', turns, { chat: true })).toMatchObject({
      messages: [{ role: 'system', content: 'You are a helpful assistant.' }, user('1+1'), assistant, {}],
    })
  })

  it('in Parquet as verl writes it are the same', async () => {
    const { problems } = await load(golden('verl'), { columns })
    expect(problems.map(({ problem, answer }) => [problem, answer])).toEqual(verl)
    const [asked] = problems
    expect(asked?.messages).toEqual([{ role: 'system', content: 'Think.' }, user('3+4*2')])
  })

  it.each([
    ['end in the answer', [user('1+1'), assistant], 'x:1: column "prompt" ends in a message of role "assistant", expected the user\'s question last: an answer belongs into its own column'],
    ['have other fields', [{ from: 'human', value: '1+1' }], 'message 1, has no role, found from, value; expected { "role": …, "content": … }'],
    ['have a tool', [user('1+1'), { role: 'tool', content: '' }], 'message 2, has role "tool", expected user, assistant, or system for the first'],
    ['have a system message in the middle', [user('1+1'), system, user('2')], 'message 2, has role "system"'],
    ['have an image', [{ role: 'user', content: [{ type: 'image' }] }], 'message 1, has content that is not text'],
    ['are empty', [user(' ')], 'message 1, is empty'],
    ['are none', [], 'x:1: column "prompt" is an empty list, expected messages'],
  ])('that %s are refused', async (_, messages, message) => {
    await expect(load(chat(...messages), { columns })).rejects.toThrow(message)
  }) // prettier-ignore
})

const verl = [
  ['3+4*2', '11'],
  ['5+5', '10'],
]

describe('a number for an answer', () => {
  const written = (answer: string) => `{"problem":"p","answer":${answer}}`
  it.each([
    ['0.5', '0.5'], ['2.50', '2.5'], ['-7', '-7'], ['5.0', '5'], ['1e3', '1000'], ['1e-7', '0.0000001'],
    ['9007199254740993', '9007199254740993'], ['-12345678901234567890', '-12345678901234567890'],
    ['3.14159265358979323846', '3.14159265358979323846'], ['1.5e20', '150000000000000000000'],
    ['12345678.1234567891', '12345678.1234567891'],
    ['0e-9', '0'], ['1e-400', `0.${'0'.repeat(399)}1`], ['1e-500', '1e-500'], ['12345e-324', `0.${'0'.repeat(319)}12345`],
  ])('%s in JSON is the text %s', async (number, text) => {
    expect(await golds(written(number))).toEqual([text])
    expect(await golds(`[\n${written(number)}\n]`)).toEqual([text])
  }) // prettier-ignore

  it('is never taken from half of a character, nor from one that begins with it', async () => {
    const number = '12345678901234567890'
    const half = `{"problem":"p","answer":"\\udbff12","n":${number}}`
    await expect(load(half)).rejects.toThrow('x:1: column "answer" holds half of a character')
    for (const from of ['', '0:', '1:']) {
      const text = `{"problem":"\\udbff\\udc00${from}5","answer":${number},"also":["\\udbff0:1"]}`
      expect((await load(text)).problems[0]).toMatchObject({ problem: `\udbff\udc00${from}5`, answer: number })
    }
    await expect(load(`{"problem":"p","answer":"\\udbff0:12","n":${number}}`)).rejects.toThrow('half of a character')
  }) // prettier-ignore

  it('is never found in a text', async () => {
    const text = 'is 12345678901234567890 = \\"9007199254740993\\"?'
    const { problems } = await load(
      `{"problem":"${text}","answer":9007199254740993,"id":12345678901234567891}`,
    )
    expect(problems).toEqual([
      { id: '12345678901234567891', problem: text.replaceAll('\\"', '"'), answer: '9007199254740993' },
    ])
  })

  it.each([
    ['1.5e3', '1500'], ['25e-1', '2.5'], ['0.05e1', '0.5'], ['0.5e1', '5'], ['12.50e1', '125'], ['-1E-2', '-0.01'], ['7', '7'], ['0e5', '0'],
  ])('%s without its exponent is %s', (number, text) => expect(expanded(number)).toBe(text)) // prettier-ignore

  it('of Parquet is the shortest decimal of its own precision', async () => {
    const columnData = (type: 'FLOAT' | 'DOUBLE', data: number[]) => [
      { name: 'problem', data: data.map(String), type: 'STRING' as const },
      { name: 'answer', data, type },
    ]
    const read = (type: 'FLOAT' | 'DOUBLE', data: number[]) =>
      golds(new Uint8Array(parquetWriteBuffer({ columnData: columnData(type, data) })))
    expect(await read('FLOAT', [0.1, 0.5, 3, 1 / 3])).toEqual(['0.1', '0.5', '3', '0.33333334'])
    expect(await read('DOUBLE', [0.1, 2 ** -14, 3])).toEqual(['0.1', '0.00006103515625', '3'])
    const cents = { name: 'answer', data: [0.57, 2.5, -0.07] }
    const decimal = parquetWriteBuffer({
      columnData: [{ name: 'problem', data: ['a', 'b', 'c'] }, cents],
      schema: [
        { name: 'root', num_children: 2 },
        { name: 'problem', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
        {
          name: 'answer',
          type: 'INT32',
          converted_type: 'DECIMAL',
          precision: 5,
          scale: 2,
          repetition_type: 'REQUIRED',
        },
      ],
    })
    expect(await golds(new Uint8Array(decimal))).toEqual(['0.57', '2.5', '-0.07']) // 57 x 0.01 is not 0.57
    await expect(read('DOUBLE', [1e20])).rejects.toThrow(
      'is 100000000000000000000, which a double does not hold',
    )
  })
})

describe('several answers', () => {
  it('are a list: any of them counts', async () => {
    const [problem] = (await load(lines({ problem: 'x^2=4', answer: ['2', '-2', 2, 0.5] }))).problems
    expect(problem).toEqual({ id: '1', problem: 'x^2=4', answer: '2', answers: ['2', '-2', '0.5'] })
    const at = { seed: 0, step: 1, problem: '1', occurrence: 0, sample: 0 }
    const judged = (text: string) => score('ground-truth', { problem: problem!, completion: text }, at)
    expect(['\\boxed{2}', '\\boxed{-2}', '\\boxed{1/2}', '\\boxed{3}', 'no box'].map((text) => judged(text).verdict)).toEqual([
      'correct', 'correct', 'correct', 'incorrect', 'unparsed',
    ]) // prettier-ignore
    expect(labelOf('1', ['2', '-2'], ['-2', '-2', '2'], 'equivalent')).toMatchObject({ label: '-2', verdict: 'correct' })
    expect(labelOf('1', ['2', '-2'], ['3'], 'equivalent')).toMatchObject({ verdict: 'incorrect' })
  }) // prettier-ignore

  it('of which there is one are that answer', async () => {
    expect((await load(lines({ problem: 'p', answer: ['2', '2'] }))).problems).toEqual([{ id: '1', problem: 'p', answer: '2' }])
  }) // prettier-ignore

  it.each([
    ['[]', 'x:1: column "answer" is an empty list, expected an answer in it'],
    ['["2", null]', 'x:1: column "answer", item 2, is null, expected text, a number or a list of them'],
    ['["2", " "]', 'x:1: column "answer", item 2, is empty'],
    ['[["2"]]', 'x:1: column "answer", item 1, is a list, expected'],
    ['{"value": 2}', 'x:1: column "answer" is object, expected text, a number or a list of them'],
  ])('as %s are refused', async (answer, message) => {
    await expect(load(`{"problem":"p","answer":${answer}}`)).rejects.toThrow(message)
  })

  it('that differ are another answer to the same statement', async () => {
    const text = lines({ problem: 'p', answer: ['1', '2'] }, { problem: 'p', answer: ['1', '3'] })
    await expect(load(text, { duplicates: 'drop' })).rejects.toThrow('with another answer')
  })

  it('are the same in any order', async () => {
    const text = lines({ problem: 'p', answer: ['1', '2'] }, { problem: 'p', answer: ['2', '1'] })
    const first = ['file:///x:2: as file:///x:1']
    expect((await load(text, { duplicates: 'drop' })).dropped).toEqual({ count: 1, first })
    expect((await findingsIn(await load(text), quiet)).duplicates).toEqual({ count: 1, first })
  })
})

describe('a filter that excludes', () => {
  const rows = ['a', 'b', 'c'].map((from, i) => ({ problem: from, answer: String(i), from }))
  const text = lines(...rows, { problem: 'd', answer: '3' })
  const kept = async (where: object) => (await load(text, { where })).problems.map(({ problem }) => problem)

  it('leaves what has one of its values out, and keeps what has no such column', async () => {
    expect(await kept({ from: { not: 'a' } })).toEqual(['b', 'c', 'd'])
    expect(await kept({ from: { not: ['a', 'c'] } })).toEqual(['b', 'd'])
    expect(await kept({ from: ['a', 'b'], answer: { not: [1] } })).toEqual(['a'])
  })

  it('that excludes nothing, or all, is an error', async () => {
    await expect(kept({ from: { not: 'z' } })).rejects.toThrow(
      'where.from: {"not":"z"} leaves out none of 4 problems',
    )
    await expect(kept({ answer: { not: [0, 1, 2, 3] } })).rejects.toThrow('none of 4 problems')
    await expect(kept({ form: { not: 'a' } })).rejects.toThrow('no column "form"')
  })
})

describe('bad rows that are skipped', () => {
  const skipped = (text: string, more: object = {}) => load(text, { badRows: 'skip', ...more })
  const good = (problem: string, more: object = {}) => JSON.stringify({ problem, answer: '1', ...more })
  const ids = ({ problems }: { readonly problems: readonly { readonly id: string }[] }) => problems.map(({ id }) => id)

  it('are rows: an id is the number of its row, which `only` asks for', async () => {
    const rows = [good('a'), '{"problem":"b"', good('c'), '7', good('e')]
    for (const text of [rows.join('\n'), `[${rows.with(1, '{"problem":"b"}').join(',')}]`]) {
      expect(ids(await skipped(text))).toEqual(['1', '3', '5'])
      expect((await skipped(text, { only: ['3'] })).problems.map(({ problem }) => problem)).toEqual(['c'])
      await expect(skipped(text, { only: ['2'] })).rejects.toThrow('only: no problem "2" among 3')
    }
  })

  it('are no matter where a filter leaves them out, in either of its forms', async () => {
    const text = [good('a', { s: 'g' }), '{"problem":"b","answer":null,"s":"m"}', good('c', { s: 'g' })].join('\n')
    for (const s of ['g', { not: 'm' }] as const) {
      expect(ids(await load(text, { where: { s } }))).toEqual(['1', '3'])
      expect((await skipped(text, { where: { s } })).skipped).toEqual({ count: 0, first: [] })
    }
    await expect(load(text, { where: { s: 'm' } })).rejects.toThrow('x:2: column "answer" is null')
  })

  it('are those without an id where a later row has one', async () => {
    const text = [good('a'), good('b'), good('c', { id: 'k' }), good('d', { id: 'l' })].join('\n')
    const checked = await skipped(text)
    expect(ids(checked)).toEqual(['k', 'l'])
    expect(checked.skipped?.count).toBe(2)
    expect(checked.skipped?.first[0]).toBe('file:///x:1: no column "id", found problem, answer')
    await expect(load(text)).rejects.toThrow('x:1: no column "id"')
  })

  it('take no id and no statement from a later row, and are named where two golds differ', async () => {
    const twice = lines({ id: 'a', problem: 'p', answer: null }, { id: 'a', problem: 'p', answer: '1' })
    expect((await skipped(twice)).problems).toEqual([{ id: 'a', problem: 'p', answer: '1' }])
    const rows = lines({ id: 'a', problem: 'p', answer: '1' }, { id: 'a', problem: 'q', answer: '2' }, { id: 'b', problem: 'q', answer: '2' }, { id: 'c', problem: 'p', answer: '3' })
    const checked = await skipped(rows, { duplicates: 'drop' })
    expect(ids(checked)).toEqual(['a', 'b'])
    expect(checked.skipped).toEqual({
      count: 2,
      first: ['file:///x:2: its id is already at file:///x:1', 'file:///x:4: has the statement of file:///x:1 with another answer'],
    })
  })
}) // prettier-ignore

describe('bad rows', () => {
  const text = [
    JSON.stringify(row),
    '{"problem":"p","answer":NaN}',
    '{"problem":"p","answer":null}',
    '{"problem":"p"',
    JSON.stringify({ ...row, problem: 'q' }),
    ...Array.from({ length: 10 }, () => '{"problem":"p","answer":" "}'),
  ].join('\n')

  it('are refused by line, five of them with what to do', async () => {
    await expect(load(text)).rejects.toThrow(
      'x:2: not JSON, which has no NaN: write null, or leave the row out; ' +
        'file:///x:3: column "answer" is null, expected text, a number or a list of them; ' +
        'file:///x:4: not JSON (its end (line 1, column 15): expected , or }); file:///x:6: column "answer" is empty; ' +
        'file:///x:7: column "answer" is empty; and 8 more ("badRows": "skip" leaves such rows out)',
    )
  })

  it.each([{}, { badRows: 'skip' }])(
    'of a file in another format are that format, and no bad rows: %j',
    async (data) => {
      await expect(load('problem,answer\n1+1,2\n2+2,4\n', data)).rejects.toThrow(
        /^file:\/\/\/x: expected JSON Lines, one JSON array or Parquet, found another format \(file:\/\/\/x:1: not JSON \(.*\)\)$/,
      )
    },
  )

  it('are skipped where the spec says so: counted, with the first ten places', async () => {
    const checked = await load(text, { badRows: 'skip' })
    expect(checked.problems.map(({ problem }) => problem)).toEqual(['p', 'q'])
    expect(checked.skipped?.count).toBe(13)
    expect(checked.skipped?.first).toHaveLength(10)
    const [note] = dataNotes(await findingsIn(checked, quiet))
    expect(note).toMatch(/^Data: 13 rows were skipped \(file:\/\/\/x:2: not JSON, .*; …\)$/)
  })

  it('of an array are skipped too, and of Parquet: a cell that is NaN', async () => {
    const array = '[{"problem":"p","answer":"1"},{"problem":"p","answer":NaN}]'
    expect((await load(array, { badRows: 'skip' })).skipped?.count).toBe(1)
    const nan = load(golden('nan'))
    await expect(nan).rejects.toMatchObject({ name: 'InvalidData' })
    await expect(nan).rejects.toThrow(/column "answer" is NaN, expected text, a number or a list of them/)
    const left = await load(golden('nan'), { badRows: 'skip' })
    expect(left.skipped?.count).toBe(1)
    expect(left.problems.map(({ problem, answer }) => `${problem} = ${answer}`)).toEqual([
      '1+1 = 2',
      '1+3 = 4',
    ])
  })

  it('that are all there is are refused', async () => {
    await expect(load('{"problem":"p","answer":""}', { badRows: 'skip' })).rejects.toThrow('is empty')
  })

  it('quote nothing of what is no JSON', async () => {
    const secret = 'AKIA-not-a-problem'
    await expect(load(`${secret}\n`)).rejects.not.toThrow(secret)
  })
})

describe('answers that nobody can give', () => {
  it.each(['proof', 'Proof.', 'notfound', 'not found', '\\text{proof}', 'NaN', 'N/A', '-', 'null'])(
    '%s says that there is none',
    (gold) => expect([isPlaceholder(gold), isEarnable(gold)]).toEqual([true, false]),
  )

  it.each([
    '7',
    'na',
    'none',
    'no solution',
    '\\emptyset',
    'undefined',
    'B',
    '-1',
    'k!',
    'north',
    '\\frac{1}{2}',
    '7\n',
    '\\begin{pmatrix} 1 \\\\\n 2 \\end{pmatrix}',
  ])('%s is one that can be given', (gold) =>
    expect([isPlaceholder(gold), isEarnable(gold)]).toEqual([false, true]),
  )

  it.each(['3*4=12 pens in rows.\n12+5=17 pens.', 'so\n#### 2', '#### 2', 'It is so\nbecause it is'])(
    '%j is a solution, which no box holds',
    (gold) => expect(isEarnable(gold)).toBe(false),
  )

  it('that are words are compared as text only where they are more than 20', () => {
    const words = (n: number) => Array.from({ length: n }, () => 'word').join(' ')
    expect([isReadable(words(20)), isReadable(words(21))]).toEqual([true, false])
  })

  it('are found among the problems, with their places', async () => {
    const text = lines(
      { problem: 'Show it.', answer: 'proof' },
      { problem: '3+4', answer: '7' },
      { problem: 'n^2+n', answer: 'notfound' },
      { problem: '2 or 3?', answer: 'B' },
      { problem: 'a', answer: 'x}y' },
    )
    const found = await findingsIn(await load(text), quiet)
    const placeholders = { count: 2, first: ['file:///x:1: "proof"', 'file:///x:3: "notfound"'] }
    expect(found.placeholders).toEqual(placeholders)
    expect(found.never).toEqual({ count: 3, first: [...placeholders.first, 'file:///x:5: "x}y"'] })
    expect(dataNotes(found)[0]).toContain(
      '2 answers say that there is none (file:///x:1: "proof"; file:///x:3: "notfound")',
    )
  })
})
