/** The measuring process: `ours.ts NAME ARGUMENTS` measures once and prints one JSON line. */
import { benchmarks } from './benchmarks.ts'

const [name = '', args = '{}'] = process.argv.slice(2)
const benchmark = benchmarks[name]
if (!benchmark) throw new Error(`bench: no benchmark ${name}`)
console.log(JSON.stringify(await benchmark.measure(JSON.parse(args))))
