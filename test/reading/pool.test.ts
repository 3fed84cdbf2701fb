/** What the reader promises whoever shares it: others go on, and nothing is left of what was stopped. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { openReader } from '../../activities/reading/pool.ts'
import type { AskedProblem, Reader } from '../../activities/reading/reader.ts'
import { edited, filesOf, nanoFolder, textsOf } from './folder.ts'
import { control } from './shared.ts'

const good = nanoFolder({})
/** Each of its texts with a run of letters is looked at for ever. */
const endless = nanoFolder({
  'tokenizer.json': edited((json) => {
    json.pre_tokenizer = { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated' }
  }),
})
const readers: Reader[] = []
const opened = (options: Parameters<typeof openReader>[0]) => {
  const reader = openReader(options)
  readers.push(reader)
  return reader
}
afterAll(async () => {
  for (const reader of readers) await reader.close()
  for (const folder of [good, endless]) rmSync(folder, { recursive: true })
})

const model = (reader: Reader, folder: string, signal = control.signal) =>
  reader.ask('model', 'model m', { files: filesOf(folder) }, { ...control, signal })

/** Processes whose parent is this one and that run the reader's code, as the system lists them. */
const children = (parent: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        const isChild = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent
        return isChild && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('reading/child.mjs')
      } catch {
        return false // it has ended meanwhile
      }
    })
const isThere = (pid: number) => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
const gone = (pids: readonly number[]) =>
  vi.waitFor(() => expect(pids.filter(isThere)).toEqual([]), { timeout: 10_000 })

describe('while a request never ends', () => {
  it('others are answered and this process goes on; once aborted, its process is gone', async () => {
    const reader = opened({ patience: 100 })
    const order: string[] = []
    const before = children(process.pid)
    const stopping = new AbortController()
    const hanging = model(reader, endless, stopping.signal).catch((error: Error) => error.message)
    await vi.waitFor(() => expect(children(process.pid).length).toBe(before.length + 1))
    const own = children(process.pid).filter((pid) => !before.includes(pid))
    void hanging.then(() => order.push('the endless one'))
    await model(reader, good)
    order.push('another')
    await new Promise((resolve) => setImmediate(resolve))
    order.push('the event loop')
    stopping.abort(new Error('cancelled'))
    expect(await hanging).toBe('cancelled')
    expect(order).toEqual(['another', 'the event loop', 'the endless one'])
    await gone(own)
    // Its place is free again: two more are read at once.
    await Promise.all([model(reader, good), model(reader, good)])
  })

  it('what waits for its process is read in turn, or aborted where it waits', async () => {
    const reader = opened({ processes: 1, patience: 100 })
    const [stopping, waiting] = [new AbortController(), new AbortController()]
    const hanging = model(reader, endless, stopping.signal).catch((error: Error) => error.message)
    const second = model(reader, good, waiting.signal).catch((error: Error) => error.message)
    const third = model(reader, good)
    waiting.abort(new Error('not wanted any more'))
    expect(await second).toBe('not wanted any more')
    stopping.abort(new Error('cancelled'))
    expect(await hanging).toBe('cancelled')
    expect(await third).toEqual({ notes: [], written: [] })
  })
})

describe('a reading process', () => {
  it('gets no credential of the worker, and ends when nobody has asked it for a while', async () => {
    const before = children(process.pid)
    vi.stubEnv('HF_TOKEN', 'hf_secret')
    const reader = opened({ idleMs: 500 })
    await model(reader, good)
    const own = children(process.pid).filter((pid) => !before.includes(pid))
    expect(own).toHaveLength(1)
    expect(readFileSync(`/proc/${own[0]}/environ`, 'utf8')).not.toContain('hf_secret')
    vi.unstubAllEnvs()
    await gone(own)
  })

  it('that ends by itself fails its request as ReaderLost, and the next one has another', async () => {
    const before = children(process.pid)
    const reader = opened({ patience: 100 })
    const hanging = model(reader, endless).catch((error: Error) => error)
    const own = await vi.waitFor(() => {
      const found = children(process.pid).filter((pid) => !before.includes(pid))
      expect(found).toHaveLength(1)
      return found
    })
    for (const pid of own) process.kill(pid, 'SIGKILL')
    expect(await hanging).toMatchObject({ name: 'ReaderLost', message: /^model m: .*\(SIGKILL\)/ })
    expect(await model(reader, good)).toEqual({ notes: [], written: [] })
  })

  it('ends with its worker, which was killed, although it is stuck', async () => {
    const script = join(import.meta.dirname, 'orphan.ts')
    const worker = spawn(process.execPath, ['--import', 'tsx', script, endless], { stdio: 'ignore' })
    const pids = await vi.waitFor(
      () => {
        const found = children(worker.pid ?? 0)
        expect(found).toHaveLength(1)
        return found
      },
      { timeout: 30_000 },
    )
    await new Promise((resolve) => setTimeout(resolve, 3000)) // by then its main thread is stuck
    expect(pids.every(isThere)).toBe(true)
    worker.kill('SIGKILL')
    await gone(pids)
  })
})

describe('prompts', () => {
  const problems: AskedProblem[] = [{ id: 'p', problem: 'calc  1+2*3\n' }]
  const ask = (reader: Reader, folder: string, prompt = 'plain', asked = problems) =>
    reader.ask(
      'prompts',
      `prompt "${prompt}"`,
      { tokenizer: textsOf(folder), prompt, problems: asked },
      control,
    )
  const reader = opened({})

  it('are the texts and their tokens: letters from 15, digits from 5, a blank is 4, a new line 3', async () => {
    const [prompt] = await ask(reader, good)
    expect(prompt).toEqual({
      text: 'calc  1+2*3\n',
      tokens: [17, 15, 26, 17, 4, 4, 6, 41, 7, 43, 8, 3],
      stop: [],
    })
  })

  it('that the chat template refuses are PromptRefused, without its words; plain ones need no template', async () => {
    const raising = nanoFolder({ 'chat_template.jinja': '{{ raise_exception("No " + messages[0].role) }}' })
    await expect(ask(reader, raising, 'default')).rejects.toMatchObject({
      name: 'PromptRefused',
      message: 'chat_template.jinja: the chat template refuses (user): it raises an exception',
    })
    const calling = nanoFolder({ 'chat_template.jinja': '{{ messages[0].content.nothing() }}' })
    await expect(ask(reader, calling, 'default')).rejects.toMatchObject({ name: 'PromptRefused' })
    expect(await ask(reader, raising)).toHaveLength(1)
    for (const folder of [raising, calling]) rmSync(folder, { recursive: true })
  })

  it('have all messages of a problem in their template', async () => {
    const counting = nanoFolder({ 'chat_template.jinja': '{{ messages|length }}{{ messages[0].content }}' })
    const messages = [
      { role: 'system' as const, content: '7' },
      { role: 'user' as const, content: '1' },
    ]
    const [prompt] = await ask(reader, counting, 'default', [{ id: 'p', problem: '1', messages }])
    expect(prompt?.text).toBe('27')
    rmSync(counting, { recursive: true })
  })

  it('that use an added token without a row are CorruptModel; others of that model are read', async () => {
    const added = nanoFolder({
      'tokenizer.json': edited((json) => json.added_tokens.push({ id: 64, content: '<|x|>', special: true })),
    })
    expect(await ask(reader, added)).toHaveLength(1)
    await expect(ask(reader, added, '<|x|>{problem}')).rejects.toMatchObject({
      name: 'CorruptModel',
      message: /token "<\|x\|>" has id 64, the embedding of config\.json has 64 rows/,
    })
    rmSync(added, { recursive: true })
  })

  it('that leave no room for an answer are PromptTooLong: 512 letters for 512 positions', async () => {
    const long = [{ id: 'long', problem: 'a'.repeat(512) }]
    await expect(ask(reader, good, 'plain', long)).rejects.toMatchObject({
      name: 'PromptTooLong',
      message: 'problem "long": expected fewer tokens than the model\'s 512 positions, found 512',
    })
  })

  it('that take for ever are ReadingTimedOut, and the problem is named', async () => {
    const hasty = opened({ patience: 0.25 })
    expect(await ask(hasty, good)).toHaveLength(1)
    const hostile = [...problems, { id: 'q', problem: `${'a'.repeat(200)}!` }]
    await expect(ask(hasty, endless, 'plain', hostile)).rejects.toMatchObject({
      name: 'ReadingTimedOut',
      message: 'prompt "plain": problem "q": no answer within 2 s',
    })
  })
})
