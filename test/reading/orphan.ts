/** A worker that is killed while one of its reading processes is stuck: `tsx orphan.ts FOLDER` reads for ever. */
import { openReader } from '../../activities/reading/pool.ts'
import { filesOf } from './folder.ts'
import { control } from './shared.ts'

const [folder = ''] = process.argv.slice(2)
console.log('asking')
await openReader().ask('model', 'model m', { files: filesOf(folder) }, control)
