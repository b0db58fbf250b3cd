import { describe, expect, test } from 'bun:test'
import { MoonshineTokens } from '#speech/moonshine-tokens.ts'
import { parsePiperVoice, phonemesToIds } from '#speech/piper.ts'
import { quietestPoint } from '#speech/quietest.ts'
import { TurnAudio } from '#speech/turn-audio.ts'

describe('MoonshineTokens', () => {
  const text = (value: string) => [...new TextEncoder().encode(value)]
  const entry = (value: string) => {
    const bytes = text(value)
    return bytes.length < 128 ? [bytes.length, ...bytes] : [128 + (bytes.length % 128), bytes.length >> 7, ...bytes]
  }

  test('lengths of one and of two bytes, spaces, single bytes of a character', () => {
    const long = 'x'.repeat(300)
    const file = Uint8Array.from(['<s>', '▁Hello', '▁world', '<0xC3>', '<0xA9>', long].flatMap(entry))
    const tokens = new MoonshineTokens(file)
    expect(tokens.size).toBe(6)
    expect(tokens.decode([0, 1, 2])).toBe('Hello world')
    expect(tokens.decode([1, 3, 4])).toBe('Helloé')
    expect(tokens.decode([5])).toBe(long)
  })

  test('a file that was cut short is refused', () => {
    expect(() => new MoonshineTokens(Uint8Array.from([5, 65, 66]))).toThrow('cut short')
  })
})

describe('phonemesToIds', () => {
  const voice = parsePiperVoice({
    audio: { sample_rate: 22050 },
    espeak: { voice: 'en-us' },
    phoneme_id_map: { _: [0], '^': [1], $: [2], ' ': [3], h: [20], ə: [59], '̃': [141], a: [14], '.': [10] },
  })

  test('begin, pad after each phoneme, end', () => {
    expect([...phonemesToIds('hə.', voice)]).toEqual([1, 0, 20, 0, 59, 0, 10, 0, 2])
  })

  test('a composed letter is taken apart, an unknown one left out', () => {
    expect([...phonemesToIds('ã☃h', voice)]).toEqual([1, 0, 14, 0, 141, 0, 20, 0, 2])
  })

  test('a voice without its map is refused by name', () => {
    expect(() => parsePiperVoice({ audio: { sample_rate: 1 }, espeak: { voice: 'x' } })).toThrow('phoneme_id_map')
  })
})

describe('quietestPoint', () => {
  test('finds the pause between two words', () => {
    const rate = 8000
    const samples = new Int16Array(rate * 3)
    for (let index = 0; index < samples.length; index++) samples[index] = 8000 * Math.sin(index)
    // Silence from 1.9 s to 2.2 s.
    samples.fill(0, 1.9 * rate, 2.2 * rate)
    const at = quietestPoint(samples, rate, rate, 3 * rate) / rate
    expect(at).toBeGreaterThanOrEqual(1.98)
    expect(at).toBeLessThanOrEqual(2.12)
  })
})

describe('TurnAudio', () => {
  const rate = 8000
  /** Sample n has the value n modulo 30000, so that a test can tell which samples it got. */
  function fed(audio: TurnAudio, from: number, count: number): void {
    for (let at = from; at < from + count; at += 160) {
      audio.append(Int16Array.from({ length: Math.min(160, from + count - at) }, (_, index) => (at + index) % 30000))
    }
  }

  test('a turn begins agoMs and 300 ms before the newest audio', () => {
    const audio = new TurnAudio(rate)
    fed(audio, 0, rate * 10)
    audio.begin(200)
    fed(audio, rate * 10, 1600)
    const turn = audio.turn()
    expect(turn.length).toBe(4000 + 1600)
    expect(turn[0]).toBe((rate * 10 - 4000) % 30000)
    expect(turn.at(-1)).toBe((rate * 10 + 1599) % 30000)
  })

  test('the beginning reaches back over all that a barge-in may hand over: 4 s of ring and the lead', () => {
    const audio = new TurnAudio(rate)
    fed(audio, 0, rate * 20)
    audio.begin(4_000)
    expect(audio.turn().length).toBe(rate * 4.3)
    expect(audio.turn()[0]).toBe((rate * 20 - rate * 4.3) % 30000)
  })

  test('it reaches back over all that is handed over at once, however long nobody listened', () => {
    const audio = new TurnAudio(rate)
    fed(audio, 0, rate * 10)
    const handed = Int16Array.from({ length: rate * 8 }, (_, index) => (rate * 10 + index) % 30000)
    audio.append(handed)
    audio.begin(7700)
    fed(audio, rate * 18, 1600)
    const turn = audio.turn()
    expect([turn.length, turn[0], turn.at(-1)]).toEqual([
      rate * 8 + 1600,
      (rate * 10) % 30000,
      (rate * 18 + 1599) % 30000,
    ])
  })

  test('it never reaches back into the turn before', () => {
    const audio = new TurnAudio(rate)
    fed(audio, 0, rate)
    audio.begin(500)
    audio.end()
    fed(audio, rate, 800)
    audio.begin(1000)
    expect([...audio.turn()]).toEqual(Array.from({ length: 800 }, (_, index) => rate + index))
  })

  test('what is sealed leaves the turn, and the rest follows it without a gap', () => {
    const audio = new TurnAudio(rate)
    fed(audio, 0, 160)
    audio.begin(0)
    fed(audio, 160, rate * 25)
    const sealed = audio.seal(rate * 20)
    expect(sealed.length).toBe(rate * 20)
    const rest = audio.turn()
    expect(rest[0]).toBe(((sealed.at(-1) ?? 0) + 1) % 30000)
    expect(audio.turnSamples).toBe(160 + rate * 5)
  })

  test('outside a turn there is nothing', () => {
    const audio = new TurnAudio(rate)
    fed(audio, 0, rate)
    expect(audio.turn().length).toBe(0)
    expect(audio.inTurn).toBe(false)
  })
})
