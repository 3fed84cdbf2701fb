import { describe, expect, it } from 'vitest'
import { Caches } from '../../activities/policy/caches.ts'
import { parseConfig } from '../../activities/policy/config.ts'

// One layer, 2 key heads of width 2.
const config = parseConfig(
  {
    architectures: ['LlamaForCausalLM'],
    hidden_size: 4,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 4,
    vocab_size: 8,
    rms_norm_eps: 1e-6,
    max_position_embeddings: 64,
  },
  'config.json',
)

/** Keys of one token a row: 100·slot + 10·row + head in both places; values are the negative. */
function created(slots: number, rows: number): [Float32Array, Float32Array][] {
  const keys: number[] = []
  for (let slot = 0; slot < slots; slot++)
    for (let head = 0; head < 2; head++)
      for (let row = 0; row < rows; row++)
        keys.push(100 * slot + 10 * row + head, 100 * slot + 10 * row + head)
  return [[Float32Array.from(keys), Float32Array.from(keys, (x) => -x)]]
}

/** The first number of every position of a row's own cache: [head][position] */
function own(caches: Caches, slot: number, row: number, name = 'ownKeys0'): number[][] {
  const { rows, own: capacity } = caches.shape
  const data = caches.feeds()[name]!.data
  return [0, 1].map((head) =>
    Array.from({ length: capacity }, (_, c) =>
      Number(data[(((slot * 2 + head) * rows + row) * capacity + c) * 2]),
    ),
  )
}

describe('caches', () => {
  const none = { slots: [-1, -1], rows: [-1, -1, -1, -1] }

  it('write each row at its own position, and leave idle rows alone', () => {
    const caches = new Caches(config)
    caches.arrange({ slots: 2, rows: 2, prompt: 1, own: 3 }, none)
    caches.writeOwn(created(2, 2), Int32Array.of(0, -1, 2, 1))
    expect(own(caches, 0, 0)).toEqual([
      [0, 0, 0],
      [1, 0, 0],
    ])
    expect(own(caches, 0, 1)).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ])
    expect(own(caches, 1, 0)).toEqual([
      [0, 0, 100],
      [0, 0, 101],
    ])
    expect(own(caches, 1, 1, 'ownValues0')).toEqual([
      [0, -110, 0],
      [0, -111, 0],
    ])
  })

  it('move rows and prompts into another arrangement: slots of one row, more capacity', () => {
    const caches = new Caches(config)
    caches.arrange({ slots: 2, rows: 2, prompt: 2, own: 1 }, none)
    caches.writeOwn(created(2, 2), Int32Array.of(0, 0, 0, 0))
    const prompt = (n: number): [Float32Array, Float32Array][] => [
      [new Float32Array(8).fill(n), new Float32Array(8).fill(-n)],
    ]
    caches.writePrompt(0, prompt(7), 0, 2)
    caches.writePrompt(1, prompt(8), 0, 2)
    // Rows 3 (slot 1), 0 and 1 (slot 0) get slots of their own.
    caches.arrange({ slots: 3, rows: 1, prompt: 3, own: 2 }, { slots: [1, 0, 0], rows: [3, 0, 1] })
    expect([0, 1, 2].map((slot) => own(caches, slot, 0))).toEqual([
      [
        [110, 0],
        [111, 0],
      ],
      [
        [0, 0],
        [1, 0],
      ],
      [
        [10, 0],
        [11, 0],
      ],
    ])
    const keys = caches.feeds().promptKeys0!
    expect(keys.shape).toEqual([3, 2, 3, 2])
    expect([...keys.data.slice(0, 6)]).toEqual([8, 8, 8, 8, 0, 0])
    expect([...keys.data.slice(12, 18)]).toEqual([7, 7, 7, 7, 0, 0])
  })

  it('grow where they lie: what was written stays at its position', () => {
    const caches = new Caches(config)
    caches.arrange({ slots: 2, rows: 2, prompt: 1, own: 2 }, none)
    caches.writeOwn(created(2, 2), Int32Array.of(1, 1, 1, 1))
    for (const capacity of [3, 5, 11]) {
      caches.grow(capacity)
      expect(caches.feeds().ownKeys0!.shape).toEqual([2, 2, 1, 2, capacity, 2])
      for (const [slot, row] of [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ] as const)
        expect(own(caches, slot, row).map((head) => head[1])).toEqual([
          100 * slot + 10 * row,
          100 * slot + 10 * row + 1,
        ])
    }
  })

  it('take one prompt out of a run of several', () => {
    const caches = new Caches(config)
    caches.arrange({ slots: 1, rows: 1, prompt: 2, own: 1 }, { slots: [-1], rows: [-1] })
    // Two prompts of one token: [prompt, head, 1, D]
    const run: [Float32Array, Float32Array][] = [
      [Float32Array.of(1, 1, 2, 2, 3, 3, 4, 4), Float32Array.of(5, 5, 6, 6, 7, 7, 8, 8)],
    ]
    caches.writePrompt(0, run, 1, 1)
    expect([...caches.feeds().promptKeys0!.data]).toEqual([3, 3, 0, 0, 4, 4, 0, 0])
    expect([...caches.feeds().promptValues0!.data]).toEqual([7, 7, 0, 0, 8, 8, 0, 0])
  })
})
