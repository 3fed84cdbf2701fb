import { readFileSync } from 'node:fs'
import { step } from './bench/step.ts'
const t0 = performance.now()
let last = ''
setInterval(() => {
  const s = readFileSync('/proc/self/status', 'utf8')
  const g = (k: string) => Math.round(Number(new RegExp(`${k}:\\s+(\\d+)`).exec(s)![1]) / 1024)
  const line = `rss ${g('VmRSS')} anon ${g('RssAnon')} file ${g('RssFile')} hwm ${g('VmHWM')}`
  if (line !== last) console.log(((performance.now() - t0) / 1000).toFixed(1), line)
  last = line
}, 250)
const r = await step.measure({ model: '/work/models/smollm2', threads: 2, problems: 8, group: 8, prompt: 128, fresh: 64, folder: '/work/bench-tmp' } as never)
console.log(JSON.stringify(r))
process.exit()
