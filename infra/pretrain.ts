/**
 * `npm run pretrain [-- RECIPE…]`: builds the nano models of models/nano/ again from their recipes, through the same
 * workflow that any user can start, and says whether they are the ones whose digests are checked in. Within one
 * determinism domain they are equal; elsewhere `--keep` puts the new ones in their place.
 */
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { requireDocument } from '../activities/checkpoint/documents.ts'
import * as keys from '../activities/checkpoint/keys.ts'
import { openStore } from '../activities/checkpoint/open.ts'
import type { Store } from '../activities/checkpoint/store.ts'
import { ModelDocument } from '../activities/contracts.ts'
import { taskQueues } from '../temporal.config.ts'
import type { pretrain } from '../workflows/pretrain.ts'
import { oneOf, runProgram, type Called } from './program.ts'
import { startStack } from './stack.ts'

const project = fileURLToPath(new URL('..', import.meta.url))
const folder = join(project, '.placebo', 'pretrain')
const models = join(project, 'models', 'nano')
const digestsFile = join(models, 'digests.json')

const recipes = ['coder', 'talker', 'coder-llama'] as const

const program = {
  name: 'pretrain',
  usage: `npm run pretrain [-- RECIPE…] [--keep]

Builds the nano models of models/nano/ again (${recipes.join(', ')}; all of them unless named), on a stack of its own, and
says whether they are the ones whose digests are checked in.
  --keep      puts those that differ in their place
  --help, -h  this text`,
  options: { keep: { type: 'boolean' } },
  words: { what: `recipes (${recipes.join(', ')})`, least: 0, most: recipes.length },
} as const

async function main({ values, words }: Called<typeof program.options>): Promise<number> {
  const wanted = words.length === 0 ? recipes : words.map((word) => oneOf('recipe', recipes, word))
  const digests = JSON.parse(await readFile(digestsFile, 'utf8').catch(() => '{}')) as Record<string, string>
  await mkdir(folder, { recursive: true, mode: 0o700 })
  // At this size a second thread gains nothing; a second worker does.
  const one = { PLACEBO_THREADS: '1' }
  const storeUrl = pathToFileURL(join(folder, 'store')).href
  const stack = await startStack({
    folder,
    ports: 'free',
    workers: [{ role: 'light' }, { role: 'compute', env: one }, { role: 'compute', env: one }],
    store: storeUrl,
    report: console.error,
  })
  process.once('SIGINT', () => void stack.stop().then(() => process.exit(130)))
  const store = await openStore(storeUrl)
  const building: Building = { store, digests, keep: values.keep, differing: 0 }
  try {
    const connection = await Connection.connect({ address: stack.temporalAddress })
    const client = new Client({ connection })
    // One layout's recipes share their base, so they follow one another; the layouts are independent.
    const isLlama = (recipe: string) => recipe.endsWith('-llama')
    const chains = [wanted.filter(isLlama), wanted.filter((recipe) => !isLlama(recipe))]
    await Promise.race([
      Promise.all(chains.map((chain) => buildAll(client, chain, building))),
      stack.failed.then((error) => Promise.reject(error)),
    ])
    await connection.close()
  } finally {
    await store.close()
    await stack.stop()
  }
  return building.differing > 0 && !values.keep ? 1 : 0
}

interface Building {
  readonly store: Store
  /** Checked in, by recipe. */
  readonly digests: Record<string, string>
  readonly keep: boolean
  differing: number
}

async function buildAll(client: Client, chain: readonly string[], building: Building): Promise<void> {
  const { digests } = building
  for (const recipe of chain) {
    const handle = await client.workflow.start<typeof pretrain>('pretrain', {
      taskQueue: taskQueues.light,
      workflowId: `pretrain-${recipe}`,
      args: [{ recipe, seed: 0 }],
    })
    const ask = () =>
      handle.query<{ phase: string; update: number; updates: number; loss: number | null }>('progress').then(
        ({ phase, update, updates, loss }) =>
          console.log(`${recipe}: ${phase}, update ${update} of ${updates}, loss ${loss?.toFixed(4) ?? '–'}`),
        () => {}, // busy: the next one will tell
      )
    const show = setInterval(() => void ask(), 15_000)
    const { policy } = await handle.result().finally(() => clearInterval(show))
    const same = digests[recipe] === policy
    const known = digests[recipe] === undefined ? 'new' : `checked in is ${digests[recipe]}`
    console.log(`${recipe}: ${policy}, ${same ? 'as checked in' : known}`)
    if (!same) building.differing += 1
    if (!same && building.keep) await keep(recipe, policy, building)
  }
}

async function keep(recipe: string, policy: string, { store, digests }: Building): Promise<void> {
  const document = await requireDocument(store, keys.model(policy), ModelDocument)
  const home = join(models, recipe)
  await rm(home, { recursive: true, force: true })
  await mkdir(home, { recursive: true })
  for (const { name, digest } of document.policy.files) {
    await copyFile(join(folder, 'store', keys.blob(digest)), join(home, name))
  }
  digests[recipe] = policy
  await writeFile(digestsFile, `${JSON.stringify(digests, null, 2)}\n`)
}

runProgram(program, main)
