/**
 * The store: MB/s of a 256 MiB blob, as a checkpoint is written (`adopt`: digest, upload) and as another worker reads it
 * (`file`: download, verify), in a folder and in S3 where versitygw can be had. Both ends are on this machine and the page
 * cache is warm: the figure is what digests, copies and the protocol cost, not a disk's or a network's.
 */
import { randomFillSync } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { openBlobs } from '../activities/checkpoint/cache.ts'
import { openStore } from '../activities/checkpoint/open.ts'
import type { Store } from '../activities/checkpoint/store.ts'
import { leash, type Leashed } from '../infra/leash.ts'
import { provision } from '../infra/provision.ts'
import {
  bucket,
  credentialsIn,
  freePort,
  listening,
  loopback,
  versitygwArguments,
  versitygwEnvironment,
} from '../infra/servers.ts'
import type { Benchmark, Comparison, Measured } from './comparison.ts'
import { secondsSince } from './model.ts'

interface Work {
  readonly kind: 'file' | 's3'
  readonly folder: string
}

const SIZE_BYTES = 2 ** 28

export const store: Benchmark = {
  async comparisons({ folder }) {
    const gateway = await provision('versitygw')
    const kinds = gateway === null ? (['file'] as const) : (['file', 's3'] as const)
    return {
      comparisons: kinds.map((kind) => row({ kind, folder })),
      missing: gateway === null ? ['versitygw: no figures of S3'] : [],
    }
  },

  async measure(args) {
    const { kind, folder: parent } = args as Work
    await mkdir(parent, { recursive: true })
    const folder = await mkdtemp(join(parent, 'store-'))
    const gateway = kind === 's3' ? await startGateway(folder) : null
    try {
      const opened = await openStore(
        kind === 's3' ? `s3://${bucket}` : pathToFileURL(join(folder, 'store')).href,
      )
      const figures = await transfer(opened, folder)
      await opened.close()
      return figures
    } finally {
      await gateway?.stop()
      await rm(folder, { recursive: true, force: true })
    }
  },
}

function row(work: Work): Comparison {
  const label = `store ${work.kind === 's3' ? 's3:// (versitygw)' : 'file://'}, 256 MiB`
  return {
    label,
    ours: work,
    peer: null,
    figures: [
      { name: `${label}: put`, unit: 'MB/s', better: 'more', ours: 'putMBPerSecond' },
      { name: `${label}: get`, unit: 'MB/s', better: 'more', ours: 'getMBPerSecond' },
    ],
  }
}

async function transfer(opened: Store, folder: string): Promise<Measured> {
  const writer = openBlobs(opened, join(folder, 'writer'))
  const reader = openBlobs(opened, join(folder, 'reader'))
  const path = await writer.scratch('blob')
  await writeFile(path, randomFillSync(new Uint8Array(SIZE_BYTES)))
  const start = performance.now()
  const ref = await writer.adopt(path)
  const putSeconds = secondsSince(start)
  const again = performance.now()
  await reader.file(ref)
  const getSeconds = secondsSince(again)
  const mb = SIZE_BYTES / 1e6
  return { putMBPerSecond: mb / putSeconds, getMBPerSecond: mb / getSeconds }
}

/** A versitygw of this process alone, named to the S3 client by the environment. */
async function startGateway(folder: string): Promise<Leashed> {
  const program = await provision('versitygw')
  if (program === null) throw new Error('store: no versitygw')
  const objects = join(folder, 'objects')
  await mkdir(join(objects, bucket), { recursive: true }) // a folder of the gateway's root is a bucket
  const credentials = await credentialsIn(folder)
  const port = await freePort(0)
  const gateway = leash(program, versitygwArguments(objects, port), {
    env: versitygwEnvironment(credentials),
    log: join(folder, 'versitygw.log'),
    graceSeconds: 5,
  })
  delete process.env['AWS_PROFILE'] // the SDK prefers a profile and completes keys with a token: both somebody else's
  delete process.env['AWS_SESSION_TOKEN']
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: credentials.accessKey,
    AWS_SECRET_ACCESS_KEY: credentials.secretKey,
    AWS_ENDPOINT_URL_S3: `http://${loopback}:${port}`,
    AWS_REGION: 'us-east-1',
  })
  for (let i = 0; i < 100 && !(await listening(loopback, port)); i++) await sleep(100)
  return gateway
}
