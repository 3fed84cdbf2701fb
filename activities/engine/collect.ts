/** Memory given back when it is known to be free, and not when the collector comes by. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collectNow: (() => void) | null = null

/**
 * Collects this thread's garbage now. The collector goes by the heap, in which an array of half a gigabyte weighs next
 * to nothing: gradients that nobody needs would lie beside the next sampler. Takes milliseconds.
 */
export function collect(): void {
  if (collectNow === null) {
    setFlagsFromString('--expose-gc')
    collectNow = runInNewContext('gc') as () => void
  }
  collectNow()
}
