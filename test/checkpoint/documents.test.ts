import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { commit, readDocument, requireDocument } from '../../activities/checkpoint/documents.ts'
import { openStore } from '../../activities/checkpoint/open.ts'
import { CorruptObject, NotFound, type Store } from '../../activities/checkpoint/store.ts'

const Schema = z.strictObject({ format: z.literal(1), at: z.strictObject({ step: z.int() }) })
let folder: string
let store: Store
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-documents-'))
  store = await openStore(pathToFileURL(folder).href)
})
afterAll(() => rm(folder, { recursive: true }))

test('the first document committed wins, and every writer gets it', async () => {
  expect(await commit(store, 'a.json', Schema, { format: 1, at: { step: 1 } })).toEqual({
    format: 1,
    at: { step: 1 },
  })
  expect(await commit(store, 'a.json', Schema, { format: 1, at: { step: 2 } })).toEqual({
    format: 1,
    at: { step: 1 },
  })
  expect(new TextDecoder().decode(await store.get('a.json'))).toBe('{"at":{"step":1},"format":1}')
})

test('a document that is not there is null, or NotFound where it is required', async () => {
  expect(await readDocument(store, 'absent.json', Schema)).toBeNull()
  await expect(requireDocument(store, 'absent.json', Schema)).rejects.toThrow(NotFound)
})

test.each([
  ['cut off', '{"format":1,"at":{"st', /b\.json is not JSON \(21 bytes\)/],
  ['that is not UTF-8', Buffer.from([0x22, 0xff, 0x22]), /b\.json is not JSON/],
  ['of a later format', '{"format":2,"at":{"step":1}}', /b\.json does not fit its schema: format: /],
  ['with a wrong type', '{"format":1,"at":{"step":"1"}}', /at\.step: .*expected/],
  [
    'with an unknown key',
    '{"format":1,"at":{"step":1,"stop":1}}',
    /at.stop: expected one of "step", found an unknown key/,
  ],
])('a document %s is CorruptObject, naming key and path', async (_, text, message) => {
  await store.replace('b.json', Buffer.from(text))
  await expect(readDocument(store, 'b.json', Schema)).rejects.toThrow(CorruptObject)
  await expect(readDocument(store, 'b.json', Schema)).rejects.toThrow(message)
})

test('a document that does not fit its own schema is not written', async () => {
  await expect(commit(store, 'c.json', Schema, { format: 1, at: { step: 0.5 } })).rejects.toThrow(z.ZodError)
  expect(await store.head('c.json')).toBeNull()
})
