/** The workflows' bundle: whole, made once a version, and the error of one that cannot be made. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { workflowBundle } from '../../infra/bundle.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-bundle-'))
  vi.stubEnv('XDG_CACHE_HOME', folder)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, force: true })
})

it('is made once by whoever comes first, and found by the others', async () => {
  const [one, two] = await Promise.all([workflowBundle(), workflowBundle()])
  expect(two).toEqual(one)
  expect(one.codePath.startsWith(join(folder, 'placebo', 'workflows'))).toBe(true)
  const code = await readFile(one.codePath, 'utf8')
  for (const workflow of ['train', 'sweep', 'evaluate', 'gc']) expect(code).toContain(workflow)
  const { mtimeMs } = await stat(one.codePath)
  expect(await workflowBundle()).toEqual(one)
  expect((await stat(one.codePath)).mtimeMs).toBe(mtimeMs)
})

it('says so where it cannot be made', async () => {
  vi.stubEnv('XDG_CACHE_HOME', '/dev/null')
  await expect(workflowBundle()).rejects.toThrow(/^bundling the workflows: .*ENOTDIR/s)
})
