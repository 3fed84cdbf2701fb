/** docs/data.md as a user types it: every file that it writes is read by the `data` that stands beneath it. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadLocal } from '../../activities/benchmarks/load.ts'
import { DataSpec, TrainSpec } from '../../activities/contracts.ts'
import { inFolder, quiet } from './loading.ts'

const page = readFileSync(new URL('../../docs/data.md', import.meta.url), 'utf8')
const commands = [...page.matchAll(/^cat > [^]*?^END$/gm)].map(([command]) => command)
const asked = [...page.matchAll(/^`("data": \{.*\})`$/gm)].map(([, data]) => data!)

it('gives as many problems as it shows, by every layout', async () => {
  await inFolder(async (folder) => {
    const here = (text: string) => text.replaceAll('/tmp/own', folder)
    for (const command of commands) execFileSync('bash', ['-c', here(command)])
    const spec = JSON.parse(readFileSync(join(folder, 'spec.json'), 'utf8')) as TrainSpec
    expect(TrainSpec.safeParse(spec).success).toBe(true)
    const counts = asked.map(async (text) => {
      const { data } = JSON.parse(`{${here(text)}}`) as { data: unknown }
      const parsed = DataSpec.parse(data)
      const name = parsed.source ?? ''
      const { problems } = await loadLocal(parsed, [{ path: name.slice('file://'.length), name }], quiet)
      return [name.slice(name.lastIndexOf('/') + 1), problems.length]
    })
    expect(await Promise.all(counts)).toEqual([
      ['lines.jsonl', 2],
      ['array.json', 2],
      ['gsm8k.jsonl', 2],
      ['chat.jsonl', 2],
      ['several.jsonl', 1],
      ['mixed.jsonl', 1],
    ])
  })
})
