import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openTokenizer } from '../../activities/policy/tokenizer.ts'
import { canRead, promptOf } from '../../activities/spec/prompt.ts'
import { folderFiles } from '../policy/folders.ts'

const nanoFolder = join(import.meta.dirname, '..', '..', 'models', 'nano', 'coder')
const nano = await openTokenizer(
  ['tokenizer.json', 'tokenizer_config.json'].map((name) => ({ name, path: join(nanoFolder, name) })),
)
const chat = await openTokenizer(folderFiles('tokenizer'))
const bare = await openTokenizer(folderFiles('tokenizer').filter(({ name }) => name === 'tokenizer.json'))

describe('what a policy can read', () => {
  it.each([
    ['a nano model', nano, 'default', false],
    ['a nano model', nano, 'r1', false],
    ['a nano model', nano, 'plain', true],
    ['a policy with a chat template', chat, 'default', true],
    ['a policy of all bytes without one', bare, 'default', true],
  ] as const)('%s, %j: %j', (_, tokenizer, name, expected) => {
    expect(canRead(tokenizer, name)).toBe(expected)
  })

  it('is the whole conversation that a problem ends: its system message, its turns, and the assistant’s next', () => {
    const messages = [
      { role: 'system' as const, content: 'Think.' },
      { role: 'user' as const, content: '1+1' },
      { role: 'assistant' as const, content: '2' },
      { role: 'user' as const, content: '5*6' },
    ]
    const { text } = promptOf(chat, 'default', { id: 'p', problem: '5*6', answer: '30', messages })
    expect(text).toBe(
      '<|im_start|>system\nThink.<|im_end|>\n<|im_start|>user\n1+1<|im_end|>\n' +
        '<|im_start|>assistant\n2<|im_end|>\n<|im_start|>user\n5*6<|im_end|>\n<|im_start|>assistant\n',
    )
  })

  it('is what it says of the tokens: a nano model does not know the letters of the R1 style', () => {
    const { text, tokens } = promptOf(nano, 'default', { id: 'p', problem: 'calc  1+2*3\n', answer: '7' })
    expect(text).toContain('<|user|>')
    expect(nano.decode(tokens)).not.toContain('<|user|>')
  })
})
