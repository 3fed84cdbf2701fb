/** What a spec would take, before any of it is begun: nothing is taken in but a model's config.json. */
import { durable } from './durable.ts'
import type { Control } from './engine/port.ts'
import type { Deps } from './deps.ts'
import { configOfPolicy, machineOf } from './fit.ts'
import { configOf } from './models/brought.ts'
import { checkpointKey, openSourcePolicy } from './open.ts'
import type { ModelConfig } from './policy/config.ts'
import { readAsked, type Kind } from './spec/asked.ts'
import { plan, type Asked, type Quantity } from './spec/plan.ts'
import { notesOf, rowsOf, type Row } from './spec/shown.ts'

export interface Estimate {
  readonly type: Kind
  readonly quantities: readonly Quantity[]
  /** What a person should know before starting it. */
  readonly notes: readonly string[]
  /** The quantities as people read them. */
  readonly table: readonly Row[]
}

export function estimateActivities(deps: Deps) {
  return {
    estimate: ({ spec }: { spec: unknown }): Promise<Estimate> =>
      durable(async (control) => {
        const { asked, models, checkpoint } = readAsked(spec)
        const configs = new Map<string, ModelConfig>()
        const { blobs, reader } = deps
        const reading = { scratch: (name: string) => blobs.scratch(name), reader, control }
        for (const model of new Set(models)) configs.set(model, await configOf(model, deps, reading))
        const own = checkpoint === undefined ? null : await configOfCheckpoint(deps, checkpoint, control)
        const worker = machineOf(deps)
        const named =
          own === null || asked.type === 'train' || asked.type === 'sweep' ? asked : withModel(asked)
        const quantities = plan(named, (model) => configs.get(model) ?? own, worker)
        return { type: asked.type, quantities, notes: notesOf(quantities, worker), table: rowsOf(quantities) }
      }),
  }
}

/** A checkpoint's policy stands where a model's name would. */
function withModel(asked: Asked): Asked {
  const { type } = asked
  if (type === 'evaluate') return { type, spec: { ...asked.spec, model: '' } }
  if (type === 'label') return { type, spec: { ...asked.spec, model: '' } }
  return type === 'probe' ? { type, spec: { ...asked.spec, model: '' } } : asked
}

async function configOfCheckpoint(deps: Deps, checkpoint: string, control: Control): Promise<ModelConfig> {
  return configOfPolicy(deps, await openSourcePolicy(deps, await checkpointKey(deps, checkpoint)), control)
}
