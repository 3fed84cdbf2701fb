/**
 * A network that fails as told: an HTTP proxy before the S3 server. A fault waits for the next request that it fits,
 * strikes as many as it is meant for, and notes how long it took until the same thing was asked again and answered.
 *
 * It also keeps what no client could know for sure: when the server first had each object. Leaves out: TLS, and
 * addressing by host name, which a server on the loopback interface does not have.
 */
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loopback } from '../servers.ts'

/** error: answered in the server's place. before, after: the connection is reset before the server sees it, or after it did the work. */
export type Failure = 'error' | 'before' | 'after' | 'stall' | 'cut'

export interface Order {
  readonly failure: Failure
  /** Requests to strike. */
  readonly times: number
  /** Of an error. */
  readonly status?: number
  readonly code?: string
  /** Of a stall: after it, what was held goes on. */
  readonly seconds?: number
  /** `METHOD /path?query` must match, if given. */
  readonly match?: RegExp
}

export interface Hit {
  readonly request: string
  readonly atMs: number
  /** When the same was asked again and answered; null: not yet. */
  recoveredMs: number | null
}

export interface FaultProxy {
  readonly url: string
  /** Milliseconds since the epoch at which the server was first known to have an object, by `/bucket/key`. */
  readonly stored: ReadonlyMap<string, number>
  /** Resolves once as many requests were struck as were ordered; rejects when the signal says so. */
  strike(order: Order, signal: AbortSignal): Promise<Hit[]>
  close(): Promise<void>
}

interface Waiting {
  readonly order: Order
  readonly hits: Hit[]
  readonly done: (hits: Hit[]) => void
}

export async function startFaultProxy(port: number): Promise<FaultProxy> {
  const waiting: Waiting[] = []
  const hits: Hit[] = []
  const stored = new Map<string, number>()
  const state: State = { port, stored, next: take.bind(null, waiting, hits), answered }
  const server = createServer((from, to) => forward(state, from, to))
  await new Promise<void>((resolve) => server.listen(0, loopback, resolve))
  return {
    url: `http://${loopback}:${(server.address() as AddressInfo).port}`,
    stored,
    strike: (order, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted()
        const entry: Waiting = { order, hits: [], done: resolve }
        waiting.push(entry)
        signal.addEventListener('abort', () => {
          if (waiting.includes(entry)) waiting.splice(waiting.indexOf(entry), 1)
          reject(signal.reason as Error)
        })
      }),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }

  function answered(line: string): void {
    for (const hit of hits)
      if (hit.recoveredMs === null && thing(hit.request) === thing(line)) hit.recoveredMs = Date.now()
  }
}

interface State {
  readonly port: number
  readonly stored: Map<string, number>
  readonly next: (line: string, answer: IncomingMessage | null) => Order | null
  readonly answered: (line: string) => void
}

/** The failure that fits a request, or its answer, and waited longest. */
function take(waiting: Waiting[], hits: Hit[], line: string, answer: IncomingMessage | null): Order | null {
  const entry = waiting.find(({ order }) => fits(order, line, answer))
  if (entry === undefined) return null
  const hit: Hit = { request: line, atMs: Date.now(), recoveredMs: null }
  hits.push(hit)
  entry.hits.push(hit)
  if (entry.hits.length === entry.order.times) {
    waiting.splice(waiting.indexOf(entry), 1)
    entry.done(entry.hits)
  }
  return entry.order
}

/** Requests of objects only: losing an answer matters where something was written, and only a read has a body. */
function fits({ failure, match }: Order, line: string, answer: IncomingMessage | null): boolean {
  if (!/^\w+ \/[^/?]+\/[^?]/.test(line) || match?.test(line) === false) return false
  const isWrite = /^(PUT|POST) /.test(line)
  const isBody = line.startsWith('GET ') && Number(answer?.headers['content-length'] ?? 0) > 1
  if (answer === null)
    return failure === 'error' || (isWrite && (failure === 'before' || failure === 'stall'))
  if (!isOk(answer)) return false
  return failure === 'after' ? isWrite : isBody && (failure === 'cut' || failure === 'stall')
}

const isOk = ({ statusCode = 500 }: IncomingMessage) => statusCode >= 200 && statusCode < 300

/** What a request is about, its part of an upload included: a second one about the same is its repetition. */
const thing = (line: string) => line.replace(/\?(?!.*partNumber).*/, '')

function forward(state: State, from: IncomingMessage, to: ServerResponse): void {
  const line = `${from.method} ${from.url}`
  const order = state.next(line, null)
  if (order?.failure === 'error') answerInPlace(order, from, to)
  else if (order?.failure === 'before') from.socket.resetAndDestroy()
  else later(order, to, () => pass(state, line, from, to))
}

/** At once, or after a stall, unless the client has given up by then. */
function later(order: Order | null, to: ServerResponse, goOn: () => void): void {
  if (order?.failure !== 'stall') return goOn()
  const held = setTimeout(goOn, 1000 * (order.seconds ?? 0))
  to.on('close', () => clearTimeout(held))
}

function answerInPlace(order: Order, from: IncomingMessage, to: ServerResponse): void {
  const { status = 500, code = 'InternalError' } = order
  from.resume().on('end', () => {
    to.writeHead(status, { 'content-type': 'application/xml' })
    to.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>by the fault proxy</Message></Error>`)
  })
}

function pass(state: State, line: string, from: IncomingMessage, to: ServerResponse): void {
  // The Host header is signed, so it goes on as it came.
  const { method, url: path, headers } = from
  const onward = send({ host: loopback, port: state.port, method, path, headers }, (answer) => {
    const { statusCode = 500 } = answer
    noteStored(state, line, statusCode)
    const order = state.next(line, answer)
    if (order?.failure === 'after') {
      answer.resume().on('end', () => from.socket.resetAndDestroy())
      return
    }
    to.writeHead(statusCode, answer.headers)
    if (order?.failure === 'cut') {
      answer.once('data', (chunk: Buffer) => breakOff(chunk, answer, to))
      return
    }
    to.flushHeaders()
    later(order, to, () => answer.pipe(to))
    if (statusCode < 500) answer.on('end', () => state.answered(line))
  })
  onward.on('error', () => to.destroy())
  to.on('close', () => onward.destroy())
  from.pipe(onward)
}

/** Half of what came first; the rest never comes. */
function breakOff(chunk: Buffer, answer: IncomingMessage, to: ServerResponse): void {
  answer.pause()
  to.write(chunk.subarray(0, Math.floor(chunk.length / 2)), () => {
    to.destroy()
    answer.destroy()
  })
}

/** A read says it, too, and so does 412: it was there already, by a write whose answer nobody saw. */
function noteStored({ stored }: State, line: string, status: number): void {
  const path = /^(?:PUT|GET|HEAD) (\/[^?]+)(?:\?x-id=\w+)?$/.exec(line)?.[1]
  const isThere = (status >= 200 && status < 300) || status === 412
  if (path === undefined || !isThere) return
  const key = decodeURIComponent(path)
  if (!stored.has(key)) stored.set(key, Date.now())
}
