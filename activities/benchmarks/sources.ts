/**
 * Where the paper's problem sets come from when no folder has them: its authors' repository at a pinned commit, every
 * file with its SHA-256. Levels 1 to 5 of DeepScaleR are theirs too; the set's home on the Hugging Face Hub has none.
 */
import type { DataSpec } from '../contracts.ts'

/** github.com/ruixin31/Spurious_Rewards, 13 June 2025. */
const published =
  'https://raw.githubusercontent.com/ruixin31/Spurious_Rewards/33b9f85d5b099fabade71f562e75db719f5feaf2/code/data'

export interface SourceFile {
  /** In the folder that PLACEBO_DATA_DIR names: JSON Lines. */
  readonly name: string
  /** Published as a JSON array. */
  readonly url: string
  readonly sha256: string
  /** Becomes a column, and part of the ids: the files of one set number their problems from 0 each. */
  readonly level?: number
}

export type PublishedSet = Exclude<NonNullable<DataSpec['name']>, 'nano' | 'arithmetic'>

const file = (name: string, path: string, sha256: string): SourceFile => ({
  name: `${name}.jsonl`,
  url: `${published}/${path}`,
  sha256,
})
const level = (n: number, sha256: string): SourceFile => ({
  ...file(`deepscaler-level-${n}`, `DeepScaleR_Difficulty_Level_${n}/train.json`, sha256),
  level: n,
})

export const sources: Readonly<Record<PublishedSet, readonly SourceFile[]>> = {
  'math-500': [
    file(
      'math-500',
      'MATH-TTT/test.json',
      'c1680e2e2e034486ad1b7f5aa6dec7ce47ec801769d011cc5d6934ac139fcd46',
    ),
  ],
  amc: [file('amc', 'AMC-TTT/test.json', 'c343f64e98b46c19f74e5c9991c3ed390da3acffe29b84d6c2b5b5b01e497eea')],
  'aime-2024': [
    file(
      'aime-2024',
      'AIME-TTT/test.json',
      'f52c531f6919731115b491d056be701e760e115d4b1cd5b57f48de2251a85d66',
    ),
  ],
  'aime-2025': [
    file(
      'aime-2025',
      'AIME2025-TTT/test.json',
      '399d490eae52cdf81ac207be8e5b8e43936df00ab0e31f242c6017bc57e76a1c',
    ),
  ],
  deepscaler: [
    level(1, '643655467b7ad4fbe19bdd3cf946ab31b9dc58118b4622da6e5325222d6bdee7'),
    level(2, 'b030b2e9ca7d04c1b80e0703711a22fe602602518d8215bfbf1df74f56c841aa'),
    level(3, 'f19613afe6b5b7c1adafe48b4c6d59cde8e0214855c3e9ddd1119167473fd882'),
    level(4, '12561f793d0a78e80d1e0cd4147e33a7b2ec89914ef3f6a2e9871b6ed4e811d5'),
    level(5, 'ede17ca19c41c296294a0e2ec9bca827469766613ac97616c6bc05c7363779f4'),
  ],
}
