/**
 * The environment as a typed configuration: PLACEBO_* and HF_* parsed here, with errors that name the variable.
 *
 * TEMPORAL_* (and its TOML file) belong to @temporalio/envconfig, AWS_* to the AWS SDK's chain: both read them
 * themselves, so that a profile that works for `temporal` or `aws` works here.
 */
import { statSync } from 'node:fs'
import { availableParallelism, homedir, totalmem } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { check } from '../activities/contracts/issues.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Where this user's programs and files of placebo lie that can be made again. */
export const userCache = (): string =>
  join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'placebo')

/**
 * The environment of a process that computes; `npm run worker` says the same. By itself glibc keeps freed blocks of up to
 * 32 MB, a sampler's packed weights among them, and the update that follows has no use for them.
 */
export const allocator = { MALLOC_MMAP_THRESHOLD_: String(3 * 2 ** 20) }

const StoreUrl = z
  .string({ error: 'expected s3://bucket/prefix or file:///folder, found nothing' })
  .regex(
    /^(s3:\/\/[a-z0-9][a-z0-9.-]+(\/.*)?|file:\/\/\/.+)$/,
    'expected s3://bucket/prefix or file:///folder',
  )

const Folder = z
  .string()
  .refine((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory(), 'expected a folder that exists')
  .transform((path) => resolve(path))

/** Folders and URL prefixes, separated by commas. */
const Allow = z
  .string()
  .transform((text) => text.split(',').flatMap((entry) => entry.trim() || []))
  .pipe(
    z.array(
      z
        .string()
        .refine(
          (entry) => isAbsolute(entry) || /^(file:\/\/\/|s3:\/\/)/.test(entry),
          'expected absolute folders, file:///… or s3://… prefixes, separated by commas',
        )
        .transform((entry) => (isAbsolute(entry) ? pathToFileURL(entry).href : entry)),
    ),
  )

const Count = z.coerce.number({ error: 'expected a whole number' }).int().min(1)

const units = { '': 1, B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const

/** Bytes, from `1073741824`, `500MiB`, `20 GiB`. */
const Size = z
  .string()
  .regex(/^\d+(\.\d+)? ?(B|KiB|MiB|GiB|TiB)?$/, 'expected a size such as 500MiB or 20GiB')
  .transform((text) => {
    const [, amount, unit = ''] = /^([\d.]+) ?(\w*)$/.exec(text) ?? []
    return Math.floor(Number(amount) * units[unit as keyof typeof units])
  })

const Environment = z.object({
  PLACEBO_STORE: StoreUrl,
  PLACEBO_DATA_DIR: Folder.optional(),
  PLACEBO_CACHE: z
    .string()
    .default(() => join(userCache(), 'blobs'))
    .transform((path) => resolve(path)),
  PLACEBO_CACHE_LIMIT: Size.default(100 * units.GiB),
  PLACEBO_CACHE_FLOOR: Size.default(units.GiB),
  PLACEBO_ALLOW: Allow.default([]),
  PLACEBO_BUILD_ID: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,100}$/, 'expected letters, digits and . _ - (at most 100)')
    .optional(),
  PLACEBO_MEMORY: Size.optional(),
  PLACEBO_THREADS: Count.default(() => availableParallelism()),
  HF_TOKEN: z.string().min(1).optional(),
  HF_ENDPOINT: z.url('expected a URL').optional(),
})

export interface Config {
  readonly store: string
  readonly dataFolder: string | null
  readonly cache: string
  readonly cacheLimitBytes: number
  /** What the cache leaves free on its disk. */
  readonly cacheFloorBytes: number
  /** URL prefixes that a spec may name. */
  readonly allow: readonly string[]
  readonly threads: number
  /** What a computation may take: what would take more is refused before it is begun. */
  readonly memoryBytes: number
  /** Models that may stay in memory between calls. */
  readonly residentBytes: number
  /** The worker's version, where workers are versioned; null where they are not. */
  readonly buildId: string | null
  readonly hub: { readonly endpoint?: string; readonly token?: string }
}

/** The machine's memory, or less where this process's control group has a limit. */
export function memoryOfMachine(): number {
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem()
}

export class InvalidConfig extends Error {
  override readonly name = 'InvalidConfig'
}

/** `NAME=value: expected …`, as the variable is written. */
function withValue(line: string, given: Environment): string {
  const name = /^\w+/.exec(line)?.[0] ?? ''
  const value = given[name]
  // Of a list it is the whole variable that is written.
  return value === undefined
    ? line
    : `${name}=${value}${line.replace(/^[^:]+/, '').replace(/, found .*$/, '')}`
}

/** Throws InvalidConfig, naming every variable that is wrong. */
function read<T>(schema: z.ZodType<T>, env: Environment): T {
  // An empty variable is an unset one, as shells and compose files write it.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const checked = check(schema, given)
  if (checked.faults === null) return checked.data
  throw new InvalidConfig(checked.faults.map((line) => withValue(line, given)).join('\n'))
}

const Files = z.object({ PLACEBO_ALLOW: Allow.optional(), PLACEBO_DATA_DIR: Folder.optional() })

/** Which files a spec may name here, and where problem sets lie; null where the environment does not say. */
export function readFiles(
  env: Environment,
): Pick<Config, 'dataFolder'> & { readonly allow: Config['allow'] | null } {
  const { PLACEBO_ALLOW: allow = null, PLACEBO_DATA_DIR: dataFolder = null } = read(Files, env)
  return { allow, dataFolder }
}

export function readConfig(env: Environment): Config {
  const data = read(Environment, env)
  return {
    store: data.PLACEBO_STORE,
    dataFolder: data.PLACEBO_DATA_DIR ?? null,
    cache: data.PLACEBO_CACHE,
    cacheLimitBytes: data.PLACEBO_CACHE_LIMIT,
    cacheFloorBytes: data.PLACEBO_CACHE_FLOOR,
    allow: data.PLACEBO_ALLOW,
    threads: data.PLACEBO_THREADS,
    memoryBytes: data.PLACEBO_MEMORY ?? memoryOfMachine(),
    residentBytes: Math.floor(totalmem() / 4),
    buildId: data.PLACEBO_BUILD_ID ?? null,
    hub: {
      ...(data.HF_ENDPOINT !== undefined && { endpoint: data.HF_ENDPOINT }),
      ...(data.HF_TOKEN !== undefined && { token: data.HF_TOKEN }),
    },
  }
}
