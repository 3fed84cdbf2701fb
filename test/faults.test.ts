/** The table of faults is total, and what is in no table is judged by what it is. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { faults, permanenceOf } from '../activities/contracts/faults.ts'
import { errorOf, isPassing, permanenceOfError, plainOf, revived } from '../activities/faults/nature.ts'
import { placeOf } from '../activities/faults/words.ts'

const project = fileURLToPath(new URL('..', import.meta.url))

/** Every class of errors in the program's sources: its name, its parent's, the name it says it has, whether others see it. */
async function errorClasses() {
  const names = await Promise.all(['activities', 'infra', 'workflows'].map(async (folder) => {
    const files = await readdir(join(project, folder), { recursive: true })
    return files.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name))
  })) // prettier-ignore
  const declared = await Promise.all(
    names.flat().map(async (file) => {
      const text = await readFile(join(project, file), 'utf8')
      const found = text.matchAll(/^(export )?(?:abstract )?class (\w+) extends ([\w.]+)[^{]*\{([^}]*)\}/gm)
      return [...found].map(([, exported, name = '', parent = '', body = '']) => {
        const said = /override readonly name(?:: string)? = '(\w+)'/.exec(body)?.[1] ?? null
        return { file, name, parent, said, isExported: exported !== undefined }
      })
    }),
  )
  const all = declared.flat()
  const byName = new Map(all.map((one) => [one.name, one]))
  const isError = (name: string): boolean =>
    /Error$/.test(name) || (byName.has(name) && isError(byName.get(name)?.parent ?? ''))
  return all.filter(({ parent }) => isError(parent))
}

describe('every class of errors of the program', () => {
  it('has its own name, or its parent’s, in the table: by the sources', async () => {
    const classes = await errorClasses()
    expect(classes.length).toBeGreaterThan(20)
    const said = new Map(classes.map((one) => [one.name, one.said]))
    const parents = new Map(classes.map((one) => [one.name, one.parent]))
    const nameOf = (name: string): string => said.get(name) ?? nameOf(parents.get(name) ?? 'Error')
    said.set('Error', 'Error')
    const unknown = classes.filter(({ name }) => !Object.hasOwn(faults, nameOf(name)))
    expect(unknown.map(({ file, name }) => `${file}: ${name} is called ${nameOf(name)}`)).toEqual([])
  })

  it('says that name when it is thrown', async () => {
    const classes = (await errorClasses()).filter(({ isExported }) => isExported)
    expect(classes.length).toBeGreaterThan(18)
    for (const { file, name } of classes) {
      const module = (await import(pathToFileURL(join(project, file)).href)) as Record<string, unknown>
      const Fault = module[name] as new (message: string, more?: number) => Error
      expect(Object.keys(faults), `${file}: ${name}`).toContain(new Fault('x', 1).name)
    }
  })

  it('is named by no name that JavaScript gives: those are judged by what they are', () => {
    const generic = [
      'Error',
      'TypeError',
      'RangeError',
      'SyntaxError',
      'URIError',
      'AggregateError',
      'AbortError',
    ]
    expect(generic.filter((name) => Object.hasOwn(faults, name))).toEqual([])
    expect(permanenceOf('toString')).toBe('limited')
    expect(permanenceOf('constructor')).toBe('limited')
  })
})

const thrownBy = (body: () => unknown): Error => {
  try {
    body()
  } catch (error) {
    return errorOf(error)
  }
  throw new Error('expected an error')
}
const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)])
const withCode = (code: string, message = code) => Object.assign(new Error(message), { code })
const of = (fields: object, message = 'x') => Object.assign(new Error(message), fields)

describe('an error without a name of ours', () => {
  it.each<[what: string, error: Error]>([
    ['a template that raises', new Error('strftime_now is not defined')],
    ['an index that is cut in the middle', thrownBy(() => JSON.parse('{"weight_map": {"a"') as unknown)],
    ['%2F where a path is decoded', thrownBy(() => decodeURIComponent('%2'))],
    ['a file:// address with %2F', thrownBy(() => fileURLToPath('file:///a%2Fb'))],
    ['a header of null', thrownBy(() => Object.entries(null as unknown as object))],
    ['a template of [null]', thrownBy(() => ([null] as unknown as { a: string }[])[0]!.a.length)],
    ['an array of no possible length', thrownBy(() => new Float32Array(-1))],
    ['nesting that no stack holds', thrownBy(() => deep(1e6))],
    ['a file that is not there', withCode('ENOENT')],
    ['a folder in its place', withCode('EISDIR')],
    ['a file that may not be read', withCode('EACCES')],
    ['a refusal of a server', of({ statusCode: 404 })],
    ['a refusal of a store', of({ $metadata: { httpStatusCode: 403 } })],
    ['an address that cannot be one', new TypeError('fetch failed', { cause: new Error('bad port') })],
    ['a certificate of another', new TypeError('fetch failed', { cause: withCode('ERR_TLS_CERT_ALTNAME_INVALID') })],
    ['a request that is wrong in itself', withCode('UND_ERR_INVALID_ARG')],
    ['an exit status, which is no HTTP status', of({ status: 1 })],
    ['a number that is no status of gRPC', of({ code: 14 })],
    ['a refusal of Temporal (NOT_FOUND)', of({ code: 5, details: '', metadata: {} })],
    ['memory of a thread that is used up', withCode('ERR_WORKER_OUT_OF_MEMORY')],
    ['its own cause', (() => { const error = new Error('x'); error.cause = error; return error })()],
  ])('is tried three times: %s', (_, error) => {
    expect(permanenceOfError(error)).toBe('limited')
  }) // prettier-ignore

  it.each<[what: string, error: Error]>([
    ...[
      'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH',
      'ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EBUSY', 'EAGAIN', 'EIO', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT',
    ].map((code): [string, Error] => [code, withCode(code)]),
    ...[408, 425, 429, 500, 502, 503, 504].map((status): [string, Error] => [`HTTP ${status}`, of({ statusCode: status })]),
    ['a status of a store', of({ $metadata: { httpStatusCode: 503 } })],
    ['a status of a response', of({ response: { status: 503 } })],
    ['a closed socket, as fetch says it', new TypeError('fetch failed', { cause: withCode('UND_ERR_SOCKET', 'other side closed') })],
    ['a body cut short', new TypeError('terminated', { cause: withCode('UND_ERR_SOCKET') })],
    ['a closed socket whose cause is lost', new TypeError('fetch failed')],
    ['every address refused', new TypeError('fetch failed', { cause: new AggregateError([withCode('ECONNREFUSED')]) })],
    ['a cause of a cause', new Error('a', { cause: new Error('b', { cause: withCode('ECONNRESET') }) })],
    ['an answer that is no HTTP', withCode('HPE_INVALID_CONSTANT')],
    ['a stream that ended early', withCode('ERR_STREAM_PREMATURE_CLOSE')],
    ['a time-out', new DOMException('late', 'TimeoutError')],
    ['what was given up', new DOMException('aborted', 'AbortError')],
    ['Temporal that does not answer', new Error('Failed to describe', { cause: of({ code: 14, details: '', metadata: {} }) })],
  ])('passes: %s', (_, error) => {
    expect(permanenceOfError(error)).toBe('passing')
  }) // prettier-ignore

  it('is judged by its name where that is one of ours, whatever caused it', () => {
    const cause = withCode('ECONNRESET')
    const named = (name: string) => Object.assign(new Error('x', { cause }), { name })
    expect(permanenceOfError(named('InvalidData'))).toBe('permanent')
    expect(permanenceOfError(named('WrongStore'))).toBe('handed-back')
    expect(permanenceOfError(named('StateLost'))).toBe('limited')
    expect(permanenceOfError(named('StoreError'))).toBe('passing')
  })
})

describe('an error that crosses from a thread or a process', () => {
  const across = (thrown: unknown) => revived(structuredClone(plainOf(thrown)))
  it('is what it was: its name, its words, and whether it passes', () => {
    const full = across(new Error('write', { cause: withCode('ENOSPC') }))
    expect(full).toMatchObject({ name: 'Error', message: 'write', code: 'ENOSPC' })
    expect(isPassing(full)).toBe(true)
    expect(permanenceOfError(across(new TypeError('x')))).toBe('limited')
    expect(permanenceOfError(across(of({ statusCode: 503 })))).toBe('passing')
    expect(across(Object.assign(new Error('NaN'), { name: 'NonFiniteLoss' }))).toMatchObject({
      name: 'NonFiniteLoss',
    })
  })

  it('keeps the place where it happened', () => {
    expect(placeOf(across(new Error('x')))).toMatch(/^test\/faults\.test\.ts:\d+$/)
    expect(placeOf(of({ stack: 'Error: x\n    at node:internal/fs:1:1' }))).toBeNull()
  })

  it('may be anything that can be thrown', () => {
    for (const thrown of [
      'text',
      7,
      null,
      undefined,
      { message: 'm', name: 'Own' },
      () => 1,
      Symbol('s'),
      1n,
    ])
      expect(across(thrown)).toBeInstanceOf(Error)
    expect(across({ message: 'm', name: 'Own' })).toMatchObject({ name: 'Own', message: 'm' })
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    expect(across(circular).message).toBe('something that cannot be written down was thrown')
  })
})
