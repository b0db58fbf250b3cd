import { describe, expect, test } from 'bun:test'
import { type Fetch, lookAtServer, networkError } from '#agent/server-look.ts'
import { ManualClock, settle } from '../../fakes/manual-clock.ts'

const url = 'https://server.example/v1/models'

function look(fetch: Fetch, read = (response: Response) => response.text()) {
  const clock = new ManualClock()
  const stop = new AbortController()
  const headers = { authorization: 'Bearer sk-1' }
  const seen = lookAtServer({ clock, fetch, url, headers, signal: stop.signal, read })
  return { clock, stop, seen }
}

/** Answers nothing until it is told to stop. */
const silent: Fetch = (_url, { signal }) =>
  new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('The operation was aborted.'))))

describe('a look at a server', () => {
  test('what it answers is handed on, whatever it is; nothing is left behind', async () => {
    const asked: unknown[] = []
    const { clock, seen } = look((to, { headers }) => {
      asked.push([to, headers])
      return Promise.resolve(new Response('no', { status: 401 }))
    })
    expect(await seen).toEqual({ ok: true, value: 'no' })
    expect(asked).toEqual([[url, { authorization: 'Bearer sk-1' }]])
    expect(clock.pending).toBe(0)
  })

  test('one that cannot be reached: why, without the advice of whoever made the client', async () => {
    const { seen } = look(() => Promise.reject(new Error('Unable to connect. Is the computer able to access the url?')))
    expect(await seen).toEqual({ ok: false, error: 'Unable to connect' })
  })

  test('one that says nothing is waited for five seconds', async () => {
    const { clock, seen } = look(silent)
    clock.advance(4999)
    await settle()
    expect(clock.pending).toBe(1)
    clock.advance(1)
    expect(await seen).toEqual({ ok: false, error: 'no answer within 5000 ms' })
    expect(clock.pending).toBe(0)
  })

  test('nor is an answer without end', async () => {
    const stalled = Promise.withResolvers<string>()
    const { clock, seen } = look(
      (_url, { signal }) => {
        signal?.addEventListener('abort', () => stalled.reject(new Error('aborted')))
        return Promise.resolve(new Response(''))
      },
      () => stalled.promise,
    )
    await settle()
    clock.advance(5000)
    expect(await seen).toEqual({ ok: false, error: 'no answer within 5000 ms' })
  })

  test('nobody wants to know any more', async () => {
    const { clock, stop, seen } = look(silent)
    stop.abort()
    expect(await seen).toEqual({ ok: false, error: 'The operation was aborted.' })
    expect(clock.pending).toBe(0)
  })
})

test('of a network error, its first sentence', () => {
  expect(networkError(new Error('Was there a typo in the url or port?'))).toBe('Was there a typo in the url or port?')
  expect(networkError(new Error('FailedToOpenSocket: Was there a typo? More'))).toBe(
    'FailedToOpenSocket: Was there a typo',
  )
  expect(networkError('words')).toBe('words')
})
