/** The workflow types, as the CLI's --type names them. */
export { estimate } from './estimate.ts'
export { evaluate } from './evaluate.ts'
export { exportCheckpoint as export } from './export.ts'
export { gc } from './gc.ts'
export { label } from './label.ts'
export { pretrain } from './pretrain.ts'
export { probe } from './probe.ts'
export { score } from './score.ts'
export { sweep } from './sweep.ts'
export { train } from './train.ts'
export { verify } from './verify.ts'
/** Of any other name. */
export { unknown as default } from './unknown.ts'
