/**
 * So many at once, the others in the order in which they came. What fits begins in the very turn that asks for it: a
 * turn later could change the order of a workflow's commands. Where nobody may wait, all begin at once, as they did in
 * histories that were recorded without it.
 */
export class Window {
  readonly #most: number
  readonly #mayWait: () => boolean
  readonly #waiting: (() => void)[] = []
  #open = 0
  /** Asked once: a history is of one kind throughout. */
  #waits: boolean | null = null

  constructor(most: number, mayWait: () => boolean = () => true) {
    this.#most = most
    this.#mayWait = mayWait
  }

  /** What `begin` comes to, once there was room for it. */
  enter<T>(begin: () => Promise<T>): Promise<T> {
    if (this.#open < this.#most) return this.#begun(begin)
    this.#waits ??= this.#mayWait()
    if (!this.#waits) return this.#begun(begin)
    return new Promise((resolve) => this.#waiting.push(() => resolve(this.#begun(begin))))
  }

  #begun<T>(begin: () => Promise<T>): Promise<T> {
    this.#open += 1
    const ended = begin()
    const leave = () => {
      this.#open -= 1
      this.#waiting.shift()?.()
    }
    ended.then(leave, leave)
    return ended
  }
}
