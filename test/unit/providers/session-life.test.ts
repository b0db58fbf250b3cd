import { describe, expect, test } from 'bun:test'
import { SessionLife } from '#agent/session-life.ts'

function setUp(call = new AbortController()) {
  const seen: boolean[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const life: SessionLife = new SessionLife(call.signal, () => {
    seen.push(life.over)
    return promise
  })
  return { call, life, seen, finish: resolve }
}

describe('SessionLife', () => {
  test('the end of the call ends the session, once and at once', async () => {
    const { call, life, seen, finish } = setUp()
    expect(life.over).toBe(false)
    call.abort()
    expect(seen).toEqual([true])
    finish()
    await life.close()
    expect(seen.length).toBe(1)
  })

  test('every close waits for the one end', async () => {
    const { life, call, seen, finish } = setUp()
    let done = 0
    const closes = [life.close(), life.close()].map((each) => each.then(() => (done += 1)))
    call.abort()
    await Promise.resolve()
    expect(done).toBe(0)
    finish()
    await Promise.all(closes)
    expect(done).toBe(2)
    expect(seen.length).toBe(1)
  })

  test('opened for a call that is over it takes nothing, and can be closed', async () => {
    const call = new AbortController()
    call.abort()
    const { life, finish, seen } = setUp(call)
    expect(life.over).toBe(true)
    expect(seen).toEqual([])
    finish()
    await life.close()
    expect(seen).toEqual([true])
  })
})
