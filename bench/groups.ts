/** What process groups have used, from /proc: CPU seconds, and the largest resident memory of any process in them. */
import { readdir, readFile } from 'node:fs/promises'

export interface Used {
  readonly cpuSeconds: number
  readonly peakBytes: number
}

/** Kernel ticks a second, as every Linux build reports them to programs. */
const ticksPerSecond = 100

export async function usedBy(group: number): Promise<Used> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const all = await Promise.all(pids.map((pid) => usedByProcess(pid, group).catch(() => null)))
  const own = all.filter((used) => used !== null)
  return {
    cpuSeconds: own.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    peakBytes: Math.max(0, ...own.map(({ peakBytes }) => peakBytes)),
  }
}

/** Null for a process of another group. Throws when it ends meanwhile. */
async function usedByProcess(pid: string, group: number): Promise<Used | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // Fields from the third on: the second is the program's name in brackets, with anything in it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (Number(fields[2]) !== group) return null
  const [user, system] = [Number(fields[11]), Number(fields[12])]
  const peak = /^VmHWM:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]
  return { cpuSeconds: (user + system) / ticksPerSecond, peakBytes: Number(peak ?? 0) * 1024 }
}
