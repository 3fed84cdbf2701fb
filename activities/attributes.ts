/** The search attributes that workflows write: which of them this namespace has. An unknown one would fail a workflow's task for ever. */
import { ApplicationFailure } from '@temporalio/common'
import type { Client } from '@temporalio/client'
import { searchAttributes } from '../temporal.config.ts'

export interface Attributes {
  readonly attributes: string[]
  readonly missing: string[]
}

export async function attributesOf(client: Client): Promise<Attributes> {
  const { namespace } = client.options
  const known = await client.connection.operatorService
    .listSearchAttributes({ namespace })
    .catch((cause: Error) => {
      throw ApplicationFailure.create({
        message: `cannot list search attributes of namespace ${namespace}`,
        cause,
      })
    })
  const has = (name: keyof typeof searchAttributes) => {
    const type: unknown = known.customAttributes?.[name]
    return typeof type === 'number' ? type === typeNumbers[searchAttributes[name]] : type !== undefined
  }
  const names = Object.keys(searchAttributes) as (keyof typeof searchAttributes)[]
  return { attributes: names.filter(has), missing: names.filter((name) => !has(name)) }
}

/** `IndexedValueType` of Temporal's API. */
const typeNumbers = { Keyword: 2, Int: 3, Double: 4, KeywordList: 7 } as const
