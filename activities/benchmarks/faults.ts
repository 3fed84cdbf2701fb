/** What is wrong with problems, or keeps them from being had. Both are for good: no attempt finds another file. */
export class InvalidData extends Error {
  override readonly name = 'InvalidData'
}

/** A file that cannot be had, whatever is in it. */
export class DataUnavailable extends InvalidData {}

/** More than is held at once, which no other row can mend. */
export class TooMuch extends InvalidData {}
