import { describe, expect, test } from 'bun:test'
import {
  emptyHeader,
  headerBytes,
  payloads,
  readHeader,
  TelephoneEvents,
  telephoneEventType,
  writeHeader,
} from '#asterisk/rtp.ts'
import { samplesPerFrame, wireFormats, wireRatesHz } from '#audio/format.ts'

/** Written by hand after RFC 3550, section 5.1. */
const plain = Uint8Array.of(0x80, 0x76, 0x12, 0x34, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 1, 2, 3, 4)

describe('a header', () => {
  test('is read field by field', () => {
    const header = emptyHeader()
    expect(readHeader(plain, header)).toBeNull()
    expect(header).toEqual({
      payloadType: 118,
      marker: false,
      sequence: 0x1234,
      timestamp: 0x89abcdef,
      ssrc: 0xfedcba98,
      payloadStart: 12,
      payloadEnd: 16,
    })
  })

  test('is written as it is read', () => {
    const bytes = new Uint8Array(16)
    bytes.set([1, 2, 3, 4], 12)
    writeHeader(bytes, 118, false, 0x1234, 0x89abcdef, 0xfedcba98)
    expect(bytes).toEqual(plain)
    writeHeader(bytes, 0, true, 65_535, 2 ** 32 - 1, 0)
    expect([...bytes.subarray(0, 12)]).toEqual([0x80, 0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])
  })

  test('contributors, an extension and padding are stepped over', () => {
    const bytes = Uint8Array.of(
      ...[0xb2, 0x80, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3],
      ...[9, 9, 9, 9, 8, 8, 8, 8],
      ...[0xbe, 0xde, 0, 2, 7, 7, 7, 7, 6, 6, 6, 6],
      ...[41, 42, 43],
      ...[0, 0, 0, 4],
    )
    const header = emptyHeader()
    expect(readHeader(bytes, header)).toBeNull()
    expect([...bytes.subarray(header.payloadStart, header.payloadEnd)]).toEqual([41, 42, 43])
    expect(header.marker).toBe(true)
  })

  const with0 = (...changes: [number, number][]) => {
    const bytes = plain.slice()
    for (const [at, value] of changes) bytes[at] = value
    return bytes
  }
  test.each([
    ['nothing at all', new Uint8Array(0), 'short'],
    ['eleven bytes', plain.subarray(0, 11), 'short'],
    ['version 1', with0([0, 0x40]), 'version'],
    ['version 3', with0([0, 0xc0]), 'version'],
    ['contributors behind the end', with0([0, 0x82]), 'short'],
    ['an extension without its header', with0([0, 0x90]).subarray(0, 14), 'extension'],
    ['an extension behind the end', with0([0, 0x90], [14, 0], [15, 1]), 'extension'],
    ['padding of nothing', with0([0, 0xa0], [15, 0]), 'padding'],
    ['more padding than there is', with0([0, 0xa0], [15, 5]), 'padding'],
  ] as const)('%s is malformed', (_name, bytes, reason) => {
    expect(readHeader(bytes, emptyHeader())).toBe(reason)
  })

  test('whatever comes, reading never leaves the datagram', () => {
    for (let first = 0; first < 256; first += 1) {
      for (let length = 0; length < 80; length += 1) {
        const bytes = new Uint8Array(length).fill(first)
        const header = emptyHeader()
        if (readHeader(bytes, header) !== null) continue
        expect(header.payloadStart).toBeGreaterThanOrEqual(headerBytes)
        expect(header.payloadEnd).toBeLessThanOrEqual(length)
        expect(header.payloadStart).toBeLessThanOrEqual(header.payloadEnd)
      }
    }
  })
})

describe('payloads', () => {
  /** main/rtp_engine.c of Asterisk. */
  const asterisk = { ulaw: 0, alaw: 8, slin: 10, slin16: 118, slin24: 123, slin48: 126 }

  test.each(wireFormats)('%s has Asterisk’s number and fits into an Ethernet frame', (format) => {
    const payload = payloads[format]
    expect(payload.sends).toBe(asterisk[format])
    expect(payload.takes).toContain(asterisk[format])
    const bytes = (samplesPerFrame(wireRatesHz[format]) * payload.bytesPerSample) / payload.packetsPerFrame
    // 1500 bytes less the headers of IPv6 (40), UDP (8) and RTP (12).
    expect(bytes).toBeLessThanOrEqual(1440)
  })

  test('slin also comes as 11', () => {
    expect(payloads.slin.takes).toEqual([10, 11])
  })

  test.each(['slin', 'slin16', 'slin24', 'slin48'] as const)('%s is big-endian both ways', (format) => {
    const samples = Int16Array.of(0x1234, -2, 32_767, -32_768)
    const bytes = new Uint8Array(8)
    payloads[format].encode(samples, bytes)
    expect([...bytes]).toEqual([0x12, 0x34, 0xff, 0xfe, 0x7f, 0xff, 0x80, 0x00])
    const back = new Int16Array(4)
    payloads[format].decode(bytes, back)
    expect(back).toEqual(samples)
  })

  test('the two laws are not taken for each other', () => {
    const code = new Uint8Array(1)
    payloads.ulaw.encode(Int16Array.of(0), code)
    expect(code[0]).toBe(0xff)
    payloads.alaw.encode(Int16Array.of(0), code)
    expect(code[0]).toBe(0xd5)
  })
})

describe('telephone events', () => {
  const event = (code: number, end = false) => Uint8Array.of(code, end ? 0x8a : 0x0a, 0, 160)

  test('are Asterisk’s payload type 101', () => {
    expect(telephoneEventType).toBe(101)
  })

  test('a key press is one digit, however many packets it has', () => {
    const events = new TelephoneEvents()
    const digits = [event(5), event(5), event(5, true), event(5, true), event(5, true)].map((each) =>
      events.digit(1000, each),
    )
    expect(digits).toEqual(['5', null, null, null, null])
    // The same key again.
    expect(events.digit(2600, event(5))).toBe('5')
  })

  test('only the end of it arrives: a digit all the same', () => {
    expect(new TelephoneEvents().digit(7, event(11, true))).toBe('#')
  })

  test('a packet of the event before, delayed, is none', () => {
    const events = new TelephoneEvents()
    events.digit(1000, event(1))
    events.digit(3000, event(2))
    expect(events.digit(1000, event(1, true))).toBeNull()
  })

  test('timestamps wrap', () => {
    const events = new TelephoneEvents()
    expect(events.digit(4_294_967_000, event(1))).toBe('1')
    expect(events.digit(500, event(2))).toBe('2')
  })

  test('the sixteen keys, and nothing else', () => {
    const all = Array.from({ length: 20 }, (_, code) => new TelephoneEvents().digit(1, event(code)))
    expect(all.join('')).toBe('0123456789*#ABCD')
    expect(new TelephoneEvents().digit(1, Uint8Array.of(1, 0))).toBeNull()
  })

  test('another sender’s timestamps are its own', () => {
    const events = new TelephoneEvents()
    events.digit(1_000_000, event(1))
    events.reset()
    expect(events.digit(5, event(2))).toBe('2')
  })
})
