/** The models measured: their folders, how many parameters they have, and token ids to feed them. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openPolicy, type OpenPolicy } from '../activities/policy/open.ts'
import { tensorShapes } from '../activities/policy/config.ts'
import { stream } from '../activities/seed.ts'

const wanted = /\.(json|jinja|safetensors)$/

export async function filesOf(folder: string): Promise<{ name: string; path: string }[]> {
  const names = (await readdir(folder)).filter((name) => wanted.test(name)).sort()
  return names.map((name) => ({ name, path: join(folder, name) }))
}

export async function openFolder(folder: string): Promise<OpenPolicy> {
  return openPolicy(await filesOf(folder))
}

/** '135M', '0.8M': what a model is called in the tables. */
export async function sizeName(folder: string): Promise<string> {
  const millions = parametersOf(await openFolder(folder)) / 1e6
  return `${millions < 10 ? millions.toFixed(1) : millions.toFixed(0)}M`
}

export function parametersOf({ config }: OpenPolicy): number {
  return [...tensorShapes(config).values()].reduce((sum, shape) => sum + shape.reduce((n, d) => n * d, 1), 0)
}

/** Token ids in [3, vocabulary), as the peers': the low ids are special tokens in the models measured. */
export function randomIds(vocabulary: number, count: number, row: number): number[] {
  const chance = stream({ seed: row, purpose: 'data', problem: 'bench' })
  return Array.from({ length: count }, (_, i) => 3 + chance.below(vocabulary - 3, i))
}

/** VmHWM in MiB: the largest resident set this process ever had. */
export async function peakMemoryMiB(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '')
  const kib = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]
  return kib === undefined ? process.resourceUsage().maxRSS / 1024 : Number(kib) / 1024
}

export const untouched = { signal: new AbortController().signal, progress: () => {} }

export function secondsSince(start: number): number {
  return (performance.now() - start) / 1000
}
