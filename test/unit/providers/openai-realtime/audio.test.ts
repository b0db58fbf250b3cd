import { describe, expect, test } from 'bun:test'
import { FormatCheck } from '#audio/format-check.ts'
import { decodeMuLaw, encodeMuLaw } from '#audio/g711.ts'
import { Resampler } from '#audio/resample.ts'
import { AgentAudio } from '#providers/openai-realtime/agent-audio.ts'
import { CallerAudio } from '#providers/openai-realtime/caller-audio.ts'

/** A voice: a buzz of 140 Hz whose loudness comes and goes. */
function voice(samples: number, rateHz: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, n) => {
    const t = n / rateHz
    const loud = 2000 * (1.2 + Math.sin(2 * Math.PI * 3 * t))
    return Math.round(loud * [1, 2, 3, 5].reduce((sum, k) => sum + Math.sin(2 * Math.PI * 140 * k * t) / k, 0))
  })
}
const bytesOf = (samples: Int16Array) => new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
function muLaw(samples: Int16Array): Uint8Array {
  const codes = new Uint8Array(samples.length)
  encodeMuLaw(samples, codes)
  return codes
}
const joined = (pieces: readonly ArrayLike<number>[]) => pieces.flatMap((piece) => Array.from(piece))

describe('the caller’s audio', () => {
  function setUp(audio: 'pcmu' | 'pcm24', appendMs = 40, legHz: 8000 | 16_000 = 8000, again = false) {
    const sent: Uint8Array[] = []
    let dropped = 0
    const state = { answer: 'sent' as 'sent' | 'full' }
    const caller = new CallerAudio(
      {
        legHz,
        appendMs,
        again,
        append: (base64) => {
          if (state.answer === 'sent') sent.push(Uint8Array.fromBase64(base64))
          return state.answer
        },
        dropped: () => {
          dropped += 1
        },
      },
      audio,
    )
    const say = (samples: Int16Array) => {
      for (let at = 0; at < samples.length; at += legHz / 50)
        caller.push({ sampleRateHz: legHz, samples: samples.subarray(at, at + legHz / 50) })
    }
    return { caller, sent, say, state, dropped: () => dropped }
  }

  test.each([20, 40, 60, 100])('µ-law in batches of %i ms, bit for bit', (appendMs) => {
    const { caller, sent, say } = setUp('pcmu', appendMs)
    caller.ready('pcmu')
    const said = voice(4800, 8000)
    say(said)
    expect(sent.map(({ length }) => length)).toEqual(Array(600 / appendMs).fill(appendMs * 8))
    expect(joined(sent)).toEqual(Array.from(muLaw(said)))
  })

  test.each([8000, 16_000] as const)('PCM at 24 kHz from %i Hz: as one resampler makes it, without a seam', (legHz) => {
    const { caller, sent, say } = setUp('pcm24', 40, legHz)
    caller.ready('pcm24')
    const said = voice(legHz, legHz)
    say(said)
    const whole = new Resampler(legHz, 24_000)
    expect(joined(sent)).toEqual(Array.from(bytesOf(whole.process(said))).slice(0, joined(sent).length))
    // No lumps: each message holds its time.
    expect(new Set(sent.map(({ length }) => length))).toEqual(new Set([40 * 48]))
    expect(whole.delayMs).toBeLessThan(5)
  })

  test('what the server has not acknowledged is said again to the next session, 15 s of it at most', () => {
    const bench = setUp('pcmu', 100, 8000, true)
    const { caller, sent } = bench
    caller.ready('pcmu')
    const say = (value: number, ms: number) => {
      for (let passed = 0; passed < ms; passed += 20)
        caller.push({ sampleRateHz: 8000, samples: new Int16Array(160).fill(value) })
    }
    const again = () => {
      caller.lost()
      sent.length = 0
      caller.ready('pcmu')
      return sent.map((batch) => batch.length / 8)
    }
    say(100, 250)
    expect(caller.complete(100)).toBe(true)
    say(2000, 300)
    expect(caller.complete(100)).toBe(true)
    caller.acknowledged()
    expect(again()).toEqual([100, 100, 100])
    say(100, 20_000)
    expect(again().length).toBe(150)
    expect(caller.complete(100)).toBe(true)
    caller.acknowledged()
    expect(again()).toEqual([])
    // Of a server that tells of commits an answer tells nothing more.
    say(2000, 300)
    expect(caller.complete(100)).toBe(true)
    caller.answered()
    expect(again()).toEqual([100, 100, 100])
  })

  test('what a server answers that never tells of commits is not said again', () => {
    const { caller, sent } = setUp('pcmu', 100, 8000, true)
    caller.ready('pcmu')
    for (let turn = 0; turn < 3; turn += 1) {
      for (let frame = 0; frame < 25; frame += 1) caller.push({ sampleRateHz: 8000, samples: new Int16Array(160) })
      expect(caller.complete(100)).toBe(true)
      if (turn < 2) caller.answered()
    }
    caller.lost()
    sent.length = 0
    caller.ready('pcmu')
    expect(sent.length).toBe(5)
  })

  test('waits while there is no session, the newest 15 s, and goes first', () => {
    const { caller, sent, say, dropped } = setUp('pcmu')
    const said = voice(8000 * 16, 8000)
    say(said)
    expect([sent.length, dropped()]).toEqual([0, 25])
    caller.ready('pcmu')
    expect(joined(sent)).toEqual(Array.from(muLaw(said.subarray(8000))))
  })

  test('what has waited in a form that the session does not take is dropped', () => {
    const { caller, sent, say, dropped } = setUp('pcmu')
    say(voice(1600, 8000))
    caller.ready('pcm24')
    expect([sent.length, dropped()]).toEqual([0, 5])
    say(voice(1600, 8000))
    expect(sent.every(({ length }) => length === 40 * 48)).toBe(true)
  })

  test('a socket that takes no more: dropped and counted', () => {
    const { caller, say, state, dropped } = setUp('pcmu')
    caller.ready('pcmu')
    state.answer = 'full'
    say(voice(1600, 8000))
    expect(dropped()).toBe(5)
  })

  test('before a commit: what is left is sent, and silence up to the least', () => {
    const { caller, sent, say } = setUp('pcmu')
    caller.ready('pcmu')
    expect(caller.complete(160)).toBe(false)
    say(voice(480, 8000))
    expect(caller.complete(160)).toBe(true)
    expect(sent.map(({ length }) => length)).toEqual([320, 160, 800])
    expect(new Set(sent[2])).toEqual(new Set([0xff]))
    expect(caller.complete(160)).toBe(false)
  })
})

describe('the agent’s audio', () => {
  const agent = (audio: 'pcmu' | 'pcm24', legHz: 8000 | 16_000 | 24_000 = 8000) => {
    let unlikely = 0
    const made = new AgentAudio(legHz, audio, () => {
      unlikely += 1
    })
    return { made, unlikely: () => unlikely }
  }

  test('µ-law comes out as it was, whatever the pieces', () => {
    const codes = muLaw(voice(8000, 8000))
    const { made } = agent('pcmu')
    const heard: number[] = []
    for (let at = 0; at < codes.length; at += 777)
      heard.push(...(made.decode(codes.subarray(at, at + 777).toBase64()) ?? []))
    const expected = new Int16Array(8000)
    decodeMuLaw(codes, expected)
    expect(heard).toEqual(Array.from(expected))
    expect(made.finish()).toHaveLength(0)
  })

  test.each([8000, 16_000, 24_000] as const)(
    'PCM to %i Hz: as one resampler makes it, halves of samples included',
    (legHz) => {
      const said = voice(24_000, 24_000)
      const bytes = bytesOf(said)
      const { made } = agent('pcm24', legHz)
      const heard: number[] = []
      for (let at = 0; at < bytes.length; at += 4801)
        heard.push(...(made.decode(bytes.subarray(at, at + 4801).toBase64()) ?? []))
      heard.push(...made.finish())
      const whole = new Resampler(24_000, legHz)
      expect(heard).toEqual([...whole.process(said), ...whole.flush()])
    },
  )

  test('what is no base64 is nothing', () => {
    expect(agent('pcmu').made.decode('*')).toBeNull()
  })

  test('one long delta is as good as many', () => {
    const said = voice(240_000, 24_000)
    const { made } = agent('pcm24', 24_000)
    expect(made.decode(bytesOf(said).toBase64())).toEqual(said)
    expect(made.lastMs).toBe(10_000)
  })

  test.each([
    ['µ-law as µ-law', 'pcmu', muLaw(voice(16_000, 8000)), 0],
    ['PCM as PCM', 'pcm24', bytesOf(voice(48_000, 24_000)), 0],
    ['PCM as µ-law', 'pcmu', bytesOf(voice(48_000, 24_000)), 1],
    ['µ-law as PCM', 'pcm24', muLaw(voice(32_000, 8000)), 1],
  ] as const)('%s: unlikely %s', (_what, audio, bytes, times) => {
    const { made, unlikely } = agent(audio)
    for (let at = 0; at < bytes.length; at += 960) made.decode(bytes.subarray(at, at + 960).toBase64())
    expect(unlikely()).toBe(times)
  })

  test('silence tells nothing, and the first second after it does', () => {
    let unlikely = 0
    const check = new FormatCheck(() => {
      unlikely += 1
    })
    check.push(new Int16Array(24_000))
    const noise = Int16Array.from({ length: 8000 }, (_, n) => ((n * 7919 * 104_729) % 60_000) - 30_000)
    check.push(noise)
    expect(unlikely).toBe(1)
    check.push(noise)
    expect(unlikely).toBe(1)
  })
})
