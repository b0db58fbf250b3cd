import { describe, expect, test } from 'bun:test'
import { emptyHeader, readHeader, writeHeader } from '#asterisk/rtp.ts'
import { wireFormats } from '#audio/format.ts'
import { seededRandom } from '#base/random.ts'
import { address, port, rtpLegWorld as setUp } from '../../fakes/rtp-leg-world.ts'

const headersOf = (sent: readonly { bytes: Uint8Array }[]) =>
  sent.map(({ bytes }) => {
    const header = emptyHeader()
    expect(readHeader(bytes, header)).toBeNull()
    return header
  })

describe('what goes out', () => {
  test.each([
    ['ulaw', 0, 172, 160, 1],
    ['alaw', 8, 172, 160, 1],
    ['slin', 10, 332, 160, 1],
    ['slin16', 118, 652, 320, 1],
    ['slin24', 123, 972, 480, 1],
    // Two packets of 10 ms: one of 20 would be 1960 bytes with its headers.
    ['slin48', 126, 972, 480, 2],
  ] as const)('%s: payload type %d, %d bytes, timestamps %d apart', (format, type, bytes, step, perFrame) => {
    const { leg, sent, frame, counters } = setUp({ format })
    for (let each = 0; each < 300; each += 1) expect(leg.write(frame(each))).toBe('sent')
    const headers = headersOf(sent)
    expect(headers.length).toBe(300 * perFrame)
    expect(counters.packetsOut).toBe(300 * perFrame)
    expect(new Set(sent.map((each) => each.bytes.length))).toEqual(new Set([bytes]))
    const [first] = headers
    if (first === undefined) throw new Error('nothing was sent')
    for (const [index, header] of headers.entries()) {
      expect(header).toMatchObject({
        payloadType: type,
        marker: index === 0,
        sequence: (first.sequence + index) & 0xffff,
        timestamp: (first.timestamp + index * step) % 2 ** 32,
        ssrc: first.ssrc,
      })
    }
    expect(new Set(sent.map(({ to }) => to))).toEqual(new Set(['10.0.0.5:12000']))
  })

  test('sequence, timestamp and SSRC begin where chance says, and wrap', () => {
    const last = setUp({ random: { next: () => 1 - 2 ** -40, uuid: () => '' } })
    last.leg.write(last.frame(0))
    last.leg.write(last.frame(0))
    expect(headersOf(last.sent).map(({ sequence, timestamp }) => [sequence, timestamp])).toEqual([
      [65_535, 2 ** 32 - 1],
      [0, 159],
    ])
    const ssrcOf = (seed: number) => {
      const { leg, sent, frame } = setUp({ random: seededRandom(seed) })
      leg.write(frame(0))
      return headersOf(sent)[0]?.ssrc
    }
    expect(ssrcOf(1)).toBe(ssrcOf(1))
    expect(ssrcOf(1)).not.toBe(ssrcOf(2))
  })

  test('a refusal that belongs to another call’s datagram does not cost this one', () => {
    let throws = 1
    const delivered: number[] = []
    const { leg, frame, counters } = setUp({
      send: (bytes) => {
        if (throws-- > 0) throw new Error('ECONNREFUSED')
        delivered.push(bytes.length)
        return true
      },
    })
    expect(leg.write(frame(1))).toBe('sent')
    expect([delivered.length, counters.unsent.refused, counters.packetsOut]).toEqual([1, 1, 1])
  })

  test('a far side that has gone: no throw, no end, a number', () => {
    const { leg, frame, counters, events } = setUp({
      send: () => {
        throw new Error('ECONNREFUSED')
      },
    })
    // Nobody gets it, so it is not sent: a reply is offered again, and not heard.
    for (let each = 0; each < 10; each += 1) expect(leg.write(frame(1))).toBe('full')
    expect(counters).toMatchObject({ packetsOut: 0, unsent: { refused: 20, full: 0 } })
    expect(events).toEqual([])
  })

  test('no room in the kernel: full, and counted', () => {
    const { leg, frame, counters } = setUp({ send: () => false })
    expect(leg.write(frame(1))).toBe('full')
    expect(counters.unsent.full).toBe(1)
  })

  test('as long as nobody knows where to, nothing is sent', () => {
    const { leg, frame, counters, sent, packet } = setUp({ announced: null })
    expect(leg.write(frame(1))).toBe('full')
    expect([sent.length, counters.unsent.no_remote]).toEqual([0, 1])
    leg.receive(packet(1), 4000, '172.17.0.2')
    expect(leg.write(frame(1))).toBe('sent')
    expect(sent.map(({ to }) => to)).toEqual(['172.17.0.2:4000'])
    expect(headersOf(sent)[0]?.marker).toBe(true)
  })

  test.each([
    ['that the kernel has no room for', () => false],
    [
      'that is refused',
      () => {
        throw new Error('ECONNREFUSED')
      },
    ],
  ])('a frame %s is a gap: time goes on, numbers do not, and a marker says so', (_name, obstacle: () => boolean) => {
    const sent: { bytes: Uint8Array }[] = []
    let isObstructed = false
    const { leg, frame } = setUp({
      send: (bytes) => {
        if (isObstructed) return obstacle()
        sent.push({ bytes: bytes.slice() })
        return true
      },
    })
    const answers: string[] = []
    for (const each of [false, false, true, true, true, false, false]) {
      isObstructed = each
      answers.push(leg.write(frame(1)))
    }
    expect(answers).toEqual(['sent', 'sent', 'full', 'full', 'full', 'sent', 'sent'])
    const headers = headersOf(sent)
    const [first] = headers
    if (first === undefined) throw new Error('nothing was sent')
    const passed = headers.map(({ sequence, timestamp, marker }) => [
      (sequence - first.sequence) & 0xffff,
      (timestamp - first.timestamp) >>> 0,
      marker,
    ])
    expect(passed).toEqual([
      [0, 0, true],
      [1, 160, false],
      [2, 5 * 160, true],
      [3, 6 * 160, false],
    ])
  })
})

describe('who is heard', () => {
  test('the announced endpoint, and nobody else after it', () => {
    const { leg, counters, packet } = setUp()
    leg.receive(packet(1), port, address)
    leg.receive(packet(2), port + 2, address)
    leg.receive(packet(3), port, '10.0.0.6')
    expect(counters).toMatchObject({ packetsIn: 1, dropped: { foreign_source: 2 } })
  })

  test('a far side behind NAT is learnt from its first valid packet, and then locked', () => {
    const { leg, counters, packet, sent, frame } = setUp()
    // Not RTP: nothing is learnt of it.
    leg.receive(Uint8Array.of(1, 2, 3), 999, '172.17.0.9')
    leg.receive(packet(1, { type: 96 }), 999, '172.17.0.9')
    leg.write(frame(1))
    leg.receive(packet(1), 4000, '172.17.0.2')
    leg.write(frame(1))
    leg.receive(packet(1), 4000, '172.17.0.3')
    leg.write(frame(1))
    expect(sent.map(({ to }) => to)).toEqual(['10.0.0.5:12000', '172.17.0.2:4000', '172.17.0.2:4000'])
    expect(counters.dropped).toEqual({ short: 1, payload_type: 1, foreign_source: 1 })
  })

  test('a stranger who is faster than Asterisk does not keep the call', () => {
    const { leg, packet, sent, frame } = setUp()
    leg.receive(packet(1), 4000, '172.17.0.2')
    leg.receive(packet(1, { ssrc: 10 }), port, address)
    leg.write(frame(1))
    expect(sent.at(-1)?.to).toBe('10.0.0.5:12000')
  })

  test.each([true, false])(
    'junk from the announced endpoint takes no call from a learnt one (lock %p)',
    (lockRemote) => {
      const { leg, packet, counters, sent, frame, clock } = setUp({ lockRemote })
      leg.receive(packet(1), 4000, '172.17.0.2')
      leg.receive(Uint8Array.of(1, 2, 3), port, address)
      leg.receive(packet(1).subarray(0, 13), port, address)
      leg.receive(packet(1, { type: 96 }), port, address)
      for (let each = 0; each < 5; each += 1) {
        leg.receive(packet(1), 4000, '172.17.0.2')
        expect(leg.write(frame(1))).toBe('sent')
        clock.advance(20)
      }
      expect(new Set(sent.map(({ to }) => to))).toEqual(new Set(['172.17.0.2:4000']))
      expect(counters).toMatchObject({ packetsIn: 6, dropped: { short: 1, payload_size: 1, payload_type: 1 } })
      expect(counters.dropped).not.toHaveProperty('foreign_source')
      // Its right is to speak: one valid packet, and the call is its own.
      leg.receive(packet(1, { ssrc: 10 }), port, address)
      leg.receive(packet(1), 4000, '172.17.0.2')
      leg.write(frame(1))
      expect(sent.at(-1)?.to).toBe('10.0.0.5:12000')
      expect(counters).toMatchObject({ packetsIn: 7, dropped: { foreign_source: 1 } })
    },
  )

  test('who is not on the list is not heard, announced or not', () => {
    const one = setUp()
    one.leg.receive(one.packet(1), port, '192.0.2.1')
    expect(one.counters).toMatchObject({ packetsIn: 0, dropped: { not_allowed: 1 } })
    const other = setUp({ announced: { address: '192.0.2.1', port } })
    other.leg.receive(other.packet(1), port, '192.0.2.1')
    expect(other.counters).toMatchObject({ packetsIn: 0, dropped: { not_allowed: 1 } })
  })

  test('without the lock a source that moves is followed by its SSRC, and another is not', () => {
    const { leg, packet, counters, sent, frame } = setUp({ lockRemote: false })
    leg.receive(packet(1), 4000, '172.17.0.2')
    leg.receive(packet(1, { ssrc: 77 }), 6000, '172.17.0.4')
    leg.receive(packet(1), 5000, '172.17.0.3')
    leg.write(frame(1))
    expect(sent.at(-1)?.to).toBe('172.17.0.3:5000')
    expect(counters).toMatchObject({ packetsIn: 2, dropped: { foreign_source: 1 } })
  })
})

describe('what comes in', () => {
  test.each(wireFormats)('%s is heard in frames, at the pacer’s pace', (format) => {
    const { leg, clock, heard, packet, count } = setUp({ format })
    clock.advance(10)
    for (const value of [100, 200, 300]) {
      leg.receive(packet(value), port, address)
      clock.advance(20)
    }
    expect(heard.length).toBe(3 * count)
    const values = [heard[0], heard[count], heard[2 * count]]
    // The laws of G.711 are off by half an interval: at 300 that is 4 (µ-law) or 8 (A-law).
    for (const [index, value] of [100, 200, 300].entries()) {
      expect(Math.abs((values[index] ?? 0) - value)).toBeLessThanOrEqual(format.endsWith('law') ? 8 : 0)
    }
  })

  test('odd, empty and overlong payloads are dropped and counted', () => {
    const { leg, counters, packet } = setUp()
    leg.receive(packet(1).subarray(0, 12), port, address)
    leg.receive(packet(1).subarray(0, 13), port, address)
    const long = new Uint8Array(12 + 2 * 481)
    writeHeader(long, 10, false, 1, 1, 9)
    leg.receive(long, port, address)
    expect(counters).toMatchObject({ packetsIn: 0, dropped: { payload_size: 3 } })
  })

  test('a key press is no lost audio', () => {
    const { leg, clock, events, packet, count } = setUp()
    clock.advance(10)
    leg.receive(packet(1), port, address)
    clock.advance(20)
    const press = Uint8Array.of(...packet(0, { type: 101 }).subarray(0, 12), 3, 0x8a, 0, 160)
    leg.receive(press, port, address)
    clock.advance(20)
    for (let each = 0; each < 3; each += 1) {
      leg.receive(packet(1), port, address)
      clock.advance(20)
    }
    expect(events).toEqual([{ type: 'dtmf', digit: '3' }])
    expect(leg.stats).toMatchObject({ lost: 0, concealed: 0, late: 0 })
    expect(count).toBe(160)
  })

  test('behind a late tick nothing is made up for packets that are still to be read', () => {
    const { leg, clock, heard, packet, count } = setUp()
    clock.advance(10)
    for (let each = 0; each < 5; each += 1) {
      leg.receive(packet(100), port, address)
      clock.advance(20)
    }
    // The loop was blocked for 60 ms: the timer runs first, then the socket is read.
    clock.stall(60)
    for (let each = 0; each < 3; each += 1) leg.receive(packet(100), port, address)
    for (let each = 0; each < 5; each += 1) {
      clock.advance(20)
      leg.receive(packet(100), port, address)
    }
    expect(leg.stats).toMatchObject({ lost: 0, late: 0, concealed: 0 })
    expect(new Set(heard)).toEqual(new Set([100]))
    expect(heard.length).toBeGreaterThanOrEqual(12 * count)
  })

  test('silence for too long ends the leg with media_lost; a packet in time does not', () => {
    const { leg, clock, events, packet, closes, pacer } = setUp({ silentPeerTimeoutMs: 5000 })
    clock.advance(4900)
    leg.receive(packet(1), port, address)
    clock.advance(4900)
    expect(events).toEqual([])
    clock.advance(200)
    expect(events).toEqual([{ type: 'ended', cause: 'media_lost' }])
    expect([closes(), pacer.size, clock.pending]).toEqual([1, 0, 0])
  })

  test('0 is for ever', () => {
    const { clock, events } = setUp()
    clock.advance(3_600_000)
    expect(events).toEqual([])
  })

  test('a flood ends the leg with protocol_error; a stranger’s flood does not', () => {
    const { leg, events, packet, counters } = setUp()
    leg.receive(packet(1), port, address)
    for (let each = 0; each < 1000; each += 1) leg.receive(packet(1), 4000, '10.0.0.7')
    expect(events).toEqual([])
    // 5 s at once are forgiven, as of a network that stood still: 250 packets.
    for (let each = 0; each < 249; each += 1) leg.receive(packet(1), port, address)
    expect(events).toEqual([])
    leg.receive(packet(1), port, address)
    expect(events).toEqual([{ type: 'ended', cause: 'protocol_error' }])
    expect(counters.dropped).toEqual({ foreign_source: 1000, flood: 1 })
  })
})

describe('copies of packets', () => {
  test('that the network makes, three of each for two minutes, are no flood', () => {
    const { leg, events, packet, clock } = setUp()
    for (let each = 0; each < 6000; each += 1) {
      const bytes = packet(1)
      for (let copy = 0; copy < 3; copy += 1) leg.receive(bytes, port, address)
      clock.advance(20)
    }
    expect(events).toEqual([])
    expect(leg.stats).toMatchObject({ duplicates: 12_000, lost: 0, late: 0 })
  })

  test('without end are one', () => {
    const { leg, events, packet, clock } = setUp()
    const bytes = packet(1)
    for (let each = 0; each < 1000 && events.length === 0; each += 1) {
      for (let copy = 0; copy < 20; copy += 1) leg.receive(bytes, port, address)
      clock.advance(20)
    }
    expect(events).toEqual([{ type: 'ended', cause: 'protocol_error' }])
  })

  test('new packets at twice real time are a flood as before', () => {
    const { leg, events, packet, clock } = setUp()
    for (let each = 0; each < 1000 && events.length === 0; each += 1) {
      for (let twice = 0; twice < 2; twice += 1) leg.receive(packet(1), port, address)
      clock.advance(20)
    }
    expect(events).toEqual([{ type: 'ended', cause: 'protocol_error' }])
    expect(clock.now() - 50_000).toBeWithin(9000, 11_000)
  })
})

describe('ending', () => {
  test('what the sender began anew is on the door’s account', async () => {
    const { leg, packet, counters } = setUp()
    leg.receive(packet(1), port, address)
    leg.receive(packet(1, { ssrc: 10 }), port, address)
    expect(counters.streams.ssrcChanges).toBe(0)
    await leg.close('agent')
    await leg.close('agent')
    expect(counters.streams.ssrcChanges).toBe(1)
  })

  test('closing twice is one end, with the first cause', async () => {
    const { leg, events, closes, frame, sent, packet, counters, heard, clock } = setUp()
    await Promise.all([leg.close('agent'), leg.close('caller')])
    expect(events).toEqual([{ type: 'ended', cause: 'agent' }])
    expect(closes()).toBe(1)
    expect(leg.write(frame(1))).toBe('closed')
    leg.receive(packet(1), port, address)
    clock.advance(200)
    expect([sent.length, counters.packetsIn, heard.length]).toEqual([0, 0, 0])
  })

  test('a listener that throws ends its own leg, and no other on the same pacer', () => {
    const one = setUp()
    const other = setUp({ pacer: one.pacer, clock: one.clock })
    const causes: string[] = []
    one.leg.onEvent((event) => {
      if (event.type === 'ended') causes.push(event.cause)
      else throw new Error('a bug')
    })
    one.clock.advance(10)
    for (const each of [one, other]) each.leg.receive(each.packet(5), port, address)
    one.clock.advance(40)
    expect(causes).toEqual(['internal_error'])
    expect(other.heard.length).toBeGreaterThanOrEqual(other.count)
    expect(other.events).toEqual([])
  })
})
