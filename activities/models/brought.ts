/** One file of a model's source, read while nothing else of it is wanted: brought to a path, and gone afterwards. */
import { rm } from 'node:fs/promises'
import type { Reader } from '../reading/reader.ts'
import type { ModelConfig } from '../policy/config.ts'
import type { Control } from '../engine/port.ts'
import { ModelUnavailable, openSource, type Bring, type ModelSource, type Reach } from './source.ts'

/** Where such a file may lie, who reads it, and how long. */
export interface Reading {
  readonly scratch: (name: string) => Promise<string>
  readonly reader: Reader
  readonly control: Control
}

/** A model's source; its index, where it has one, is read by the reader. */
export const openModel = (model: string, reach: Reach, reading: Reading): Promise<ModelSource> =>
  openSource(model, {
    ...reach,
    readIndex: (bring) =>
      brought('index', bring, reading, (path) =>
        reading.reader.ask('index', `model ${model}`, { path }, reading.control),
      ),
  })

/** A model's configuration, without anything else of it being taken in. */
export async function configOf(model: string, reach: Reach, reading: Reading): Promise<ModelConfig> {
  const name = 'config.json'
  const file = (await openModel(model, reach, reading)).files.find((one) => one.name === name)
  if (file === undefined) throw new ModelUnavailable(`model ${model}: no ${name}`)
  return brought(name, file.bring, reading, (path) =>
    reading.reader.ask('config', `model ${model}`, { files: [{ name, path }] }, reading.control),
  )
}

async function brought<T>(
  name: string,
  bring: Bring,
  { scratch, control }: Reading,
  read: (path: string) => Promise<T>,
): Promise<T> {
  const path = await scratch(name)
  try {
    await bring(path, control.signal)
    return await read(path)
  } finally {
    await rm(path, { force: true })
  }
}
