/** The activities as workflows call them: light ones anywhere, compute ones where there is a slot. */
import { proxyActivities } from '@temporalio/workflow'
import type { Activities } from '../activities/index.ts'
import { activityOptions } from '../temporal.config.ts'

export const light = proxyActivities<Activities['light']>(activityOptions.light)
export const compute = proxyActivities<Activities['compute']>(activityOptions.compute)
