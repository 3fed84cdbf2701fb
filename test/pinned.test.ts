/**
 * Values that are recorded somewhere: identities, keys, digests, lineages, streams. Runs find by them what earlier builds
 * left in a store, so none may move. Literals on purpose: a value here changes only in a commit that says why.
 *
 * Digests of sampled tokens and trained weights differ between processors and are not here; activities that would
 * compute are given an engine whose answers are written out (written.ts). Made-up digests are one digit, 64 times.
 */
import { policyOf } from '../activities/engine/embedded.ts'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SUMMARY_VERSION } from '../activities/analysis/accuracy.ts'
import { canonical, digestOf } from '../activities/checkpoint/canonical.ts'
import { commit, requireDocument } from '../activities/checkpoint/documents.ts'
import * as keys from '../activities/checkpoint/keys.ts'
import {
  encode,
  labelsTable,
  requireTable,
  resultsTable,
  rewardsTable,
  rolloutsTable,
  writeTable,
} from '../activities/checkpoint/tables.ts'
import { completionsOf, type Wanted } from '../activities/completions.ts'
import * as contracts from '../activities/contracts.ts'
import type { DataSpec, Label, ResolvedTrain } from '../activities/contracts.ts'
import { NUMERICS_VERSION } from '../activities/engine/embedded.ts'
import { GRADER_VERSION } from '../activities/grading/index.ts'
import { minibatches } from '../activities/grpo/batch.ts'
import { score } from '../activities/rewards/index.ts'
import { stream } from '../activities/seed.ts'
import { cellsOf, controls, specOf } from '../activities/spec/arms.ts'
import { batchOf } from '../activities/spec/batch.ts'
import { identityOf, parseSpec, resolveTrain } from '../activities/spec/resolve.ts'
import { loadProblems } from './benchmarks/loading.ts'
import { furnish, type Written } from './written.ts'

const digest = (digit: string) => digit.repeat(64)
const repository = join(import.meta.dirname, '..')

let worker: Written
beforeAll(async () => (worker = await furnish()))
afterAll(() => worker.close())

const noNetwork = { folder: null, fetch: () => Promise.reject(new Error('no network')) }
const takeIn = (data: DataSpec) => worker.run(worker.verbs.intakeData, { data })
const modelOf = (model: string) => worker.run(worker.verbs.intakeModel, { model })
const dataOf = async (data: DataSpec) =>
  requireDocument(worker.store, (await takeIn(data)).source, contracts.DataDocument)

it('the versions by which results are told from those of other builds', () => {
  expect({ NUMERICS_VERSION, GRADER_VERSION, SUMMARY_VERSION }).toEqual({
    NUMERICS_VERSION: 1,
    GRADER_VERSION: 'placebo-4',
    SUMMARY_VERSION: 3,
  })
})

describe('examples', async () => {
  const folder = join(repository, 'examples')
  const read = async (file: string) =>
    JSON.parse(await readFile(join(folder, file), 'utf8')) as { readonly $schema: string }
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json'))
  const examples = await Promise.all(
    files.map(async (file) => {
      const given = await read(file)
      return { file, type: basename(given.$schema, '.json'), given }
    }),
  )

  /** Every training run of the examples by a name: of sweeps, each model and arm with the first seed. */
  function* runs(): Iterable<readonly [name: string, spec: ResolvedTrain]> {
    for (const { file, given } of examples.filter(({ type }) => type === 'train'))
      yield [file, resolveTrain(given)]
    for (const { file, given } of examples.filter(({ type }) => type === 'sweep')) {
      const parsed = parseSpec(contracts.SweepSpec, given, 'sweep spec')
      const sweep = parsed.controls ? controls(parsed) : parsed
      for (const cell of cellsOf('s', { ...sweep, seeds: sweep.seeds.slice(0, 1) }))
        yield [`${file} ${cell.model} ${cell.arm}`, specOf(sweep, cell)]
    }
  }

  it('are training runs of these identities', async () => {
    const identities: Record<string, string> = {}
    for (const [name, spec] of runs()) {
      // Models and problems that lie elsewhere are made up, and so are problems whose labels would have to be sampled.
      const isHere = spec.data.name === 'nano' && spec.labels === undefined
      const policy = spec.model.startsWith('nano/') ? (await modelOf(spec.model)).policy : digest('0')
      const problems = isHere ? (await dataOf(spec.data)).problems.digest : digest('1')
      identities[name] = identityOf({ spec, policy, problems })
    }
    expect(identities).toEqual({
      'own-data.json': 'e1ef4a74055af30587214d058c4b0ad09f266d9a6161cab8815a28bbc55908ae',
      'smollm2.json': '0cdf2aa0e6b0b0080992bf9a3b88228479cdd08d265369312024ea6eb10c4b68',
      'train.json': '5c4cd7c884eff00c14a5fc0684ef7555db057175603347aaeef0ba1a660d5845',
      'rewards.json nano/coder null': '5c4cd7c884eff00c14a5fc0684ef7555db057175603347aaeef0ba1a660d5845',
      'rewards.json nano/coder format': '8997c9e383e2da5e7a25b292afb74287cede6c8b56fb21fd3e9d22d64a36fd64',
      'rewards.json nano/coder random': 'f7e52a947a9de9e8cfabc6fa5adf6edd86dc3ef9db7742f45ee972eec9e7982c',
      'rewards.json nano/coder ground-truth':
        '5c4cd7c884eff00c14a5fc0684ef7555db057175603347aaeef0ba1a660d5845',
      'rewards.json nano/coder majority': '170c5c4de19025cbab8688f2d5d33ec11b2cc5a9111bd92ff31d7d8286dc703c',
      'rewards.json nano/coder incorrect': 'da93fb4690d4bf6fb56a6308ab1688f48daf8bf5e0021a1bee13cab34b94a8d5',
      'rewards.json nano/coder one-shot': 'a8315f47f621d78aaac9e72dd3934086aedeb2cfff11cac1f156b1437c248490',
      'rewards.json nano/coder random-07': '3576233d8139b43c20363a97a96bf5984e6882199139d6845321d29149279ac7',
      'rewards.json nano/coder random-03': 'de7098315f859cafe0bd33c06d1e5fa9fcd9f640d0988e134859f9874e61f83f',
      'rewards.json nano/coder random-0001':
        '6e92342176bd346e467e3dfbb5fa4801c93938948f9a337cbeef3c2e392a505d',
      'rewards.json nano/coder random-0': 'ec3d8eb1674b3832151f1bf4375963dca6fc01488677ba4f6772b5622a24eae7',
      'rewards.json nano/coder python': 'fbb1c7bed30b305fd44c9479e1c4d07dedb880609b745cb54b91c31be5642fb7',
      'rewards.json nano/coder no-repetition':
        'e9e844214167c2f23998b6091ab68843db5478d348385320ed17e0b6a2913ef2',
      'rewards.json nano/coder format-no-python':
        '46e74e8a5b57d9f431ff71a26fd8485c65f1563f5be0927e37d14370618e8084',
      'rewards.json nano/talker null': '18d2b9edf7be708144dee1456d2c178153e9ab8787604e7cc5fdfcb5371fdf1c',
      'rewards.json nano/talker format': 'f57b8bb9328afa4cb3e3f3f20b3322dcade04cc8794c66cad81ba065f27481a4',
      'rewards.json nano/talker random': '8982f559b4208d06bab93a049683c12dee71a480138b56f8b7ee058aac47a1ab',
      'rewards.json nano/talker ground-truth':
        '18d2b9edf7be708144dee1456d2c178153e9ab8787604e7cc5fdfcb5371fdf1c',
      'rewards.json nano/talker majority': 'fc210eaa26837fcdbab9906ab04576872ed7a5f1094c8ac31514daf526b4204b',
      'rewards.json nano/talker incorrect':
        'efac1fc43a38301f16030cc1d96809dbfd78e5c3b2a8bd00b99f65a7368eec71',
      'rewards.json nano/talker one-shot': '21c7035cca801c34d8ac831367dc8748bc1ab5a725b5e3599621e4d48460321c',
      'rewards.json nano/talker random-07':
        '2167845185984cae76b325613c55d45788722a1231938dc388f04893efbfca2d',
      'rewards.json nano/talker random-03':
        '640f01c7441d7cc27e8ff6f1a364f4df0fa470628817877c1071f435df19ce5e',
      'rewards.json nano/talker random-0001':
        'c83bdeff9de67d2d3501e5c4ce0b97a68159ebaa8cde40ef4c2a7d27c821e449',
      'rewards.json nano/talker random-0': '483882e01ac83d2c97bcb2b3b4c353110053ddce2d80b0a23da6c39cbdfaaa18',
      'rewards.json nano/talker python': 'fb2428250626590c16a8ca3c59b3e490b1d34f8f88bc09a8a32cfc1e96b0ce61',
      'rewards.json nano/talker no-repetition':
        '17a645ef5e932dd3f1884850666f327bdd742e37c6fe19af49b5d8d51fb04663',
      'rewards.json nano/talker format-no-python':
        'aaa85ad0343473a0127e8d41dae5b815d3723293bd727fad6e146933148d927c',
      'sweep.json nano/coder null': '5c4cd7c884eff00c14a5fc0684ef7555db057175603347aaeef0ba1a660d5845',
      'sweep.json nano/coder format': '8997c9e383e2da5e7a25b292afb74287cede6c8b56fb21fd3e9d22d64a36fd64',
      'sweep.json nano/coder random': 'f7e52a947a9de9e8cfabc6fa5adf6edd86dc3ef9db7742f45ee972eec9e7982c',
      'sweep.json nano/coder ground-truth':
        '5c4cd7c884eff00c14a5fc0684ef7555db057175603347aaeef0ba1a660d5845',
      'sweep.json nano/talker null': '18d2b9edf7be708144dee1456d2c178153e9ab8787604e7cc5fdfcb5371fdf1c',
      'sweep.json nano/talker format': 'f57b8bb9328afa4cb3e3f3f20b3322dcade04cc8794c66cad81ba065f27481a4',
      'sweep.json nano/talker random': '8982f559b4208d06bab93a049683c12dee71a480138b56f8b7ee058aac47a1ab',
      'sweep.json nano/talker ground-truth':
        '18d2b9edf7be708144dee1456d2c178153e9ab8787604e7cc5fdfcb5371fdf1c',
    })
  })

  it('that start other workflows are read as these specs, by their digests', () => {
    const schemas = {
      evaluate: contracts.EvaluateSpec,
      gc: contracts.GcSpec,
      label: contracts.LabelSpec,
      pretrain: contracts.PretrainSpec,
      probe: contracts.ProbeSpec,
      score: contracts.ScoreSpec,
      sweep: contracts.SweepSpec,
      verify: contracts.VerifySpec,
    }
    const parsed = examples
      .filter(({ type }) => type !== 'train')
      .map(({ file, type, given }) => [file, digestOf(schemas[type as keyof typeof schemas].parse(given))])
    expect(Object.fromEntries(parsed)).toEqual({
      'evaluate.json': 'bf742afc29f2542bc58f298bef8f13d91fa4d74f57eed30f99df91052a5af92f',
      'gc.json': 'dcc35db6ce767494cfc4affc3d6edd06d77411688f9ec233afd1d89ddfd12851',
      'label.json': '4364c6e11224638e5e89c233c42daca939c095f146bf312f10b9028812af88f4',
      'pretrain.json': 'eeaa67b8492518781793a0c21d758fe986fde6439a96dadc0f04631c761e2bbf',
      'probe.json': '5e9b705c5cb97245f6eab5f264e2ab877398181d472a1e79f32db3bbdfe143ad',
      'rewards.json': '7de5b365ae7a7dbd4afc516d34a44fdf8dc70d2cc9947a9cf51c23498578f8a4',
      'score.json': 'c348eb9f5561269e309fcdb1524b28b375a64d56ba79c339a0fff262e0be45e2',
      'sweep.json': '082a5b0a774665ad59a13760bedc426fd5de48a7da35d6c03f5c18aaa26b8e76',
      'verify.json': '45a14e47443e32f8cc7dfc08bdb779c65086fad8d9ba6883a5a2b6ed06fa3f2e',
    })
  })
})

it('the resolved spec of each preset, with labels and without, by its digest', () => {
  const resolved = (['paper', 'reference', 'demo'] as const).flatMap((preset) =>
    (['format', 'majority'] as const).map((reward) => [
      `${preset} ${reward}`,
      digestOf(resolveTrain({ preset, model: 'nano/coder', reward })),
    ]),
  )
  expect(Object.fromEntries(resolved)).toEqual({
    'paper format': 'ba0543f1a60c422bdd033544b2eadbf9ddf5be7ed3d4b14aac7884bb50ca210d',
    'paper majority': '8587747eaff985c504fad8b044d2bea9f460fe60f84a2b3750486adccf3e920b',
    'reference format': '6d079e4a3563f49146c5a961a5489008d7dc2ffe72e67d32aefaf55141ec1ad9',
    'reference majority': 'b888b4e29ac506bc9838b6a864e263645e9a35ff6c3ff7e9048f1feba518fbe6',
    'demo format': 'df93a4d810344901a2ae03e01de502da3ed386a127b049e142941ae418bbadb9',
    'demo majority': '6366cd484b54cd7022781f2f601a4d1a0ca782255a405ab9b0eb04e585b4cfa3',
  })
})

describe('models', () => {
  it('of this repository have these policy digests, which digests.json repeats, and lie under them', async () => {
    const folder = join(repository, 'models', 'nano')
    const entries = await readdir(folder, { withFileTypes: true })
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
    const taken = await Promise.all(names.map((name) => modelOf(`nano/${name}`)))
    const digests = Object.fromEntries(names.map((name, i) => [name, taken[i]?.policy]))
    expect(digests).toEqual({
      coder: '1ef6551c99d0eebcc21d05cbb2b626d6131866eb85ac83a578d0b6f0bc7575ba',
      'coder-llama': '7fe9e940520ed864163d909d12ac6304a7068158192c8c95a96ef06286b1e487',
      talker: 'e497d9aa973c7c992c04379ff592a1a9def1c0016b21cdaa88aa2f21c011e123',
    })
    expect(JSON.parse(await readFile(join(folder, 'digests.json'), 'utf8'))).toEqual(digests)
    expect(taken.map(({ source }) => source)).toEqual(names.map((name) => `models/${digests[name]}.json`))
  })

  it('of the Hub lie under their pinned source', async () => {
    const sha = 'a'.repeat(40)
    const info = { id: 'o/m', _id: '1', modelId: 'o/m', sha, private: false, gated: false, downloads: 0, likes: 0, lastModified: '2026-01-01' } // prettier-ignore
    const names = ['config.json', 'tokenizer.json', 'model.safetensors']
    const tree = names.map((path) => ({ type: 'file', path, size: 1, oid: 'x' }))
    const server = createServer(({ url = '' }, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(url.includes('/tree/') ? tree : info))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const hub = await furnish({ endpoint: `http://127.0.0.1:${port}` })
    try {
      // What was taken in before is found by its key, without a download.
      const key = 'models/5c1d628cddc4ba03f37a85b953c34fb6c258372c039fa6e6f837f8d862143755.json'
      const policy = policyOf(names.map((name) => ({ name, digest: digest('1'), sizeBytes: 1 })))
      await commit(hub.store, key, contracts.ModelDocument, { format: 1, source: `hf://o/m@${sha}`, policy })
      const taken = await hub.run(hub.verbs.intakeModel, { model: `hf://o/m@${sha}` })
      expect(taken).toEqual({ source: key, policy: policy.digest })
    } finally {
      server.close()
      await hub.close()
    }
  })
})

describe('problems', () => {
  it('that are made here have these digests, and lie under these keys', async () => {
    const sets = (['nano', 'arithmetic'] as const).flatMap(
      (name) => [{ name }, { name, split: 'test' }, { name, limit: 100, shuffle: 1 }] satisfies DataSpec[],
    )
    const taken: Record<string, unknown> = {}
    for (const data of [...sets, { name: 'nano', only: ['14+7*2'] } satisfies DataSpec]) {
      const { source } = await takeIn(data)
      const { problems } = await requireDocument(worker.store, source, contracts.DataDocument)
      taken[JSON.stringify(data)] = { source, problems: problems.digest }
    }
    expect(taken).toEqual({
      '{"name":"nano"}': {
        source: 'data/b0efe0bd281c50892672b26d3893544a70e7b1ae328e17153ed56791a469f66c.json',
        problems: '8266cdc679e46d7bd3f63a80ee24676f308b48f3b2a2708c128a416134e70586',
      },
      '{"name":"nano","split":"test"}': {
        source: 'data/724393e6555a3c9fd05134601ae764ca83fd0d920af0784d042501c68e0839b5.json',
        problems: '194ad05404ab3d1e09181c600f923f9b04e3bdb5fb3c27a66e8ebafe98c46d50',
      },
      '{"name":"nano","limit":100,"shuffle":1}': {
        source: 'data/d4edafd80c28fa3ae9c500ec6856d9a3cc071057366474c4173b821acfff53af.json',
        problems: '8bf03456d91b3b43bf76899bb64056947fd1d644670ed713eb83e85e8072d754',
      },
      '{"name":"arithmetic"}': {
        source: 'data/86d50cb2fd5110ff846810fc07528012fc2bb79b6aecf0390ca27844bf8b068e.json',
        problems: '1b4e2cad95d998cda131150b1a1ddad1bfcb9555a4ccdb9587c6eb5f62cc17cf',
      },
      '{"name":"arithmetic","split":"test"}': {
        source: 'data/59caddb42f7628787b0a593113d0b3a3e28d7cf94092c41b3edd41c9f2ba9da6.json',
        problems: '31c7b46e1f755342c9c0b89bb6efb795672da1cfc1a302200487b4a5583b5664',
      },
      '{"name":"arithmetic","limit":100,"shuffle":1}': {
        source: 'data/4ac18c16b3a71e694dbbe0c43d45011e24eb7d8734b4bc1093126d62a8229838.json',
        problems: '0ea584465a44004faa4a6c05280d8897ddd907541154c09c63806b45ecb25774',
      },
      '{"name":"nano","only":["14+7*2"]}': {
        source: 'data/4eeb3f4d2f15dd087a910724e6893864d2f2e6d8b94f5fd3d5960707fb1a7716.json',
        problems: '222419a55360dc549a14b9f43e39a1ef7dd5f18a0c82635655d2a11ba0c0b9dc',
      },
    })
  })

  it('are shuffled into this order', async () => {
    const problems = await loadProblems({ name: 'nano', shuffle: 7, limit: 6 }, noNetwork)
    expect(problems.map(({ id }) => id)).toEqual(['20+6*8', '12+6*3', '30+6*5', '2+4*3', '7+7*3', '22+7*6'])
  })

  it('of the Hub lie under their pinned source, columns and filters', async () => {
    const source = `hf://datasets/o/d@${'a'.repeat(40)}/train.parquet`
    const data: DataSpec = { source, columns: { problem: 'question' }, where: { level: [1, 2] }, limit: 10 }
    const key = 'data/2736c5471618d54fa3185ef106e8dc4189e3e8f0685700fa1e3bb8e0e08b3506.json'
    const problems = { digest: digest('1'), sizeBytes: 1 }
    await commit(worker.store, key, contracts.DataDocument, { format: 1, data, problems, count: 1 })
    expect(await takeIn(data)).toEqual({ source: key, count: 1 })
  })

  it('of a file lie under its name and what is in it', async () => {
    const path = join(worker.folder, 'own.jsonl')
    await writeFile(path, '{"question":"1+1","answer":"2"}')
    const data: DataSpec = { source: pathToFileURL(path).href, columns: { problem: 'question' }, shuffle: 1 }
    const problems = '66053900f76d5a7c7037ac4b1cb0d21628722af0ce790efd41ba00e4553d3eb6'
    expect((await takeIn(data)).source).toBe(keys.data(digestOf({ data, problems })))
    expect(digestOf({ data: { ...data, source: 'file:///data/own.jsonl' }, problems })).toBe(
      'a1e76d5adda8b082f0ceb23ff2caf3a3d47c2e6a523f21645e4ce46278ba21c3',
    )
  })

  it('with labels lie under the problems, the labels and the reward that they are for', async () => {
    const { source: data } = await takeIn({ name: 'nano', only: ['14+7*2', '8+7*6'] })
    const label = (problem: string, label: string, verdict: Label['verdict']): Label => ({ problem, label, votes: 3, answered: 4, samples: 4, answers: 2, verdict }) // prettier-ignore
    const rows = [label('14+7*2', '28', 'correct'), label('8+7*6', '90', 'incorrect')]
    const votes = {
      completions: digest('4'),
      grader: 'a grader',
      vote: 'equivalent',
      extract: 'box',
    } as const
    const [labels, tableKey] = [keys.labels(digestOf(votes)), keys.labelsTable(digestOf(votes))]
    const table = await writeTable(worker.store, tableKey, labelsTable, rows, digest('3'))
    const share = { value: 1, low: 0, high: 1 }
    const result = { problems: 2, samples: 4, labelled: 2, wrong: 1, labelledShare: share, wrongShare: share, agreement: share } // prettier-ignore
    await commit(worker.store, labels, contracts.LabelsDocument, {
      format: 1,
      policy: digest('0'),
      problems: digest('1'),
      ...votes,
      table,
      result,
    })
    const found: Record<string, unknown> = {}
    for (const reward of ['majority', 'incorrect'] as const) {
      const { source } = await worker.run(worker.verbs.relabel, { data, labels, reward, unlabelled: 'drop' })
      const { problems } = await requireDocument(worker.store, source, contracts.DataDocument)
      found[reward] = { source, problems: problems.digest }
    }
    expect(found).toEqual({
      majority: {
        source: 'data/c03296cbebe0ed1e06dc2b338cc8fd73eeecd80cac14f5870c539d1a7b0f4026.json',
        problems: '20e7837a4fdcc6e20fe3992ac3dde922b3469275b4467340e7a3c34b3135f56e',
      },
      incorrect: {
        source: 'data/efe7a1934520ff13c92a6d0c2ce52eb97a979db3cfcee1880c90bf56a79c63cb.json',
        problems: '875fc6c2d6786ae8be7f38cd78a9526d593486fa7af4cc895f05b752c165ae6f',
      },
    })
  })
})

describe('keys', () => {
  it('every kind of key of the store’s layout', () => {
    const [one, run] = [digest('a'), 'sweep:nano-coder:random:1']
    const given: Record<Exclude<keyof typeof keys, 'checkKey'>, string | number | null> = {
      store: keys.store,
      blob: keys.blob(one),
      blobs: keys.blobs('a'),
      spec: keys.spec(one),
      model: keys.model(one),
      data: keys.data(one),
      overlaps: keys.overlaps(one),
      pretrain: keys.pretrain(one),
      evaluation: keys.evaluation(one),
      completions: keys.completions(one, 3),
      unfinishedCompletions: keys.unfinishedCompletions(one, 3),
      unfinishedRollouts: keys.unfinishedRollouts(run, 12, 3),
      labels: keys.labels(one),
      labelsTable: keys.labelsTable(one),
      votes: keys.votes(one, 2),
      scores: keys.scores(one),
      probe: keys.probe(one),
      run: keys.run(run),
      overlap: keys.overlap(run),
      result: keys.result(run),
      steps: keys.steps(run),
      rollouts: keys.rollouts(run, 12, 3),
      rewards: keys.rewards(run, 12, 3),
      metrics: keys.metrics(run, 12),
      provenance: keys.provenance(run, 12),
      runEvaluation: keys.runEvaluation(run, 12, 'math-500'),
      checkpoints: keys.checkpoints(run),
      checkpoint: keys.checkpoint(run, 12),
      sweepResults: keys.sweepResults('nightly'),
      sweepResultsCsv: keys.sweepResultsCsv('nightly'),
      sweepRunsCsv: keys.sweepRunsCsv('nightly'),
      sweepRuns: keys.sweepRuns('nightly'),
      sweeps: keys.sweeps('nightly'),
      sweepOf: keys.sweepOf('sweeps/nightly/runs.json'),
      sweepReport: keys.sweepReport('nightly'),
      surveyed: keys.surveyed('survey', 'a'),
      surveyPage: keys.surveyPage('survey', 'a', 7),
      surveys: keys.surveys('survey'),
      stepOf: keys.stepOf('runs/r/checkpoints/000012.json'),
    }
    expect(given).toEqual({
      store: 'store.json',
      blob: 'blobs/sha256/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
      blobs: 'blobs/sha256/a',
      spec: 'specs/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.json',
      model: 'models/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.json',
      data: 'data/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.json',
      overlaps: 'overlaps/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.json',
      pretrain: 'pretrain/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.json',
      evaluation: 'evaluations/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.json',
      completions:
        'completions/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/completions-03.parquet',
      unfinishedCompletions:
        'completions/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/unfinished-03.parquet',
      unfinishedRollouts: 'runs/sweep:nano-coder:random:1/steps/000012/unfinished-03.parquet',
      labels: 'labels/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.json',
      labelsTable: 'labels/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.parquet',
      votes: 'labels/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/votes-02.parquet',
      scores: 'scores/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.parquet',
      probe: 'probes/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.json',
      run: 'runs/sweep:nano-coder:random:1/run.json',
      overlap: 'runs/sweep:nano-coder:random:1/overlap.json',
      result: 'runs/sweep:nano-coder:random:1/result.json',
      steps: 'runs/sweep:nano-coder:random:1/steps/',
      rollouts: 'runs/sweep:nano-coder:random:1/steps/000012/rollouts-03.parquet',
      rewards: 'runs/sweep:nano-coder:random:1/steps/000012/rewards-03.parquet',
      metrics: 'runs/sweep:nano-coder:random:1/steps/000012/metrics.json',
      provenance: 'runs/sweep:nano-coder:random:1/steps/000012/provenance.json',
      runEvaluation: 'runs/sweep:nano-coder:random:1/steps/000012/evaluation-math-500.json',
      checkpoints: 'runs/sweep:nano-coder:random:1/checkpoints/',
      checkpoint: 'runs/sweep:nano-coder:random:1/checkpoints/000012.json',
      sweepResults: 'sweeps/nightly/results.parquet',
      sweepResultsCsv: 'sweeps/nightly/results.csv',
      sweepRunsCsv: 'sweeps/nightly/runs.csv',
      sweepRuns: 'sweeps/nightly/runs.json',
      sweeps: 'sweeps/nightly',
      sweepOf: 'nightly',
      sweepReport: 'sweeps/nightly/report/index.html',
      surveyed: 'surveys/survey/a/',
      surveyPage: 'surveys/survey/a/000007.json',
      surveys: 'surveys/survey/',
      stepOf: 12,
    })
  })

  const wanted: Wanted = {
    source: 'models/m.json',
    policy: { digest: digest('0'), files: [] },
    problems: [{ id: 'p', problem: '1+1', answer: '2' }],
    data: digest('1'),
    prompt: 'plain',
    samples: 4,
    sampling: { temperature: 1, topP: 1, maxTokens: 46 },
    seed: 0,
    purpose: 'evaluate',
  }

  it('of completions for an evaluation, for labels, for a probe, and under a prompt that was revised', () => {
    expect({
      evaluate: completionsOf(wanted),
      label: completionsOf({ ...wanted, purpose: 'label' }),
      probe: completionsOf({ ...wanted, prompt: 'plain', samples: 1, share: 0.4 }),
      revised: completionsOf({ ...wanted, prompt: 'sober' }),
    }).toEqual({
      evaluate: '0552659d9e501294715d34cccd3965ab3ad3b358c66a037d2a57cd1dfede618e',
      label: '805d0a43374c615b5c87180f12773ceaf4a814155ac50294dec58a9e25795ce6',
      probe: '4d6cf44ed7542f96fd96943a16fb18921d5fd6e271adcaed79f04a64540b0b4d',
      revised: 'a9c78cd61aec2ea5db512b21145096ce7a2521ac0b73cc6811c8aee2eda4e4fb',
    })
  })

  const made = async () =>
    (await Promise.all(['completions/', 'evaluations/', 'probes/'].map(worker.keys))).flat()

  it('of evaluations: a benchmark as its protocol has it, and with everything overridden', async () => {
    const { verbs, run } = worker
    const { source } = await modelOf('nano/coder')
    await takeIn({ name: 'nano', split: 'test' })
    const overridden = { prompt: 'plain', seed: 3, limit: 4, maxTokens: 40, samples: 2, temperature: 0.5, extract: 'any' } // prettier-ignore
    const given = [{ prompt: 'plain', seed: 0, limit: 2 }, overridden] as const
    const found: Record<string, string[]> = {}
    for (const [i, own] of given.entries()) {
      const before = await made()
      const task = contracts.EvaluationTask.parse({ source, benchmark: 'nano', ...own })
      const { shards } = await run(verbs.planEvaluation, task)
      expect(shards).toBe(1)
      await run(verbs.complete, { task, shard: 0 })
      await run(verbs.judge, { task, shards })
      found[i === 0 ? 'protocol' : 'overridden'] = (await made()).filter((key) => !before.includes(key))
    }
    expect(found).toEqual({
      protocol: [
        'completions/78554b8e21fea8f94e55527a9cd6232c89cbc8eec0ee052b3585ed900c44a122/completions-00.parquet',
        'evaluations/fdff56125fcaa9cfeaa5dffedda930ddde9c7ab1236dc1b289012a53d3042385.json',
      ],
      overridden: [
        'completions/1f626b7503ccec142c81cc17bcf9e4336749619944e8226fcfd7f133c2696368/completions-00.parquet',
        'evaluations/dd11a07ec9ebfc4f233fa7f7026163b7bfe9970418adb23350dc63fc0d3762a1.json',
      ],
    })
  })

  it('of a probe and its completions', async () => {
    const { verbs, run } = worker
    const { source } = await modelOf('nano/coder')
    await takeIn({ name: 'nano', split: 'test' })
    const task = { source, benchmark: 'nano', share: 0.6, limit: 2 } as const
    const before = await made()
    await run(verbs.continueStatements, { task, shard: 0 })
    await run(verbs.judgeProbe, { task, shards: 1 })
    const found = (await made()).filter((key) => !before.includes(key))
    expect(found).toEqual([
      'completions/cf0558b0bca3f736aa8d2f03759156038605db374aab2517f1206563e09c530f/completions-00.parquet',
      'probes/e0cc4b1f1c0025da30a401b606c9262d0535ca1435de9cafe654638ed0aef9e6.json',
    ])
  })

  it('of labels, by how votes are counted and where an answer counts', async () => {
    const { source } = await modelOf('nano/coder')
    const { source: data } = await takeIn({ name: 'nano', limit: 4 })
    const sampling = { temperature: 1, topP: 1, maxTokens: 46 }
    const rules = (['equivalent', 'string'] as const).flatMap((vote) =>
      (['box', 'any'] as const).map((extract) => ({ vote, extract })),
    )
    const found: Record<string, string> = {}
    for (const rule of rules) {
      const task = { source, data, samples: 4, seed: 0, prompt: 'plain', sampling, ...rule }
      found[`${rule.vote} ${rule.extract}`] = (await worker.run(worker.verbs.planLabels, task)).labels
    }
    expect(found).toEqual({
      'equivalent box': 'labels/7aca309564776f1ab2cf1def784fd0ba8fa748b2c21e6ad2cb49ffdf97ac8638.json',
      'equivalent any': 'labels/df11f8b73ab8334b9b87a27544fe538ef03252169a44b185408d1a9a0c21babd.json',
      'string box': 'labels/56a600c7ed89dfd70e1f04932c5d3823d60317d066304f967d7e5dbb603e113a.json',
      'string any': 'labels/fa0dc5b6715245c0003bf2e3cc53dbd079e4bfda50898b68448e891535d38e10.json',
    })
  })

  it('of a model on its way: its first weights, and a chunk of updates after a made-up parent', async () => {
    const { verbs, run, store } = worker
    const policy = policyOf(['config.json', 'model.safetensors'].map((name) => ({ name, digest: digest('1'), sizeBytes: 1 }))) // prettier-ignore
    const optimizer = { name: 'adamw' as const, updates: 0, state: [] }
    const parent = { policy, lineage: digest('3'), optimizer }
    await commit(store, keys.pretrain(digest('3')), contracts.PretrainDocument, { format: 1, checkpoint: parent, loss: null }) // prettier-ignore
    const learn = (recipe: 'coder' | 'talker', phase: string, from: number, to: number) =>
      run(verbs.learn, { recipe, seed: 0, phase, from, to, checkpoint: digest('3') })
    expect({
      // Its normal numbers come of V8's own logarithm and cosine, so they do not depend on the processor.
      initialised: await run(verbs.initialise, { recipe: 'coder', seed: 0 }),
      first: (await learn('coder', 'base', 0, 2)).checkpoint,
      'the same of another recipe': (await learn('talker', 'base', 0, 2)).checkpoint,
      later: (await learn('coder', 'coder', 2, 3)).checkpoint,
    }).toEqual({
      initialised: '12c99dd63f744bcc82ca7f7a7e7153f1f3d959da163ff49a3f24da9d971b6956',
      first: 'f89a4ce089dbf88cfbcb72ac5b945162e173f34dc5c69f10572deae257c65cb8',
      'the same of another recipe': 'f89a4ce089dbf88cfbcb72ac5b945162e173f34dc5c69f10572deae257c65cb8',
      later: '15914aee03b77ce9db5dbaceaaf77b8cf8f6859b2cf19cb5b0999290469c57a8',
    })
  })
})

describe('tables, by the digests of their rows', () => {
  const place = { problem: '14+7*2', occurrence: 0, sample: 1 }

  it('of each kind', () => {
    const rollout = {
      ...place,
      prompt: 'calc 14+7*2\n',
      completion: 'so \\boxed{28} é\ud83d', // half a character, as a stop string leaves it
      promptTokens: [1, 2, 3],
      tokens: [4, 5, 2],
      logprobs: [-0.1, -1e-7, -12.5], // the first two are rounded to float32
      stop: 'end' as const,
      policy: digest('0'),
      strategy: 'language' as const,
    }
    const scored = { ...place, value: 0.5, verdict: 'correct' as const, reason: '28 = 28', components: { format: 1, 'random(0.5)': 0 } } // prettier-ignore
    const label = { problem: place.problem, label: '28', votes: 3, answered: 4, samples: 4, answers: 2, verdict: 'correct' as const } // prettier-ignore
    const results = [
      { run: 'a', step: 0, accuracy: 0.25 },
      { run: 'b', step: 5, accuracy: null, failure: 'so' },
    ]
    expect({
      rollouts: encode(rolloutsTable, [rollout, { ...rollout, sample: 0 }], digest('1')).digest,
      rewards: encode(rewardsTable, [scored, { ...scored, sample: 0 }], digest('1')).digest,
      labels: encode(labelsTable, [label, { ...label, problem: '1+2*3' }], digest('1')).digest,
      results: encode(resultsTable, results, digest('1')).digest,
    }).toEqual({
      rollouts: '20387f29bbc6efd04cda66200dfb03e4f72bb43b3611055c68546de5a39b1c70',
      rewards: 'fc5353b6f4066dcaf2d3fbe0b1afccaf6d96accb9ca11dd5b880a7326f4fcda0',
      labels: '077f9e0e0031ffa27f31c540aa575a882bba9711b40a14cd1c44a958d0d8e09d',
      results: '3cf5c77f68943f3f69fe340db2a8f8a64246b57865401ef3735dc68b2f6fd4a4',
    })
  })
})

it('a document, by its canonical JSON', () => {
  const document = { b: [1, 2.5, 1e21, 1e-7, -0], a: { é: 'ü\u2028', '': null, B: true }, gone: undefined }
  expect(canonical(document)).toBe('{"a":{"":null,"B":true,"é":"ü\u2028"},"b":[1,2.5,1e+21,1e-7,0]}')
  expect(digestOf(document)).toBe('09737bee279f87ab6a2994cb6468d408341b4b0feaa3f11517fc84d7709d46ae')
})

describe('a run of two steps', () => {
  const given = {
    preset: 'demo',
    model: 'nano/coder',
    reward: 'ground-truth',
    seed: 1,
    steps: 2,
    data: { name: 'nano', only: ['14+7*2', '8+7*6'] },
    batch: { problems: 2, group: 2, minibatch: 2 },
    checkpoint: { every: 2 },
  }

  /** Enrolled, sampled, rewarded, learnt from: what it left. */
  async function trained() {
    const { verbs, run, store } = worker
    const spec = resolveTrain(given)
    const [model, data] = [(await modelOf(spec.model)).source, (await takeIn(spec.data)).source]
    const { spec: specKey, shards } = await run(verbs.enroll, { run: 'r', spec, model, data })
    for (const step of [1, 2]) {
      const task = { run: 'r', spec: specKey, step }
      await run(verbs.sample, { ...task, shard: 0 })
      await run(verbs.reward, { ...task, shard: 0 })
      await run(verbs.step, { ...task, shards })
    }
    const checkpoints = await Promise.all(
      [0, 1, 2].map((step) =>
        requireDocument(store, keys.checkpoint('r', step), contracts.CheckpointDocument),
      ),
    )
    return { specKey, checkpoints }
  }
  let left: Awaited<ReturnType<typeof trained>>
  beforeAll(async () => (left = await trained()))

  it('has this spec, and this lineage at its steps 0, 1 and 2', () => {
    const lineages = left.checkpoints.map(({ checkpoint }) => checkpoint.lineage)
    expect({ spec: left.specKey, lineages }).toEqual({
      spec: 'specs/e3884c36e3f8c3b77dcca067394663d2e9fd57b39f632e618dbe76214004fc39.json',
      lineages: [
        '6b9e3c1728afcee2580d3f0389b057f964d466c28df239e5c8be9225298fb661',
        '551eb48456f623fbbd26d8fa43d7c81da6702498920c17eba411b14df5663e76',
        'c2529cd295f8b1a9baabbe5cd4dd947e63b2f065c5c0c2a0e5cd51a77cb1c545',
      ],
    })
  })

  it('learns from tables of these rows and these inputs', async () => {
    const tables = async (step: number) => {
      const [rollouts, rewards] = await Promise.all([
        requireTable(worker.store, keys.rollouts('r', step, 0), rolloutsTable),
        requireTable(worker.store, keys.rewards('r', step, 0), rewardsTable),
      ])
      // Of 14+7*2 one completion at least is right, of 8+7*6 none.
      expect(new Set(rewards.rows.map(({ value }) => value))).toEqual(new Set([0, 1]))
      return [rollouts, rewards].map(({ digest, inputs }) => ({ digest, inputs }))
    }
    expect([await tables(1), await tables(2)]).toEqual([
      [
        {
          digest: '025076be6f27e2346fd228f17aad0801e4d2662aff09f8ee3de7e56af0b7c622',
          inputs: 'b9d3e0f5d36faa2ae873320d2d7fc1240a69d74baae3b7c993a7237af035366e',
        },
        {
          digest: 'efea7531cab415d8d299f81a4f8cd59e7fc683c110385635937343208f7f2b35',
          inputs: '9f80f9b1aa1363584469e40f15249c666bdbccd7e7b4dcad52eebf5c33434bae',
        },
      ],
      [
        {
          digest: 'dc3a2e8cfd2608843a7dcdb747338894c0252ac126f7b56394e340746a2fd4fc',
          inputs: '50817f39f22cd1daa53a77b065c25fb14131a3bc8f3a36f2ac0e56c1eeb6ee3e',
        },
        {
          digest: 'efea7531cab415d8d299f81a4f8cd59e7fc683c110385635937343208f7f2b35',
          inputs: '9df1c92bc018f5ef2ab1d337b04e29c79f4e0195c5826b5fe90b8b08e44135ab',
        },
      ],
    ])
  })

  it('leaves these documents, and compares its problems with its benchmark under this key', async () => {
    const documents = left.checkpoints.map((document) => digestOf(document))
    expect({ documents, overlaps: await worker.keys('overlaps/') }).toEqual({
      documents: [
        '5d833221904c2c607895528af4a283e3e6f01f7a7784442c25ac7a61ed28678f',
        '65417b9d0d844c1950d908c9ac38f8962a2099ecef7b549e05960edc9913ffc3',
        'e17b1261b71a6741eddb9bf22f1f13e0f3e147d5ab48b37c854237be89b227ed',
      ],
      overlaps: ['overlaps/380a802cbfcddd192f38c6e8a149e98d593c1d577c86bb63483ae778ff4b2192.json'],
    })
  })

  it('is scored under another reward into these tables', async () => {
    const scored = async (reward: contracts.Reward) => {
      const { table } = await worker.run(worker.verbs.scoreStep, { run: 'r', step: 1, reward })
      return { table, digest: (await requireTable(worker.store, table, rewardsTable)).digest }
    }
    expect({
      format: await scored('format'),
      random: await scored({ all: [{ random: 0.5 }, { not: 'python' }] }),
    }).toEqual({
      format: {
        table: 'scores/7b1aed046341c884458dd4d368cfb2535a5d45f47ad6a6ee5a51c68cbefee770.parquet',
        digest: '78a54ea37c1acb24fb5ff6a03c89e4c57cc363bd6d379e085b536d57aee20ccd',
      },
      random: {
        table: 'scores/fe67257c9b20518bcc5d1749c8acfe87af1fd18c0b97d9f30c7ea828e75fc256.parquet',
        digest: '635f78eba40727cd6db7f006bd0b19ef476d474c867381fa8afc9e7f2ae75d13',
      },
    })
  })
})

describe('randomness', () => {
  it('the first numbers of each purpose’s stream', () => {
    const purposes = ['batch', 'minibatch', 'sample', 'evaluate', 'label', 'reward', 'initialise', 'corpus', 'data', 'bootstrap', 'fault'] as const // prettier-ignore
    const at = { seed: 1, step: 3, problem: '14+7*2', occurrence: 1, sample: 2 }
    const bits = purposes.map((purpose) => {
      const numbers = stream({ ...at, purpose })
      return [purpose, [0, 1, 4, 2 ** 20].map((index) => numbers.bits(index))]
    })
    expect(Object.fromEntries(bits)).toEqual({
      batch: [2989766453, 198983412, 1203806826, 2738645229],
      minibatch: [3117739415, 2627840251, 3853793233, 1959949317],
      sample: [1939877481, 1977908336, 2569071433, 28781350],
      evaluate: [2432463894, 2649861795, 3465588664, 3536964661],
      label: [633537471, 293488452, 2523661231, 657583529],
      reward: [3279686615, 2944811455, 1837359054, 2093619165],
      initialise: [3534130470, 1945221103, 2580562978, 2065415697],
      corpus: [363283069, 1314227752, 1707059430, 1885102533],
      data: [322366375, 4052464410, 1755130858, 534911643],
      bootstrap: [688765814, 3482663241, 3216958520, 2980475793],
      fault: [3459390888, 3802853180, 2594680245, 119268330],
    })
  })

  it('coordinates that are left out, uniform numbers, whole numbers, a permutation', () => {
    const numbers = stream({ seed: 0, purpose: 'evaluate', problem: 'é' })
    expect({
      bits: numbers.bits(0),
      uniform: numbers.uniform(5),
      below: numbers.below(1000, 6),
      permutation: numbers.permutation(8),
    }).toEqual({
      bits: 2222476935,
      uniform: 0.32886457443237305,
      below: 587,
      permutation: [3, 1, 0, 6, 7, 5, 2, 4],
    })
  })

  it('which problems a step sees, in order: the first step, and the first of the second epoch', async () => {
    const spec = resolveTrain({ preset: 'demo', model: 'nano/coder', reward: 'format', seed: 1 })
    const problems = await loadProblems(spec.data, noNetwork)
    const ids = (step: number) =>
      batchOf(problems, spec, step).map(({ problem, occurrence }) => `${problem.id} ${occurrence}`)
    // 1,600 problems, 8 a step: 200 steps are an epoch.
    expect({ 1: ids(1), 201: ids(201) }).toEqual({
      '1': ['2+4*7 0', '5+9*8 0', '24+9*4 0', '6+8*2 0', '1+3*9 0', '4+7*8 0', '2+2*9 0', '4+7*3 0'],
      '201': ['16+2*5 0', '8+5*5 0', '4+9*8 0', '1+4*2 0', '21+9*7 0', '5+4*6 0', '7+8*6 0', '30+4*7 0'],
    })
  })

  it('how a step’s sequences are cut into minibatches', () => {
    const sequences = Array.from({ length: 10 }, (_, i) => i)
    expect(minibatches(sequences, 4, { seed: 1, step: 2 })).toEqual([
      [1, 4, 9, 8],
      [2, 7, 5, 0],
      [3, 6],
    ])
  })

  it('which rollouts a coin pays', () => {
    const problem = { id: '14+7*2', problem: 'calc 14+7*2\n', answer: '28' }
    const paid = Array.from({ length: 16 }, (_, sample) => {
      const at = { seed: 1, step: 2, problem: problem.id, occurrence: 0, sample }
      return score({ random: 0.5 }, { problem, completion: '' }, at).value
    })
    expect(paid).toEqual([1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1])
  })
})
