/** The activities as workflows call them: light ones anywhere, compute ones where there is a slot. */
import { proxyActivities } from '@temporalio/workflow'
import type { Activities } from '../activities/index.ts'
import { activityOptions } from '../temporal.config.ts'

export const light = proxyActivities<Activities['light']>(activityOptions.light)
/** What goes through the whole store: light, and long. */
export const housekeeping = proxyActivities<Activities['light']>(activityOptions.housekeeping)
export const compute = proxyActivities<Activities['compute']>(activityOptions.compute)
