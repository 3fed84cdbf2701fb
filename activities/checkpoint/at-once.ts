/** `action` for 0..count-1, some at once; after a failure nothing new begins, and what runs is waited for. */
export async function atOnce<T>(
  limit: number,
  count: number,
  action: (i: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const lane = async () => {
    while (next < count) {
      const i = next++
      try {
        results[i] = await action(i)
      } catch (error) {
        next = count
        throw error
      }
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: limit }, lane))
  for (const outcome of lanes) if (outcome.status === 'rejected') throw outcome.reason
  return results
}
