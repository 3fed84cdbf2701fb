/**
 * 0 for a completion in which a stretch of 10 to 256 characters follows itself until it stands there 10 times.
 *
 * The rule of the paper's published code; its text says "any string more than 10 times", which would count every
 * frequent word. For each period p the longest run of characters equal to the one p before is found in one pass: a run
 * of 9p means 10 copies. 247 passes at most, whatever the text.
 */
import { no, yes, type Signal } from './signal.ts'

const shortest = 10
const longest = 256
const copies = 10

export const noRepetition: Signal = ({ completion }) => {
  for (let period = shortest; period <= longest && period * copies <= completion.length; period++) {
    const start = repeatedFrom(completion, period)
    if (start !== null) return no(`${period} characters repeat ${copies} times from character ${start}`)
  }
  return yes('no stretch repeats 10 times')
}

/** Where `copies` consecutive copies of a stretch of this length begin, or null. */
function repeatedFrom(text: string, period: number): number | null {
  let run = 0
  for (let i = period; i < text.length; i++) {
    run = text.charCodeAt(i) === text.charCodeAt(i - period) ? run + 1 : 0
    if (run === period * (copies - 1)) return i - period * copies + 1
  }
  return null
}
