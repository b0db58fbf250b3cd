import { describe, expect, test } from 'bun:test'
import { KeptSocket, type SessionRefusal } from '#agent/kept-socket.ts'
import { Tally } from '#agent/tally.ts'
import type { SocketListener } from '#agent/wire-socket.ts'
import { seededRandom } from '#base/random.ts'
import { ManualClock, settle } from '../../fakes/manual-clock.ts'

/** One socket that was asked for. */
interface Opened {
  readonly url: string
  readonly listener: SocketListener
  readonly sent: unknown[]
  waitingBytes: number
  closed: boolean
}

const down: SessionRefusal = { code: 'server_error', why: 'the server answered 503', hopeless: false, waitMs: 0 }

function setUp(headers: Record<string, string> | null = { authorization: 'Token 1' }) {
  const clock = new ManualClock()
  const tally = new Tally()
  const sockets: Opened[] = []
  const story: string[] = []
  const asked: unknown[] = []
  const state = { refusal: down, proved: 0, headers }
  const kept = new KeptSocket(
    {
      clock,
      random: seededRandom(1),
      tally,
      timeoutMs: 4000,
      url: 'wss://server.example/agent',
      account: {
        headers: () => state.headers ?? undefined,
        proved: () => {
          state.proved += 1
        },
      },
      openSocket: (url, _headers, listener) => {
        const opened: Opened = { url, listener, sent: [], waitingBytes: 0, closed: false }
        sockets.push(opened)
        return {
          send: (data) => opened.sent.push(data),
          get waitingBytes() {
            return opened.waitingBytes
          },
          close: () => {
            opened.closed = true
          },
        }
      },
      findOutWhy: (...why) => {
        asked.push(why)
        return Promise.resolve(state.refusal)
      },
    },
    {
      opened: () => story.push('opened'),
      ready: (again) => story.push(again ? 'again' : 'ready'),
      message: (text) => story.push(text),
      audio: (bytes) => story.push(`audio ${bytes.length}`),
      lost: (code) => story.push(`lost ${code}`),
      refused: (code, _why, hopeless) => story.push(`refused ${code}${hopeless ? ' for good' : ''}`),
    },
  )
  const last = () => {
    const socket = sockets.at(-1)
    if (socket === undefined) throw new Error('no socket was asked for')
    return socket
  }
  const openAndAgree = () => {
    last().listener.opened()
    kept.agreed()
  }
  return { kept, clock, tally, sockets, last, story, asked, state, openAndAgree }
}

describe('KeptSocket', () => {
  test('is ready once the link has agreed; what can be said in which state', () => {
    const { kept, last, story, tally, state, clock } = setUp()
    kept.open()
    expect([last().url, kept.ready, kept.send('early'), kept.takesAudio()]).toEqual([
      'wss://server.example/agent',
      false,
      false,
      false,
    ])
    // Nothing is agreed on with a socket that is not open.
    kept.agreed()
    expect(kept.ready).toBe(false)
    last().listener.opened()
    expect([kept.state, kept.send('settings'), kept.takesAudio()]).toEqual(['agreeing', true, false])
    last().listener.message('hello')
    kept.agreed()
    kept.agreed()
    last().listener.audio?.(new Uint8Array(3))
    expect([kept.ready, kept.takesAudio(), kept.sessions, state.proved]).toEqual([true, true, 1, 1])
    expect(story).toEqual(['opened', 'hello', 'ready', 'audio 3'])
    expect([last().sent, tally.all]).toEqual([['settings'], { session: 1 }])
    // It is not given up as one that came too late.
    clock.advance(4000)
    expect(kept.ready).toBe(true)
  })

  test('takes no audio while a quarter of a megabyte waits', () => {
    const { kept, last, openAndAgree } = setUp()
    kept.open()
    openAndAgree()
    last().waitingBytes = 262_144
    expect(kept.takesAudio()).toBe(true)
    last().waitingBytes += 1
    expect(kept.takesAudio()).toBe(false)
  })

  test('a loss is made good at once, then ever more slowly, up to four seconds', async () => {
    const { kept, clock, sockets, last, story, tally, openAndAgree } = setUp()
    kept.open()
    openAndAgree()
    last().listener.lost('closed with code 1006', null)
    expect([last().closed, kept.state]).toEqual([true, 'waiting'])
    clock.advance(200)
    expect(sockets.length).toBe(2)
    openAndAgree()
    expect(story).toEqual(['opened', 'ready', 'lost connection_lost', 'opened', 'again'])
    for (let round = 0; round < 20; round++) {
      last().listener.lost('closed', null)
      const before = sockets.length
      clock.advance(4000)
      expect(sockets.length).toBe(before + 1)
      openAndAgree()
    }
    expect(tally.all).toEqual({ session: 1, session_again: 21 })
  })

  test('one that stood for five seconds was a good one: the next loss is made good quickly again', () => {
    const { kept, clock, sockets, last, openAndAgree } = setUp()
    kept.open()
    openAndAgree()
    for (let round = 0; round < 6; round++) {
      last().listener.lost('closed', null)
      clock.advance(4000)
      openAndAgree()
    }
    clock.advance(5000)
    const before = sockets.length
    last().listener.lost('closed', null)
    clock.advance(200)
    expect(sockets.length).toBe(before + 1)
  })

  test('a refused upgrade: why is found out, and the server’s word on how long to wait is kept', async () => {
    const { kept, clock, sockets, last, story, asked, state, tally } = setUp()
    state.refusal = { ...down, waitMs: 20_000 }
    kept.open()
    last().listener.lost('Expected 101 status code: 503', 503)
    expect(asked).toEqual([['unreachable', 'Expected 101 status code: 503', 503]])
    await settle()
    expect([story, tally.all]).toEqual([['refused server_error'], { session_failed: 1 }])
    clock.advance(19_999)
    expect(sockets.length).toBe(1)
    clock.advance(1)
    expect(sockets.length).toBe(2)
  })

  test('one that is not open, or not agreed on, in time', async () => {
    const { kept, clock, asked, last } = setUp()
    kept.open()
    last().listener.opened()
    clock.advance(4000)
    expect([asked, last().closed]).toEqual([[['open_timeout', 'no session within 4000 ms', null]], true])
    // Nothing of it counts any more.
    kept.agreed()
    expect(kept.ready).toBe(false)
    await settle()
  })

  test('what the server has said before it closed is why', async () => {
    const { kept, clock, asked, last } = setUp()
    kept.open()
    last().listener.opened()
    kept.said = 'invalid_api_key'
    last().listener.lost('closed', null)
    await settle()
    clock.advance(4000)
    last().listener.lost('closed', null)
    expect(asked).toEqual([
      ['session_not_opened', 'the server said invalid_api_key', null],
      // It was the other session's.
      ['unreachable', 'closed', null],
    ])
  })

  test('without a key no socket is asked for, until there is one', async () => {
    const { kept, clock, sockets, asked, story, state } = setUp(null)
    state.refusal = { ...down, code: 'no_key' }
    kept.open()
    await settle()
    expect([sockets.length, asked, story]).toEqual([0, [['no_key', 'there is no API key', null]], ['refused no_key']])
    state.headers = {}
    clock.advance(4000)
    expect(sockets.length).toBe(1)
  })

  test('given up: no other is made', async () => {
    const { kept, clock, sockets, last, story, asked } = setUp()
    kept.open()
    last().listener.opened()
    expect([kept.giveUp('session_refused', 'no such model'), kept.giveUp('again', '')]).toEqual([true, false])
    await settle()
    clock.advance(60_000)
    expect([sockets.length, asked, last().closed]).toEqual([1, [], true])
    expect(story).toEqual(['opened', 'refused session_refused for good'])
  })

  test('renewed: the old one is closed, says nothing any more, and the next is made at once', () => {
    const { kept, sockets, story, openAndAgree } = setUp()
    kept.open()
    kept.renew()
    expect(sockets.length).toBe(1)
    openAndAgree()
    kept.renew()
    expect(sockets.map(({ closed }) => closed)).toEqual([true, false])
    sockets[0]?.listener.message('late')
    sockets[0]?.listener.audio?.(new Uint8Array(1))
    sockets[0]?.listener.lost('late', null)
    openAndAgree()
    expect(story).toEqual(['opened', 'ready', 'opened', 'again'])
  })

  test.each(['connecting', 'agreeing', 'ready', 'waiting'])('closed while %s: nothing goes on', async (state) => {
    const { kept, clock, sockets, last, openAndAgree } = setUp()
    kept.open()
    if (state === 'agreeing') last().listener.opened()
    if (state === 'ready') openAndAgree()
    if (state === 'waiting') last().listener.lost('closed', null)
    expect(kept.state as string).toBe(state)
    kept.close()
    await settle()
    clock.advance(60_000)
    kept.open()
    expect([sockets.length, last().closed, clock.pending, kept.send('late')]).toEqual([1, true, 0, false])
  })
})
