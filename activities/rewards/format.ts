/** 1 for at least one box with something in it, right or wrong (arXiv 2506.10947, section 2.1). */
import { boxes } from '../grading/extract.ts'
import { no, yes, type Signal } from './signal.ts'

export const format: Signal = ({ completion }) => {
  const all = boxes(completion)
  if (all.some((content) => content.trim() !== '')) return yes('a box with content')
  return no(all.length === 0 ? 'no box' : 'only empty boxes')
}
