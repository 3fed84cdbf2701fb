/** Every activity, by the queue it belongs to. A worker builds them from what it was given; nothing is global. */
import type { Deps } from './deps.ts'
import type { Engine } from './engine/port.ts'
import { admitActivities } from './admit.ts'
import { enrollActivities } from './enroll.ts'
import { estimateActivities } from './estimate.ts'
import { evaluateActivities } from './evaluate.ts'
import { exportActivities } from './export.ts'
import { housekeepActivities } from './housekeep.ts'
import { intakeActivities } from './intake.ts'
import { labelActivities } from './label.ts'
import { pendingActivities } from './pending.ts'
import { pretrainActivities } from './pretrain.ts'
import { recallActivities } from './recall.ts'
import { probeActivities } from './probe.ts'
import { reportActivities } from './report.ts'
import { restoreActivities } from './restore.ts'
import { rewardActivities } from './reward.ts'
import { sampleActivities } from './sample.ts'
import { scoreActivities } from './score.ts'
import { stepActivities } from './step.ts'

export interface Activities {
  readonly light: ReturnType<typeof lightActivities>
  readonly compute: ReturnType<typeof computeActivities>
}

export function lightActivities(deps: Deps) {
  return {
    ...admitActivities(deps),
    ...estimateActivities(deps),
    ...intakeActivities(deps),
    ...enrollActivities(deps),
    ...recallActivities(deps),
    ...rewardActivities(deps),
    ...scoreActivities(deps),
    ...evaluateActivities(deps).light,
    ...labelActivities(deps).light,
    ...probeActivities(deps).light,
    ...pretrainActivities(deps).light,
    ...exportActivities(deps),
    ...reportActivities(deps),
    ...housekeepActivities(deps),
    ...pendingActivities(deps),
  }
}

export function computeActivities(deps: Deps & { readonly engine: Engine }) {
  return {
    ...sampleActivities(deps),
    ...stepActivities(deps),
    ...restoreActivities(deps),
    ...evaluateActivities(deps).compute(deps.engine),
    ...labelActivities(deps).compute(deps.engine),
    ...probeActivities(deps).compute(deps.engine),
    ...pretrainActivities(deps).compute(deps.engine),
  }
}
