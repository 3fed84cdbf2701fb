/**
 * The workflows as one script, as a worker loads them. Made once a version of the code and kept beside the servers'
 * binaries: bundling takes seconds and a hundred megabytes, which a worker would hold for as long as it lives, so a
 * process of its own does it.
 */
import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'
import { userCache } from './config.ts'

const project = fileURLToPath(new URL('..', import.meta.url))
/** Bundles of other versions that nobody made since are removed when one is made. */
const keptMs = 7 * 24 * 3600_000

/** The path of the bundle of the workflows as they are now. */
export async function workflowBundle(): Promise<{ readonly codePath: string }> {
  const folder = join(userCache(), 'workflows')
  const codePath = join(folder, `${await digestOfSources()}.js`)
  if (!existsSync(codePath)) {
    const made = promisify(execFile)(process.execPath, [
      '--import',
      'tsx',
      fileURLToPath(import.meta.url),
      codePath,
    ])
    await made.catch((error: Error & { stderr?: string }) => {
      throw new Error(`bundling the workflows: ${error.stderr || error.message}`, { cause: error })
    })
  }
  return { codePath }
}

/** Everything that a workflow might import, and what makes the bundle of it. */
async function digestOfSources(): Promise<string> {
  const folders = ['workflows', 'activities']
  const names = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(join(project, folder), { recursive: true })).map((name) => join(folder, name)),
    ),
  )
  const sources = names.flat().filter((name) => name.endsWith('.ts'))
  const hash = createHash('sha256').update(process.version)
  for (const name of [...sources.sort(), 'temporal.config.ts', 'package-lock.json'])
    hash.update(`\0${name}\0`).update(await readFile(join(project, name)))
  return hash.digest('hex')
}

async function bundle(codePath: string): Promise<void> {
  const folder = dirname(codePath)
  await mkdir(folder, { recursive: true })
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(project, 'workflows', 'index.ts'),
    // The first is the outermost: an input is looked at before anything else is done with it.
    workflowInterceptorModules: ['guard.ts', 'watch.ts'].map((name) => join(project, 'workflows', name)),
    logger: new DefaultLogger('ERROR'),
  })
  const temporary = join(folder, `${randomUUID()}.tmp`)
  await writeFile(temporary, code)
  await rename(temporary, codePath)
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    const { mtimeMs } = await stat(path)
    if (Date.now() - mtimeMs > keptMs) await rm(path, { force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(process.argv[2] ?? '')
