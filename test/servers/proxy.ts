/**
 * A network that fails as told: an HTTP proxy before a server on the loopback interface. It answers in the server's
 * place, drops answers, cuts bodies short, and keeps a list of what it saw.
 */
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loopback } from '../../infra/servers.ts'

export interface Proxy {
  readonly url: string
  /** `METHOD /path?query` of every request since the last reset. */
  readonly seen: string[]
  /** Answers in the server's place where it returns something. */
  answer: (request: string) => { readonly status: number; readonly code?: string } | null
  /** Lets the server do the work of the first request that matches, then drops the connection. */
  loseAnswerOnce: RegExp | null
  lost: number
  /** Cuts the connection after so many bytes of an answer's body. */
  cutBodyAfter: number
  /** Goes silent after so many bytes of the next answer's body, once, and keeps the connection open. */
  stallBodyAfterOnce: number
  reset(): void
  close(): Promise<void>
}

export async function startProxy(port: number): Promise<Proxy> {
  const server = createServer((from, to) => forward(proxy, port, from, to))
  await new Promise<void>((resolve) => server.listen(0, loopback, resolve))
  const proxy: Proxy = {
    url: `http://${loopback}:${(server.address() as AddressInfo).port}`,
    seen: [],
    answer: () => null,
    loseAnswerOnce: null,
    lost: 0,
    cutBodyAfter: Infinity,
    stallBodyAfterOnce: Infinity,
    reset: () => {
      proxy.seen.length = 0
      proxy.answer = () => null
      proxy.loseAnswerOnce = null
      proxy.lost = 0
      proxy.cutBodyAfter = Infinity
      proxy.stallBodyAfterOnce = Infinity
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return proxy
}

function forward(proxy: Proxy, port: number, from: IncomingMessage, to: ServerResponse): void {
  const line = `${from.method} ${from.url}`
  proxy.seen.push(line)
  const answer = proxy.answer(line)
  if (answer !== null) {
    from.resume().on('end', () => {
      to.writeHead(answer.status, { 'content-type': 'application/xml' })
      to.end(
        `<?xml version="1.0"?><Error><Code>${answer.code ?? 'Told'}</Code><Message>told to</Message></Error>`,
      )
    })
    return
  }
  // The Host header is signed, so it goes on as it came.
  const { method, url: path, headers } = from
  const onward = send({ host: loopback, port, method, path, headers }, (answered) => {
    if (proxy.loseAnswerOnce?.test(line)) {
      proxy.loseAnswerOnce = null
      proxy.lost += 1
      answered.resume().on('end', () => to.destroy())
      return
    }
    to.writeHead(answered.statusCode ?? 500, answered.headers)
    let sent = 0
    const stallAfter =
      Number(answered.headers['content-length']) > proxy.stallBodyAfterOnce
        ? proxy.stallBodyAfterOnce
        : Infinity
    if (stallAfter < Infinity) proxy.stallBodyAfterOnce = Infinity
    answered.on('data', (chunk: Buffer) => {
      if (sent + chunk.length > stallAfter) return void answered.pause()
      const rest = proxy.cutBodyAfter - sent
      sent += chunk.length
      if (chunk.length <= rest) to.write(chunk)
      else to.write(chunk.subarray(0, Math.max(0, rest)), () => (to.destroy(), answered.destroy()))
    })
    answered.on('end', () => to.end())
  })
  onward.on('error', () => to.destroy())
  to.on('close', () => onward.destroy())
  from.pipe(onward)
}
