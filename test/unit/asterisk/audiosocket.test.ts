import { describe, expect, test } from 'bun:test'
import {
  AudioSocketParser,
  audioMessageBytes,
  dtmfMessage,
  type MessageHandler,
  payloadBytesMax,
  terminateMessage,
  uuidMessage,
  writeAudioMessage,
} from '#asterisk/audiosocket.ts'
import { seededRandom } from '#base/random.ts'

const uuid = '40325ec2-5efd-4bd3-805f-53576e581d13'
const uuidBytes = [
  0x01, 0, 16, 0x40, 0x32, 0x5e, 0xc2, 0x5e, 0xfd, 0x4b, 0xd3, 0x80, 0x5f, 0x53, 0x57, 0x6e, 0x58, 0x1d, 0x13,
]

/** kind, payload length big-endian, payload. */
const message = (kind: number, payload: readonly number[], claimed = payload.length) => [
  kind,
  claimed >> 8,
  claimed & 0xff,
  ...payload,
]

class Listener implements MessageHandler {
  readonly events: string[] = []
  uuid(text: string): void {
    this.events.push(`uuid ${text}`)
  }
  audio(rate: number, pcm: Uint8Array): void {
    this.events.push(`audio ${rate} ${Buffer.from(pcm).toString('hex')}`)
  }
  dtmf(digit: string): void {
    this.events.push(`dtmf ${digit}`)
  }
  terminated(): void {
    this.events.push('terminated')
  }
  unknown(kind: number): void {
    this.events.push(`unknown ${kind}`)
  }
  violation(violation: string): void {
    this.events.push(`violation ${violation}`)
  }
}

function parse(chunks: readonly (readonly number[])[], from?: 'engine'): string[] {
  const listener = new Listener()
  const parser = new AudioSocketParser(listener, from)
  for (const chunk of chunks) parser.push(Uint8Array.from(chunk))
  return listener.events
}

describe('AudioSocketParser', () => {
  test('reads each kind of the protocol', () => {
    const stream = [
      ...uuidBytes,
      ...message(0x10, [1, 2, 3, 4]),
      ...message(0x12, [5, 6]),
      ...message(0x13, [7, 8]),
      ...message(0x16, [9, 10]),
      ...message(0x03, [0x35]),
      ...message(0x03, [0x61]),
      ...message(0x10, []),
      ...message(0x00, []),
    ]
    expect(parse([stream])).toEqual([
      `uuid ${uuid}`,
      'audio 8000 01020304',
      'audio 16000 0506',
      'audio 24000 0708',
      'audio 48000 090a',
      'dtmf 5',
      'dtmf A',
      'audio 8000 ',
      'terminated',
    ])
  })

  test('any split of the reads gives the same messages', () => {
    const random = seededRandom(11)
    const below = (limit: number) => Math.floor(random.next() * limit)
    for (let round = 0; round < 60; round += 1) {
      const stream = [...uuidBytes]
      const expected = [`uuid ${uuid}`]
      for (let count = 0; count < 30; count += 1) {
        const payload = Array.from({ length: below(10) === 0 ? payloadBytesMax : below(400) }, () => below(256))
        switch (below(4)) {
          case 0:
            stream.push(...message(0x03, [0x30 + below(10)]))
            expected.push(`dtmf ${String.fromCharCode(stream.at(-1) as number)}`)
            break
          case 1:
            stream.push(...message(0x42, payload))
            expected.push(`unknown ${0x42}`)
            break
          default:
            stream.push(...message(0x10, payload))
            expected.push(`audio 8000 ${Buffer.from(payload).toString('hex')}`)
        }
      }
      const chunks: number[][] = []
      for (let offset = 0; offset < stream.length; ) {
        const size = round % 3 === 0 ? 1 + below(5) : 1 + below(2000)
        chunks.push(stream.slice(offset, offset + size))
        offset += size
      }
      expect(parse(chunks)).toEqual(expected)
    }
  })

  const violations: [string, string, number[]][] = [
    ['audio before the UUID', 'first_message_not_uuid', message(0x10, [0, 0])],
    ['a terminate before the UUID', 'first_message_not_uuid', message(0x00, [])],
    [
      'something that is no AudioSocket at all',
      'first_message_not_uuid',
      [...Buffer.from('GET / HTTP/1.1\r\n')].with(1, 0),
    ],
    ['a UUID that is too short', 'bad_uuid_length', message(0x01, [1, 2, 3])],
    ['a UUID that is too long', 'bad_uuid_length', message(0x01, new Array<number>(17).fill(0))],
    ['a second UUID', 'second_uuid', [...uuidBytes, ...uuidBytes]],
    ['a second UUID of the wrong length', 'bad_uuid_length', [...uuidBytes, ...message(0x01, [1])]],
    ['a length past the limit', 'oversized_payload', [...uuidBytes, ...message(0x10, [], payloadBytesMax + 1)]],
    ['the longest length there can be', 'oversized_payload', [...uuidBytes, ...message(0x10, [], 65_535)]],
    ['an oversized length of an unknown kind', 'oversized_payload', [...uuidBytes, ...message(0x77, [], 65_535)]],
    ['an oversized length before the UUID', 'oversized_payload', message(0x01, [], 65_535)],
    ['two digits in one message', 'bad_dtmf', [...uuidBytes, ...message(0x03, [0x31, 0x32])]],
    ['no digit in a DTMF message', 'bad_dtmf', [...uuidBytes, ...message(0x03, [])]],
    ['a byte that is no DTMF digit', 'bad_dtmf', [...uuidBytes, ...message(0x03, [0x45])]],
    ['an error message', 'peer_error', [...uuidBytes, ...message(0xff, [4])]],
  ]
  test.each(violations)(
    '%s is a violation, however it is read, and nothing is parsed after it',
    (_name, violation, bytes) => {
      const behind = message(0x10, [1, 2])
      for (const chunks of [[[...bytes, ...behind]], [...bytes, ...behind].map((byte) => [byte])]) {
        const events = parse(chunks)
        expect(events.at(-1)).toBe(`violation ${violation}`)
        expect(events.filter((event) => event.startsWith('violation'))).toHaveLength(1)
        expect(events.some((event) => event.startsWith('audio'))).toBe(false)
      }
    },
  )

  test('an oversized length is refused by its header: nothing waits for its payload', () => {
    expect(parse([uuidBytes, message(0x10, [], 65_535)]).at(-1)).toBe('violation oversized_payload')
  })

  test('a payload of just the limit is read', () => {
    const payload = new Array<number>(payloadBytesMax).fill(7)
    expect(parse([[...uuidBytes, ...message(0x10, payload)]]).at(-1)).toBe(
      `audio 8000 ${Buffer.from(payload).toString('hex')}`,
    )
  })

  test('kinds that are not known are skipped with their payload', () => {
    expect(
      parse([[...uuidBytes, ...message(0x02, [1, 2, 3]), ...message(0x17, [9, 9]), ...message(0x03, [0x23])]]),
    ).toEqual([`uuid ${uuid}`, 'unknown 2', 'unknown 23', 'dtmf #'])
  })

  test('the engine’s side of the wire starts without a UUID', () => {
    expect(parse([[...message(0x10, [1, 0]), ...message(0x00, [])]], 'engine')).toEqual([
      'audio 8000 0100',
      'terminated',
    ])
  })
})

describe('what is written', () => {
  test('the UUID message is 19 bytes: 01 00 10 and the UUID as raw bytes', () => {
    expect([...uuidMessage(uuid)]).toEqual(uuidBytes)
  })

  test('a digit and the terminate message', () => {
    expect([...dtmfMessage('#')]).toEqual([0x03, 0, 1, 0x23])
    expect([...terminateMessage]).toEqual([0, 0, 0])
  })

  test.each([
    [8000, 0x10, 160, 323],
    [16000, 0x12, 320, 643],
    [24000, 0x13, 480, 963],
    [48000, 0x16, 960, 1923],
  ] as const)(
    '20 ms at %d Hz: kind %d, %d samples, %d bytes, length big-endian, samples little-endian',
    (rate, kind, count, bytes) => {
      expect(audioMessageBytes(count)).toBe(bytes)
      const samples = new Int16Array(count)
      samples[0] = 0x0102
      samples[count - 1] = -2
      const target = new Uint8Array(bytes + 5)
      expect(writeAudioMessage(target, 5, rate, samples)).toBe(bytes + 5)
      const payload = count * 2
      expect([...target.subarray(5, 10)]).toEqual([kind, payload >> 8, payload & 0xff, 0x02, 0x01])
      expect([...target.subarray(-2)]).toEqual([0xfe, 0xff])
    },
  )

  test('a view into a larger buffer is written, not the buffer', () => {
    const samples = Int16Array.of(1, 2, 3, 4).subarray(2)
    const target = new Uint8Array(audioMessageBytes(2))
    writeAudioMessage(target, 0, 8000, samples)
    expect([...target]).toEqual([0x10, 0, 4, 3, 0, 4, 0])
  })
})
