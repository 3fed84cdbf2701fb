/**
 * The reader's port: everything that reads what a user or a repository provides is asked of it, and runs where it can
 * be stopped: in a child process whose time and memory are bounded, never on the event loop that runs all workflows.
 *
 * What is asked and what is answered are structured clones; files are named by path, and large results are files.
 * Errors of the reading code come back with their name and message. Leaves out: anything that needs a network, a store
 * or a credential; what is brought from there is a local file first.
 */
import type { LocalFile } from '../benchmarks/local.ts'
import type { Problem } from '../benchmarks/problem.ts'
import type { DataFindings, DataSpec } from '../contracts.ts'
import type { Control } from '../engine/port.ts'
import type { ModelConfig } from '../policy/config.ts'
import type { PolicyFile } from '../policy/safetensors.ts'
import type { PromptText } from '../spec/prompt.ts'

/** A policy's files that are no weights; the digest names what is in them, so that what was opened can be kept. */
export interface TextFile extends PolicyFile {
  readonly digest: string
}

/** What of a problem a prompt is made of. */
export type AskedProblem = Pick<Problem, 'id' | 'problem' | 'messages'>

export interface Asking {
  readonly tokenizer: readonly TextFile[]
  /** A prompt's name or a template with {problem}. */
  readonly prompt: string
  /** What the chat template is told when it asks for today. */
  readonly date?: string
}

/** What a model's files do not say themselves. */
export interface Explicit {
  /** For people. */
  readonly notes: readonly string[]
  /** Files in whose place these stand, or that are added. */
  readonly written: readonly { readonly name: string; readonly text: string }[]
}

/** What can be asked, and what is answered. */
export interface Jobs {
  /** The weight files that a model.safetensors.index.json names, in order, each once. */
  readonly index: { readonly ask: { readonly path: string }; readonly answer: readonly string[] }
  /** The configuration among a policy's files. */
  readonly config: { readonly ask: { readonly files: readonly PolicyFile[] }; readonly answer: ModelConfig }
  /** Opens a model as sampling and training will, and tries its tokenizer and template on a few texts. */
  readonly model: { readonly ask: { readonly files: readonly PolicyFile[] }; readonly answer: Explicit }
  /** Whether a policy's tokenizer has tokens for all that a prompt writes around a problem. */
  readonly canRead: { readonly ask: Asking; readonly answer: boolean }
  /** What a policy reads for each problem. */
  readonly prompts: {
    readonly ask: Asking & { readonly problems: readonly AskedProblem[] }
    readonly answer: readonly PromptText[]
  }
  /** Reads the problems that a spec's data stands for, and writes them, canonical, to a file. */
  readonly data: {
    readonly ask: {
      readonly data: DataSpec
      readonly files: readonly LocalFile[]
      /** Of all files together. */
      readonly sizeBytes: number
      readonly to: string
      /** Answers are taken whole, whatever they end in, unless the spec says otherwise. */
      readonly whole?: boolean
    }
    readonly answer: {
      readonly count: number
      readonly findings: DataFindings
      /** Whether some have several answers, or messages. */
      readonly isLayered: boolean
    }
  }
}
export type JobName = keyof Jobs

export interface Reader {
  /** `what` begins the message of whatever goes wrong: "model nano/coder". */
  ask<J extends JobName>(
    job: J,
    what: string,
    ask: Jobs[J]['ask'],
    control: Control,
  ): Promise<Jobs[J]['answer']>
  close(): Promise<void>
}

/** Reading did not end, or went on too slowly: a pattern, a loop or a size that nothing can be done with. */
export class ReadingTimedOut extends Error {
  override readonly name = 'ReadingTimedOut'
}

/** Reading wanted more memory than it may have. */
export class ReadingTooLarge extends Error {
  override readonly name = 'ReadingTooLarge'
}

/** The reading process ended by itself, or could not be started: maybe its input, maybe its machine. */
export class ReaderLost extends Error {
  override readonly name = 'ReaderLost'
}
