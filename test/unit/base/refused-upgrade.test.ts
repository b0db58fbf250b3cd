import { expect, test } from 'bun:test'
import { refusedWith } from '#base/refused-upgrade.ts'

/** The words of the WebSocket that this runtime has, of a server that answers the upgrade so. */
async function wordsOf(status: number): Promise<string> {
  using server = Bun.serve({ port: 0, fetch: () => new Response(null, { status }) })
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/401/403?app=desk-404`)
  socket.onerror = (event) => resolve((event as ErrorEvent).message)
  return await promise
}

test.each([401, 404, 429, 503])('an upgrade that is answered with %d', async (status) => {
  expect(refusedWith(await wordsOf(status))).toBe(status)
})

test('nobody there has no status, whatever digits the address holds', () => {
  expect(refusedWith("WebSocket connection to 'ws://127.0.0.1:40404/' failed: Failed to connect")).toBeNull()
  expect(refusedWith('')).toBeNull()
})
