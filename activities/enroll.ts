/** Opens a run's prefix: refuses another run's identity, and finds where an earlier attempt got to. */
import { digestOf } from './checkpoint/canonical.ts'
import { commit, readDocument, replaceDocument, requireDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import {
  CheckpointDocument,
  ConcludeTask,
  EnrollTask,
  ModelDocument,
  ResultDocument,
  RunDocument,
  RunId,
  SpecDocument,
  type ResolvedTrain,
} from './contracts.ts'
import { durable } from './durable.ts'
import type { Deps } from './deps.ts'
import type { Control } from './engine/port.ts'
import { canRead, openData } from './open.ts'
import { compareData } from './overlap.ts'
import { orEarlier } from './refused.ts'
import { requireRewardable } from './rewards/index.ts'
import { shardsOf } from './spec/batch.ts'
import { differences, identityOf, InvalidSpec, parseSpec } from './spec/resolve.ts'

/** The same id was started with a spec that computes something else. */
export class SpecMismatch extends Error {
  override readonly name = 'SpecMismatch'
}

export function enrollActivities(deps: Deps) {
  const { store } = deps
  return {
    enroll: (input: EnrollTask) =>
      durable((control) =>
        orEarlier(deps, () => {
          parseSpec(RunId, input.run, 'workflow id') // no attempt mends it
          return enroll(deps, EnrollTask.parse(input), control)
        }),
      ),

    /** Writes down how a run ended under this spec; a later start may end otherwise. */
    conclude: (input: ConcludeTask) =>
      durable(async () => {
        const { run, spec, step, stopped } = ConcludeTask.parse(input)
        const document = { format: 1, spec, step, ...(stopped && { stopped }) } as const
        await replaceDocument(store, keys.result(run), ResultDocument, document)
        const source = keys.checkpoint(run, step)
        const { policy } = await requireDocument(store, source, CheckpointDocument)
        return { source, policy: policy.digest }
      }),
  }
}

async function enroll(deps: Deps, { run, spec, model, data }: EnrollTask, control: Control) {
  const { store } = deps
  const { policy } = await requireDocument(store, model, ModelDocument)
  requireReadable(await canRead(deps, policy, spec, control), spec)
  const { document: taken, problems } = await openData(deps, data)
  requireRewardable(spec.reward, problems)
  const identity = identityOf({ spec, policy: policy.digest, problems: taken.problems.digest })
  const document: SpecDocument = {
    format: taken.format,
    identity,
    spec,
    model,
    policy: policy.digest,
    data,
    problems: taken.problems,
  }
  const specKey = keys.spec(digestOf(document))
  await commit(store, specKey, SpecDocument, document)
  await claim(deps, run, document, specKey)
  const lineage = digestOf({ identity, policy: policy.digest })
  const optimizer = { name: spec.optimizer.name, updates: 0, state: [] }
  const first: CheckpointDocument = {
    format: 1,
    identity,
    step: 0,
    policy,
    checkpoint: { lineage, optimizer },
    learntFrom: [],
  }
  await commit(store, keys.checkpoint(run, 0), CheckpointDocument, first)
  const step = Math.min(await newestStep(deps, run, identity), spec.steps)
  const overlaps = await compareData(deps, run, spec, data, control.signal)
  return { spec: specKey, step, shards: shardsOf(spec).length, store: deps.storeId, overlaps }
}

/** A prompt that the model has no tokens for would train it on noise. */
function requireReadable(isReadable: boolean, { model, prompt }: ResolvedTrain): void {
  if (!isReadable)
    throw new InvalidSpec(
      `prompt: the tokenizer of ${model} has no tokens for all of ${JSON.stringify(prompt)}; "plain" is the problem alone`,
    )
}

/** run.json: written by the first start, checked by every other, longer by each new spec. */
async function claim(
  { store, client }: Deps,
  run: string,
  document: SpecDocument,
  specKey: string,
): Promise<void> {
  const { namespace } = client.options
  const fresh: RunDocument = { format: 1, run, namespace, identity: document.identity, specs: [specKey] }
  const key = keys.run(run)
  const known =
    (await readDocument(store, key, RunDocument)) ?? (await commit(store, key, RunDocument, fresh))
  if (known.namespace !== namespace) {
    throw new SpecMismatch(
      `run ${run}: its prefix belongs to namespace ${known.namespace}, not to ${namespace}`,
    )
  }
  if (known.identity !== document.identity) {
    const was = await requireDocument(store, known.specs.at(-1) ?? '', SpecDocument)
    const fields = differences(originOf(was), originOf(document))
    throw new SpecMismatch(`run ${run}: started before with another spec; ${fields.join('; ')}`)
  }
  if (!known.specs.includes(specKey)) {
    const longer = { ...known, specs: [...known.specs, specKey] }
    await store.replace(key, new TextEncoder().encode(JSON.stringify(longer)))
  }
}

const originOf = ({ spec, policy, problems }: SpecDocument) => ({ spec, policy, problems: problems.digest })

/** The newest step whose manifest and all that went to the store with it are there. */
async function newestStep({ store }: Deps, run: string, identity: string): Promise<number> {
  const steps: number[] = []
  for await (const { key } of store.list(keys.checkpoints(run))) steps.push(keys.stepOf(key))
  for (const step of steps.sort((a, b) => b - a)) {
    const document = await requireDocument(store, keys.checkpoint(run, step), CheckpointDocument)
    if (document.identity !== identity)
      throw new SpecMismatch(`run ${run}: checkpoint ${step} has another identity`)
    if (document.stored === false) return step // what a replay needs is looked for when it is needed
    const whole = await Promise.all(
      document.policy.files.map(
        async (blob) => (await store.head(keys.blob(blob.digest)))?.sizeBytes === blob.sizeBytes,
      ),
    )
    if (whole.every(Boolean)) return step
  }
  return 0
}
