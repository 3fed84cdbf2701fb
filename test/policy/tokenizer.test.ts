import { describe, expect, it } from 'vitest'
import { openTokenizer, type Message } from '../../activities/policy/tokenizer.ts'
import { folderFiles, goldenOf } from './folders.ts'

interface Golden {
  encodings: { input: string; ids: number[]; text: string; textWithoutSpecial: string }[]
  decodings: { ids: number[]; text: string; textWithoutSpecial: string }[]
  chats: { messages: Message[]; addGenerationPrompt: boolean; text: string; ids: number[] }[]
}
const golden = goldenOf<Golden>('tokenizer')
const tokenizer = await openTokenizer(folderFiles('tokenizer'))

describe('the tokenizer', () => {
  it.each(golden.encodings)(
    'encodes $input as the Rust tokenizer does',
    ({ input, ids, textWithoutSpecial }) => {
      expect(tokenizer.encode(input, { special: true })).toEqual(ids)
      expect(tokenizer.decode(ids)).toBe(textWithoutSpecial)
    },
  )

  it.each(golden.decodings)('decodes $ids, cut characters too', ({ ids, textWithoutSpecial }) => {
    expect(tokenizer.decode(ids)).toBe(textWithoutSpecial)
  })

  it.each(golden.encodings)(
    'streams $input in pieces that add up to the text',
    ({ ids, textWithoutSpecial }) => {
      const stream = tokenizer.stream()
      expect(ids.map((id) => stream.push(id)).join('')).toBe(textWithoutSpecial)
    },
  )

  it('holds back a character until its last byte is there: the four bytes of one emoji', () => {
    const stream = tokenizer.stream()
    const ids = [87, 172, 253, 246, 222] // "x", then F0 9F 98 80
    expect(ids.map((id) => stream.push(id))).toEqual(['x', '', '', '', '\u{1f600}'])
  })

  it('waits for no more than 8 tokens, though all end within a character; nothing of the text is lost', () => {
    const emoji = [172, 253, 246, 222]
    const cut = Array.from({ length: 30 }, () => 172) // F0, and never what follows it
    const ids = [87, ...cut, ...emoji, 87]
    const stream = tokenizer.stream()
    const pieces = ids.map((id) => stream.push(id))
    expect(pieces.slice(0, 9)).toEqual(['x', '', '', '', '', '', '', '', '\ufffd'.repeat(7)])
    expect(pieces.join('')).toBe(`x${'\ufffd'.repeat(30)}\u{1f600}x`)
    expect(pieces.join('')).toBe(tokenizer.decode(ids))
  })

  it('leaves ids that no token has out of the text', () => {
    expect(tokenizer.decode([87, 384, 5000, 87])).toBe('xx')
    expect(tokenizer.decode([])).toBe('')
  })
})

describe('the chat template', () => {
  it.each(golden.chats)(
    'renders chat $# as transformers does',
    ({ messages, addGenerationPrompt, text, ids }) => {
      expect(tokenizer.renderChat(messages, { addGenerationPrompt })).toBe(text)
      expect(tokenizer.encode(text)).toEqual(ids)
    },
  )

  it('is refused by name where the policy has none', async () => {
    const bare = await openTokenizer(folderFiles('tokenizer').filter(({ name }) => name === 'tokenizer.json'))
    expect(bare.hasTemplate).toBe(false)
    expect(() => bare.renderChat([])).toThrow('chat: the policy has no chat template')
  })
})
