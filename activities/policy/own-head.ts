/**
 * A head beside a configuration that says there is none (`tie_word_embeddings`): transformers 5 keeps both where both are
 * in the files, and so does this. One with the very values of the embedding is the embedding, as many files have it.
 */
import { embeddingName, headName, type ModelConfig } from './config.ts'
import { CorruptModel, readTensor, type StoredTensor } from './safetensors.ts'

/** Elements that are compared at once: a head may be larger than what is left of memory. */
const atOnce = 2 ** 21

/** Throws CorruptModel where the head has another shape than the embedding of the configuration. */
export async function hasOwnHead(
  { tied, vocabulary, width }: ModelConfig,
  tensors: ReadonlyMap<string, StoredTensor>,
): Promise<boolean> {
  const [head, embedding] = [tensors.get(headName), tensors.get(embeddingName)]
  if (!tied || head === undefined || embedding === undefined) return false
  const isShaped = ({ shape: [rows, columns, ...more] }: StoredTensor) =>
    rows === vocabulary && columns === width && more.length === 0
  if (!isShaped(embedding)) return false // which is refused by itself
  if (!isShaped(head))
    throw new CorruptModel(
      `${head.file}: tensor ${headName}: expected [${vocabulary},${width}], the embedding's shape, ` +
        `found [${head.shape.join(',').slice(0, 200)}]`,
    )
  for (let from = 0; from < vocabulary * width; from += atOnce) {
    const [one, other] = [
      await readTensor(head, from, from + atOnce),
      await readTensor(embedding, from, from + atOnce),
    ]
    if (!bytesOf(one).equals(bytesOf(other))) return true
  }
  return false
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  Buffer.from(buffer, byteOffset, byteLength)
