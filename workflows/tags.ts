/** A workflow's tags, those of its spec, of its parent, or of whoever started it: what its children begin with. */
import { workflowInfo, type ChildWorkflowOptions } from '@temporalio/workflow'

const tagsNow = (): string[] => (workflowInfo().searchAttributes['Tags'] ?? []).map(String)

/** Those given beside those that this workflow has. */
export const tagsFor = (given: readonly string[] = []): string[] => [...new Set([...given, ...tagsNow()])]

/** Of a spec that has some; undefined where it has none: nothing to write. */
export const tagsWith = (own: readonly string[] | undefined) => own && tagsFor(own)

/** Nothing where there are none, as in histories of before there were tags, or where the namespace has no such attribute. */
export function tagged(): Pick<ChildWorkflowOptions, 'searchAttributes'> {
  const Tags = tagsNow()
  return Tags.length === 0 ? {} : { searchAttributes: { Tags } }
}
