import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { schemaFiles, schemaFolder } from '../../infra/schemas.ts'

it('examples/schemas holds the schemas of the specs as they are now (else: npm run schemas)', async () => {
  const names = (await readdir(schemaFolder)).sort()
  const stored = await Promise.all(
    names.map(async (name) => [name, await readFile(join(schemaFolder, name), 'utf8')] as const),
  )
  expect(Object.fromEntries(stored)).toEqual(Object.fromEntries(schemaFiles()))
})

it('a schema forbids unknown keys and requires nothing that has a preset', () => {
  const train = JSON.parse(schemaFiles().get('train.json') ?? '') as Record<string, unknown>
  expect(train['additionalProperties']).toBe(false)
  expect(train['required']).toBeUndefined()
})
