import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startFaultProxy, type FaultProxy, type Order } from '../../infra/chaos/proxy.ts'

// A server of objects on the loopback interface: PUT keeps a body, GET gives it back.
const objects = new Map<string, string>()
let server: Server
let proxy: FaultProxy
const never = new AbortController().signal

beforeEach(async () => {
  objects.clear()
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://server')
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      if (request.method === 'PUT') objects.set(pathname, body)
      const found = objects.get(pathname)
      if (found === undefined) response.writeHead(404, { 'content-length': 0 }).end()
      else response.writeHead(200, { 'content-length': found.length }).end(found)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  proxy = await startFaultProxy((server.address() as AddressInfo).port)
})
afterEach(async () => {
  await proxy.close()
  server.closeAllConnections()
  server.close()
})

const put = (key: string, body = 'body') => fetch(`${proxy.url}/bucket/${key}`, { method: 'PUT', body })
const get = async (key: string) => (await fetch(`${proxy.url}/bucket/${key}`)).text()
const strike = (order: Order) => proxy.strike(order, never)

describe('the fault proxy', () => {
  it('passes on what nobody told it to fail, and knows when an object was first there', async () => {
    await put('a%3Ab')
    expect(await get('a%3Ab')).toBe('body')
    const first = proxy.stored.get('/bucket/a:b')
    expect(first).toBeGreaterThan(0)
    await put('a%3Ab')
    expect(proxy.stored.get('/bucket/a:b')).toBe(first)
    await get('absent')
    objects.set('/bucket/older', 'by a write whose answer nobody saw')
    await get('older')
    expect([...proxy.stored.keys()]).toEqual(['/bucket/a:b', '/bucket/older'])
  })

  it('answers in the place of the server as often as it was told, then no more', async () => {
    const struck = strike({ failure: 'error', times: 2, status: 503, code: 'SlowDown' })
    expect([(await put('a')).status, (await put('a')).status]).toEqual([503, 503])
    expect(objects.size).toBe(0)
    expect((await put('a')).status).toBe(200)
    expect((await struck).map(({ request }) => request)).toEqual(['PUT /bucket/a', 'PUT /bucket/a'])
  })

  it('resets a connection before the server sees a write, or after it did the work', async () => {
    const before = strike({ failure: 'before', times: 1 })
    await expect(put('a')).rejects.toThrow()
    await before
    expect(objects.size).toBe(0)
    const after = strike({ failure: 'after', times: 1 })
    await expect(put('a')).rejects.toThrow()
    await after
    expect(objects.get('/bucket/a')).toBe('body')
    expect(proxy.stored.has('/bucket/a')).toBe(true)
  })

  it('leaves reads to the faults of reads: half of a body and then nothing', async () => {
    const cut = strike({ failure: 'cut', times: 1 })
    const write = strike({ failure: 'after', times: 1 })
    await expect(put('a')).rejects.toThrow()
    await write
    expect(await get('absent')).toBe('') // has no body to cut
    await expect(get('a')).rejects.toThrow()
    await cut
    expect(await get('a')).toBe('body')
  })

  it('holds a matching request and lets it go on', async () => {
    const held = strike({ failure: 'stall', times: 1, seconds: 0.2, match: /held/ })
    const slow = put('held')
    await held
    await put('other')
    expect([...objects.keys()]).toEqual(['/bucket/other'])
    expect((await slow).status).toBe(200)
    expect(objects.size).toBe(2)
  })

  it('notes when what it struck was asked again and answered', async () => {
    const struck = strike({ failure: 'error', times: 1 })
    await put('a')
    const [hit] = await struck
    await (await put('b')).text()
    expect(hit?.recoveredMs).toBeNull()
    await (await put('a')).text()
    expect(hit?.recoveredMs).toBeGreaterThanOrEqual(hit?.atMs ?? Infinity)
  })

  it('gives a strike up when it is told to, and strikes nobody later', async () => {
    const controller = new AbortController()
    const struck = proxy.strike({ failure: 'error', times: 1 }, controller.signal)
    controller.abort(new Error('late'))
    await expect(struck).rejects.toThrow('late')
    expect((await put('a')).status).toBe(200)
  })
})
