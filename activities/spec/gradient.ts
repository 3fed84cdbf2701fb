/**
 * Specs of training that cannot move a weight, by their objective: refused where no gradient can be other than 0, told
 * where one can and says nothing of the reward. A run without steps trains nothing and may say what it likes.
 */
import type { ResolvedTrain } from '../contracts.ts'
import { properties } from '../grpo/properties.ts'
import { nameOf } from '../rewards/index.ts'
import { hasCoin, possibleOf } from '../rewards/possible.ts'

/** No vocabulary has as many tokens: of a smaller share only the most probable token is left. */
const alone = 2 ** -24
/** At a thousandth, a logit that is less by 0.02 already has a share below that: samples are greedy but for near ties. */
const coldest = 1e-3

/** Fields of which no value of others makes a difference, each with what was expected. */
export function gradientFaults(spec: ResolvedTrain): string[] {
  const { objective, steps } = spec
  if (steps === 0) return []
  if (properties[objective.name].learnsFrom !== 'rollouts')
    return [
      `objective.name: expected one that learns from rollouts (grpo), found ${JSON.stringify(objective.name)}`,
    ]
  // A penalty has a gradient of its own, wherever the policy has moved.
  return objective.name === 'grpo' && objective.kl > 0 ? [] : standstills(spec)
}

/** What a person should know of a spec that was not refused. */
export function gradientNotes(spec: ResolvedTrain): string[] {
  const { objective, reward, sampling, steps } = spec
  if (steps === 0) return []
  const { zero, one } = possibleOf(reward, { gold: true, label: true })
  const penalised = objective.name === 'grpo' && objective.kl > 0
  return [
    ...(penalised ? standstills(spec).map((fault) => `${fault}; only the KL penalty moves weights`) : []),
    ...(isGreedy(sampling) && hasCoin(reward)
      ? ['sampling: all samples of a group are the same completion, so that nothing but the coin of the reward tells them apart']
      : []),
    ...(zero && one ? [] : [`reward: ${nameOf(reward)} is ${one ? 1 : 0} whatever a completion says, so that no reward moves a weight`]),
  ] // prettier-ignore
}

/** Why every advantage is 0. */
function standstills({ batch, objective, sampling, reward }: ResolvedTrain): string[] {
  if (properties[objective.name].baseline !== 'group') return []
  const because = `since ${objective.name} takes from each reward the mean of its own group`
  if (batch.group === 1)
    return [`batch.group: expected at least 2 in training, ${because}: of 1 nothing is left, found 1`]
  if (!isGreedy(sampling) || hasCoin(reward)) return []
  const [field, least, found] =
    sampling.temperature < coldest
      ? (['temperature', `at least ${coldest}`, sampling.temperature] as const)
      : (['topP', `at least ${alone}`, sampling.topP] as const)
  const same = 'all its samples are the same completion with the same reward'
  return [`sampling.${field}: expected ${least} in training, ${because}: ${same}, found ${found}`]
}

/** Whether the most probable token is always taken, in effect. */
const isGreedy = ({ temperature, topP }: ResolvedTrain['sampling']) => temperature < coldest || topP < alone
