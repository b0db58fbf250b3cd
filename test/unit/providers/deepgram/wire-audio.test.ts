import { describe, expect, test } from 'bun:test'
import { CallerAudio } from '#providers/deepgram/caller-audio.ts'
import { Decoder, silence, wireAudio } from '#providers/deepgram/wire-audio.ts'
import { callContext } from '../../../fakes/context.ts'
import { ManualClock } from '../../../fakes/manual-clock.ts'
import { decodeAudio, encodeAudio } from '../../../standin/deepgram/wire-audio.ts'
import { tonePattern } from '../../../standin/tone-pattern.ts'

const context = (overrides: object) => callContext(new ManualClock(), overrides)

describe('what travels', () => {
  test.each([
    ['auto', 'slin', 8000, 'linear16'],
    ['auto', 'ulaw', 8000, 'mulaw'],
    ['auto', 'alaw', 8000, 'alaw'],
    ['auto', undefined, 8000, 'linear16'],
    ['mulaw', 'slin', 8000, 'mulaw'],
    ['linear16', 'ulaw', 8000, 'linear16'],
    ['mulaw', 'slin16', 16_000, 'linear16'],
  ] as const)('%s, wire %s of %d Hz: %s', (encoding, wire, sampleRateHz, expected) => {
    const made = wireAudio(encoding, context({ sampleRateHz, ...(wire === undefined ? {} : { wire }) }))
    expect(made).toEqual({ encoding: expected, sampleRateHz })
  })

  for (const encoding of ['linear16', 'mulaw', 'alaw'] as const) {
    const audio = { encoding, sampleRateHz: 8000 }
    const samples = tonePattern(3, 700, 8000)

    test(`${encoding}: out and in again, however it is cut`, () => {
      const sent: Uint8Array[] = []
      const caller = new CallerAudio({
        audio,
        chunkMs: 40,
        send: (bytes) => {
          sent.push(bytes.slice())
          return 'sent'
        },
        dropped: () => {},
        repeats: false,
      })
      caller.ready()
      for (const [start, end] of [
        [0, 160],
        [160, 161],
        [161, 2000],
        [2000, samples.length],
      ] as const) {
        caller.push({ sampleRateHz: 8000, samples: samples.subarray(start, end) })
      }
      caller.flush()
      expect(caller.sentMs).toBe(700)
      const all = Buffer.concat(sent)
      expect(all.equals(Buffer.from(encodeAudio(samples, audio)))).toBeTrue()

      const expected = decodeAudio(new Uint8Array(all), audio)
      for (const size of [1, 3, 320, 333]) {
        const decoder = new Decoder(audio)
        const heard: number[] = []
        for (let at = 0; at < all.length; at += size)
          heard.push(...decoder.decode(new Uint8Array(all.subarray(at, at + size))))
        expect(heard).toEqual([...expected])
      }
    })

    test(`${encoding}: silence is silence`, () => {
      expect(new Decoder(audio).decode(silence(20, audio)).every((sample) => Math.abs(sample) <= 8)).toBeTrue()
    })
  }
})

describe('the caller’s audio', () => {
  const audio = { encoding: 'mulaw', sampleRateHz: 8000 } as const
  const make = (repeats: boolean) => {
    const sent: number[] = []
    let dropped = 0
    const caller = new CallerAudio({
      audio,
      chunkMs: 20,
      send: (bytes) => {
        sent.push(bytes[0] ?? 0)
        return 'sent'
      },
      dropped: () => {
        dropped += 1
      },
      repeats,
    })
    /** Frame n, told by the code of its samples. */
    const say = (from: number, to: number) => {
      for (let frame = from; frame < to; frame += 1) {
        caller.push({ sampleRateHz: 8000, samples: decodeAudio(new Uint8Array(160).fill(frame), audio) })
      }
    }
    return { caller, sent, say, dropped: () => dropped }
  }

  test('waits for a session, the newest 15 s', () => {
    const { caller, sent, say, dropped } = make(false)
    for (let round = 0; round < 8; round += 1) say(0, 100)
    caller.ready()
    expect([sent.length, dropped()]).toEqual([750, 50])
  })

  test('is said again where it was not confirmed, and is not where it was', () => {
    const { caller, sent, say } = make(true)
    caller.ready()
    say(0, 10)
    caller.confirm(100)
    caller.lost()
    say(10, 12)
    caller.ready()
    expect(sent).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 5, 6, 7, 8, 9, 10, 11])
    expect(caller.sentMs).toBe(140)
  })
})
