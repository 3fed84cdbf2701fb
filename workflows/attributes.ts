/** What is said where a namespace lacks search attributes: runs go on without them, and an administrator can add them. */
import { searchAttributes } from '../temporal.config.ts'

const types: Readonly<Record<string, string>> = searchAttributes

export const lacking = (names: readonly string[]): string =>
  `Search attributes that this namespace lacks, or has as another type: ${names.join(', ')}; to add them: ` +
  names
    .map((name) => `temporal operator search-attribute create --name ${name} --type ${types[name]}`)
    .join(' && ')
