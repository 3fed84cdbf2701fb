/** 1 for a completion that contains "python" in any case: the paper's mark of code reasoning. Nothing is run. */
import { no, yes, type Signal } from './signal.ts'

export const python: Signal = ({ completion }) =>
  /python/i.test(completion) ? yes('contains "python"') : no('no "python"')
