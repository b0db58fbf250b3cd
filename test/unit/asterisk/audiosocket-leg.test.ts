import { describe, expect, test } from 'bun:test'
import { AudioSocketParser } from '#asterisk/audiosocket.ts'
import { AudioSocketLeg } from '#asterisk/audiosocket-leg.ts'
import { seededRandom } from '#base/random.ts'
import type { LegEvent } from '#call/leg.ts'
import { FakeLegSocket } from '../../fakes/leg-socket.ts'
import { ManualClock, settle } from '../../fakes/manual-clock.ts'

const messageBytes = 323

function setUp() {
  const socket = new FakeLegSocket()
  const clock = new ManualClock()
  const kernel = { unsent: 0, questions: 0 }
  const leg = new AudioSocketLeg(socket, 8000, clock, () => {
    kernel.questions += 1
    return kernel.unsent
  })
  const events: LegEvent[] = []
  const heard: number[] = []
  leg.onEvent((event) => {
    if (event.type === 'audio') heard.push(...event.frame.samples)
    else events.push(event)
  })
  return { socket, clock, leg, events, heard, kernel }
}

/** A frame whose every sample is `value`. */
const frame = (value: number) => ({ sampleRateHz: 8000 as const, samples: new Int16Array(160).fill(value) })

/** The first sample of each audio message; fails when the bytes are not whole messages. */
function messagesIn(bytes: readonly number[]): string[] {
  const found: string[] = []
  const note = (what: string) => () => void found.push(what)
  const parser = new AudioSocketParser(
    {
      uuid: note('uuid'),
      audio: (_rate, pcm) => found.push(String(new DataView(pcm.buffer, pcm.byteOffset).getInt16(0, true))),
      dtmf: note('dtmf'),
      terminated: note('terminated'),
      unknown: note('unknown'),
      violation: note('violation'),
    },
    'engine',
  )
  parser.push(Uint8Array.from(bytes))
  return found
}

describe('AudioSocketLeg writes', () => {
  test('each frame as one message in one write', () => {
    const { leg, socket } = setUp()
    expect(leg.write(frame(5))).toBe('sent')
    expect([socket.bytes.length, socket.bytes.slice(0, 5)]).toEqual([messageBytes, [0x10, 1, 0x40, 5, 0]])
  })

  test('whole messages in their order, however little the kernel takes at a time', () => {
    const random = seededRandom(5)
    for (let round = 0; round < 40; round += 1) {
      const { leg, socket } = setUp()
      const sent: string[] = []
      let refused = 0
      for (let value = 1; value <= 200; value += 1) {
        // Sometimes nothing, sometimes a part, sometimes several messages.
        socket.room = Math.floor(random.next() ** 2 * 1000)
        if (random.next() < 0.7) leg.drained()
        if (leg.write(frame(value)) === 'sent') sent.push(String(value))
        else refused += 1
      }
      socket.room = Number.POSITIVE_INFINITY
      leg.drained()
      expect(messagesIn(socket.bytes)).toEqual(sent)
      expect(socket.bytes.length).toBe(sent.length * messageBytes)
      expect(leg.counters.full).toBe(refused)
    }
  })

  test('at most 200 ms wait for a peer that does not read; beyond, frames are dropped and counted', () => {
    const { leg, socket } = setUp()
    socket.room = 0
    const answers = Array.from({ length: 13 }, (_, index) => leg.write(frame(index)))
    expect(answers).toEqual([...new Array(10).fill('sent'), 'full', 'full', 'full'])
    expect(leg.counters.full).toBe(3)
    socket.room = Number.POSITIVE_INFINITY
    leg.drained()
    expect(messagesIn(socket.bytes)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    expect(leg.write(frame(99))).toBe('sent')
    expect(messagesIn(socket.bytes).at(-1)).toBe('99')
  })

  test('a peer that takes nothing for more than 5 s is lost', () => {
    const { leg, socket, clock, events } = setUp()
    socket.room = 100
    for (let passed = 0; passed <= 5000; passed += 20) {
      leg.write(frame(1))
      clock.advance(20)
    }
    expect([events, socket.terminations]).toEqual([[], 0])
    leg.write(frame(1))
    expect([events, socket.terminations]).toEqual([[{ type: 'ended', cause: 'media_lost' }], 1])
    expect(leg.write(frame(1))).toBe('closed')
  })

  test('a kernel that takes all of it and sends nothing: 200 ms at most, and after 5 s the peer is lost', () => {
    const { leg, socket, clock, events, kernel } = setUp()
    const answers: string[] = []
    for (let each = 0; each < 249; each += 1) {
      kernel.unsent = socket.bytes.length
      answers.push(leg.write(frame(1)))
      clock.advance(20)
    }
    expect(answers.indexOf('full')).toBeLessThanOrEqual(10)
    expect(new Set(answers.slice(answers.indexOf('full')))).toEqual(new Set(['full']))
    expect([events, socket.terminations]).toEqual([[], 0])
    for (let each = 0; each < 15; each += 1) {
      leg.write(frame(1))
      clock.advance(20)
    }
    expect([events, socket.terminations]).toEqual([[{ type: 'ended', cause: 'media_lost' }], 1])
  })

  test('a kernel that sends again: the next frame leaves at once', () => {
    const { leg, socket, kernel } = setUp()
    for (let each = 0; each < 20; each += 1) {
      kernel.unsent = socket.bytes.length
      leg.write(frame(each))
    }
    expect(leg.write(frame(98))).toBe('full')
    kernel.unsent = 5 * messageBytes
    expect(leg.write(frame(99))).toBe('sent')
    expect(messagesIn(socket.bytes).at(-1)).toBe('99')
  })

  test('a kernel that sends a little now and then: slow, not lost', () => {
    const { leg, clock, events, kernel } = setUp()
    kernel.unsent = 100 * messageBytes
    for (let passed = 0; passed < 20_000; passed += 20) {
      leg.write(frame(1))
      clock.advance(20)
      if (passed % 4000 === 0) kernel.unsent -= messageBytes
    }
    expect(events).toEqual([])
  })

  test('the kernel is asked once in 100 ms, and not for each frame', () => {
    const { leg, kernel } = setUp()
    for (let each = 0; each < 500; each += 1) leg.write(frame(each))
    expect(kernel.questions).toBe(100)
  })

  test('a peer that takes a little now and then is slow, not lost', () => {
    const { leg, socket, clock, events } = setUp()
    socket.room = 0
    for (let passed = 0; passed < 20_000; passed += 20) {
      leg.write(frame(1))
      clock.advance(20)
      if (passed % 4000 === 0) {
        socket.room = 1
        leg.drained()
      }
    }
    expect(events).toEqual([])
  })

  test('nothing to a socket that has closed', () => {
    const { leg, socket } = setUp()
    socket.room = -1
    expect(leg.write(frame(1))).toBe('closed')
    leg.drained()
    expect(socket.bytes).toEqual([])
  })
})

describe('AudioSocketLeg closes', () => {
  test('with a terminate message behind the last whole message, then the end of the stream', async () => {
    const { leg, socket, events, clock } = setUp()
    leg.write(frame(1))
    const closing = leg.close('agent')
    expect([socket.bytes.slice(-3), socket.bytes.length, socket.ends]).toEqual([[0, 0, 0], messageBytes + 3, 1])
    expect(leg.write(frame(2))).toBe('closed')
    leg.end('caller')
    await closing
    expect(messagesIn(socket.bytes)).toEqual(['1', 'terminated'])
    expect([events.length, clock.pending]).toEqual([1, 0])
  })

  test('without one in the middle of a message: the peer would take it for audio', () => {
    const { leg, socket } = setUp()
    socket.room = 200
    leg.write(frame(1))
    socket.room = Number.POSITIVE_INFINITY
    void leg.close('agent')
    expect([socket.bytes.length, socket.terminations, socket.ends]).toEqual([200, 1, 0])
  })

  test('once, and is done when the far side has gone', async () => {
    const { leg, socket } = setUp()
    const first = leg.close('agent')
    expect(leg.close('caller')).toBe(first)
    let done = false
    void first.then(() => {
      done = true
    })
    await settle()
    expect(done).toBe(false)
    leg.end('caller')
    await settle()
    expect([done, socket.bytes.length]).toEqual([true, 3])
  })

  test('a far side that stays is cut off after 1 s; closing is done after 2 s at the latest', async () => {
    const { leg, socket, clock } = setUp()
    let done = false
    void leg.close('agent').then(() => {
      done = true
    })
    clock.advance(999)
    expect(socket.terminations).toBe(0)
    clock.advance(1)
    expect(socket.terminations).toBe(1)
    clock.advance(999)
    await settle()
    expect(done).toBe(false)
    clock.advance(1)
    await settle()
    expect([done, clock.pending]).toEqual([true, 0])
  })

  test('at once when the connection has ended before', async () => {
    const { leg, socket, clock } = setUp()
    leg.end('caller')
    await leg.close('caller')
    expect([socket.bytes.length, clock.pending]).toEqual([0, 0])
  })

  test.each([
    ['closed twice by the socket', ['end', 'end']],
    ['lost, then closed by the socket', ['lost', 'end']],
    ['closed by the socket, then lost', ['end', 'lost']],
    ['closed by us, then by the socket', ['close', 'end', 'end']],
    ['closed by us, then lost', ['close', 'lost', 'end']],
  ])('%s: one ended, and nothing after it', (_name, ways) => {
    const { leg, events, heard } = setUp()
    for (const way of ways) {
      if (way === 'end') leg.end('caller')
      else if (way === 'lost') leg.lost('protocol_error')
      else void leg.close('agent')
    }
    expect(events.map((event) => event.type)).toEqual(['ended'])
    leg.receiveDtmf('1')
    leg.receiveAudio(new Uint8Array(640))
    expect([events.length, heard.length]).toEqual([1, 0])
  })
})

describe('AudioSocketLeg hears', () => {
  test('audio in frames of 20 ms, and digits', () => {
    const { leg, events, heard } = setUp()
    leg.receiveAudio(new Uint8Array(Int16Array.from({ length: 200 }, (_, n) => n - 100).buffer))
    expect(heard).toEqual(Array.from({ length: 160 }, (_, n) => n - 100))
    leg.receiveDtmf('#')
    expect(events).toEqual([{ type: 'dtmf', digit: '#' }])
  })

  test('every sample in its place, whatever the payloads’ lengths, odd ones too', () => {
    const random = seededRandom(9)
    for (let round = 0; round < 20; round += 1) {
      const { leg, heard } = setUp()
      const samples = Int16Array.from({ length: 160 * 100 }, () => Math.floor(random.next() * 65_536) - 32_768)
      const bytes = new Uint8Array(samples.buffer)
      let carried = false
      let odd = 0
      for (let offset = 0; offset < bytes.length; ) {
        const size = 1 + Math.floor(random.next() * (round === 0 ? 8192 : 700))
        const payload = bytes.slice(offset, offset + size)
        if ((payload.length + (carried ? 1 : 0)) % 2 === 1) {
          carried = true
          odd += 1
        } else carried = false
        leg.receiveAudio(payload)
        offset += size
      }
      expect(Buffer.from(Int16Array.from(heard).buffer).equals(Buffer.from(samples.buffer))).toBe(true)
      expect(odd).toBeGreaterThan(0)
    }
  })

  test('a peer may catch up after a network that stood still, and may not flood', () => {
    const { leg, clock } = setUp()
    const frame = new Uint8Array(320)
    const frames = (count: number) => Array.from({ length: count }, () => leg.receiveAudio(frame))
    // 5 s at once are 250 frames; one more is too many.
    expect(new Set(frames(250))).toEqual(new Set(['taken']))
    expect(leg.receiveAudio(frame)).toBe('flood')
    // A minute on, 90 s of audio have been allowed besides.
    clock.advance(60_000)
    expect(new Set(frames(3000))).toEqual(new Set(['taken']))
  })

  test('the longest payload of all behind an odd one', () => {
    const { leg, heard } = setUp()
    leg.receiveAudio(Uint8Array.of(1))
    leg.receiveAudio(new Uint8Array(8192))
    // 8193 bytes are 4096 samples and a byte: 25 frames of 160.
    expect([heard.length, heard[0]]).toEqual([4000, 1])
  })

  test('how long the peer has been quiet: any audio or digit counts', () => {
    const { leg, clock } = setUp()
    clock.advance(300)
    expect(leg.quietMs()).toBe(300)
    leg.receiveAudio(new Uint8Array(2))
    clock.advance(50)
    expect(leg.quietMs()).toBe(50)
    leg.receiveDtmf('1')
    expect(leg.quietMs()).toBe(0)
  })
})
