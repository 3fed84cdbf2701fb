/** Links: where they lead decides, not what they are called. */
import { mkdir, mkdtemp, open, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openRegular } from '../../activities/benchmarks/local.ts'
import { openSource } from '../../activities/models/source.ts'
import { requireOpened, rootsOf } from '../../activities/models/within.ts'
import { readIndex } from '../reading/shared.ts'

let folder: string
let allowed: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-links-'))
  allowed = join(folder, 'allowed')
  for (const name of ['allowed', 'allowed/model', 'outside']) await mkdir(join(folder, name))
  for (const name of ['config.json', 'tokenizer.json', 'model.safetensors'])
    await writeFile(join(folder, 'outside', name), 'hunter2')
})
afterEach(() => rm(folder, { recursive: true }))

const url = (...path: string[]) => pathToFileURL(join(allowed, ...path)).href
async function takeIn(...path: string[]): Promise<string[]> {
  const { files } = await openSource(url(...path), { allow: [url()], hub: {}, readIndex })
  const copies: string[] = []
  for (const { bring } of files) {
    await bring(join(folder, 'copy'), new AbortController().signal)
    copies.push(await readFile(join(folder, 'copy'), 'utf8'))
  }
  return copies
}
const fill = (...names: string[]) =>
  Promise.all(names.map((name) => writeFile(join(allowed, 'model', name), name)))

describe('a model', () => {
  it('whose folder is a link out of what is allowed is NotAllowed, and so is one beneath such a link', async () => {
    await mkdir(join(folder, 'outside', 'deep'))
    await symlink(join(folder, 'outside'), join(allowed, 'link'))
    for (const path of [['link'], ['link', 'deep']]) {
      await expect(takeIn(...path)).rejects.toMatchObject({ name: 'NotAllowed' })
      await expect(takeIn(...path)).rejects.toThrow(
        'a link leads out of what this worker allows (PLACEBO_ALLOW)',
      )
    }
  })

  it.each(['config.json', 'tokenizer.json', 'model.safetensors'])(
    'whose %s is a link out of what is allowed is NotAllowed, without a word of where it leads',
    async (name) => {
      await fill(...['config.json', 'tokenizer.json', 'model.safetensors'].filter((other) => other !== name))
      await symlink(join(folder, 'outside', name), join(allowed, 'model', name))
      const taken = takeIn('model')
      await expect(taken).rejects.toMatchObject({ name: 'NotAllowed' })
      await expect(taken).rejects.not.toThrow(/outside|hunter2/)
    },
  )

  it('as a Hub cache has it, whose files are links to blobs within what is allowed, is read', async () => {
    await mkdir(join(allowed, 'snapshots', 'abc'), { recursive: true })
    await mkdir(join(allowed, 'blobs'))
    for (const name of ['config.json', 'tokenizer.json', 'model.safetensors']) {
      await writeFile(join(allowed, 'blobs', name), name)
      await symlink(join('..', '..', 'blobs', name), join(allowed, 'snapshots', 'abc', name))
    }
    expect(await takeIn('snapshots', 'abc')).toEqual(['config.json', 'tokenizer.json', 'model.safetensors'])
  })

  it('in an allowed folder that is a link itself is read: its real path is what is allowed', async () => {
    await fill('config.json', 'tokenizer.json', 'model.safetensors')
    await symlink(allowed, join(folder, 'alias'))
    const alias = pathToFileURL(join(folder, 'alias')).href
    const { files } = await openSource(`${alias}/model`, { allow: [alias], hub: {}, readIndex })
    await files[0]!.bring(join(folder, 'copy'), new AbortController().signal)
    expect(await readFile(join(folder, 'copy'), 'utf8')).toBe('config.json')
  })

  it('whose link is exchanged after it was looked at is refused by what was opened', async () => {
    await fill('config.json')
    const roots = await rootsOf([url()])
    const handle = await open(join(folder, 'outside', 'config.json'))
    const path = join(allowed, 'model', 'config.json') // what it was called when it was looked at
    await expect(requireOpened('model m', handle, path, roots)).rejects.toMatchObject({ name: 'NotAllowed' })
    await handle.close()
    const own = await open(path)
    await requireOpened('model m', own, path, roots)
    await own.close()
  })

  it('beside an allowed folder whose name begins alike is outside', async () => {
    await mkdir(`${allowed}-other`)
    await symlink(`${allowed}-other`, join(allowed, 'link'))
    await expect(takeIn('link')).rejects.toMatchObject({ name: 'NotAllowed' })
  })
})

describe('a data file', () => {
  it('that is a link is read within the roots and NotAllowed outside of them', async () => {
    await writeFile(join(allowed, 'own.jsonl'), '{}')
    await symlink(join(allowed, 'own.jsonl'), join(allowed, 'in'))
    await symlink(join(folder, 'outside', 'config.json'), join(allowed, 'out'))
    const roots = await rootsOf([url()])
    expect(roots).toEqual([await realpath(allowed)])
    await (await openRegular(join(allowed, 'in'), 'in', roots)).close()
    const refused = openRegular(join(allowed, 'out'), 'file:///out', roots)
    await expect(refused).rejects.toMatchObject({ name: 'NotAllowed' })
    await expect(refused).rejects.toThrow('data file:///out: a link leads out')
  })
})
