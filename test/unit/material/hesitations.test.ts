import { describe, expect, test } from 'bun:test'
import { type Random, seededRandom } from '#base/random.ts'
import { noiseSound, toneSound } from '../../bed/sounds.ts'
import { pausesIn, RATE_HZ, toMs, toSamples } from '../../material/audio.ts'
import { drawnOut, fillerFrom, twoSentences, withHesitation, withLongerGap } from '../../material/hesitations.ts'
import { hesitationMs, phraseEndMs } from '../../material/turns.ts'

const floats = (...parts: Int16Array[]) => Float64Array.from(parts.flatMap((part) => [...part]))
const tone = (ms: number, hz = 900) => toneSound(ms, hz, -20, RATE_HZ)
const quiet = (ms: number) => new Int16Array(toSamples(ms))
const seeds = Array.from({ length: 12 }, (_, seed) => seededRandom(seed + 1))
/** Words of 300 ms, 40 ms apart: nothing of it is a phrase's end. */
const fluent = floats(...Array.from({ length: 8 }, () => [tone(300), quiet(40)]).flat())

describe('a hesitation', () => {
  test('parts two words of a phrase, and says where', () => {
    for (const random of seeds) {
      const paused = withHesitation(fluent, random)
      const [pause] = paused?.pauses ?? []
      if (paused === null || pause === undefined) throw new Error('no pause')
      const found = pausesIn(paused.samples, 250)
      expect(found).toHaveLength(1)
      // A voice fades for up to 70 ms, and the words' own gap is 40 ms.
      expect(Math.abs((found[0]?.fromMs ?? 0) - pause.fromMs)).toBeLessThanOrEqual(80)
      expect(Math.abs((found[0]?.untilMs ?? 0) - pause.untilMs)).toBeLessThanOrEqual(50)
      expect(pause.fromMs).toBeGreaterThan(toMs(fluent.length) * 0.2)
      expect(pause.fromMs).toBeLessThan(toMs(fluent.length) * 0.95)
    }
  })

  test('keeps away from the ends of phrases', () => {
    const phrases = floats(tone(1200), quiet(200), tone(300), quiet(40), tone(300), quiet(40), tone(300))
    for (const random of seeds) {
      const [pause] = withHesitation(phrases, random)?.pauses ?? []
      if (pause !== undefined) expect(pause.fromMs).toBeGreaterThan(1400 + 250)
    }
  })

  test('is nothing that a short utterance, or one without words, has room for', () => {
    expect(withHesitation(floats(tone(300), quiet(40), tone(300)), seededRandom(1))).toBeNull()
    expect(withHesitation(floats(tone(3000)), seededRandom(1))).toBeNull()
  })

  test('is marked by what comes before it: a syllable drawn out, or a filler', () => {
    const added = seeds.map((random) => {
      const paused = withHesitation(fluent, random)
      const [pause] = paused?.pauses ?? []
      if (paused === null || pause === undefined) throw new Error('no pause')
      return toMs(paused.samples.length - fluent.length) - (pause.untilMs - pause.fromMs)
    })
    // 180 ms times 1.6 to 3, or a filler of 250 to 450 ms and what is before it.
    for (const ms of added) expect(ms).toBeWithin(107, 571)
    expect(Math.max(...added) - Math.min(...added)).toBeGreaterThan(100)
  })

  test('a filler is a vowel of the voice, held at its pitch', () => {
    const vowel = toneSound(300, 200, -20, RATE_HZ)
    const filler = fillerFrom(
      floats(noiseSound(600, -20, RATE_HZ, 1), vowel, noiseSound(600, -20, RATE_HZ, 2)),
      seeds[0] as Random,
    )
    if (filler === null) throw new Error('no filler')
    expect(toMs(filler.length)).toBeWithin(250, 451)
    const crossings = filler.filter((sample, i) => i > 0 && sample >= 0 !== (filler[i - 1] ?? 0) >= 0).length
    expect(crossings / 2 / (filler.length / RATE_HZ)).toBeWithin(185, 215)
    expect(fillerFrom(new Float64Array(8000), seeds[0] as Random)).toBeNull()
  })

  test('of a synthesised voice lies at the gap that is meant', () => {
    const said = floats(tone(600), quiet(120), tone(900), quiet(120), tone(900))
    const [pause] = withLongerGap(said, 0.62, seededRandom(2))?.pauses ?? []
    // The gap begins at 1,620 ms; the 180 ms before it last 1.6 to 3 times as long.
    expect(pause?.fromMs).toBeWithin(1620 + 107, 1640 + 381)
    expect(withLongerGap(floats(tone(3000)), 0.5, seededRandom(2))).toBeNull()
  })

  test('draws the last syllable out at its pitch, and leaves what is before', () => {
    const long = drawnOut(fluent, 1.5)
    expect(toMs(long.length - fluent.length)).toBeCloseTo(90, 0)
    expect(long.slice(0, fluent.length - toSamples(180))).toEqual(fluent.slice(0, fluent.length - toSamples(180)))
    const voiced = drawnOut(floats(tone(1000, 500)), 1.5).slice(toSamples(850), toSamples(1050))
    const crossings = voiced.filter((sample, i) => i > 0 && sample >= 0 !== (voiced[i - 1] ?? 0) >= 0).length
    expect(crossings / 2 / 0.2).toBeCloseTo(500, -1.5)
  })
})

test('two sentences keep their words, and what lies between them is a pause', () => {
  const both = twoSentences(floats(tone(900)), floats(tone(700)), seededRandom(1))
  const [pause] = pausesIn(both.samples, 200)
  expect(pause?.fromMs).toBeWithin(900, 941)
  expect(toMs(both.samples.length)).toBeGreaterThan(1600 + 250)
})

test('pauses are as long as they are said to be: in the middle of a phrase longer than at its end', () => {
  const random = seededRandom(5)
  const sorted = (draw: typeof phraseEndMs) => Array.from({ length: 2000 }, () => draw(random)).sort((a, b) => a - b)
  const middle = sorted(hesitationMs)
  const end = sorted(phraseEndMs)
  expect(middle[1000]).toBeWithin(590, 651)
  expect(middle.filter((ms) => ms > 1000).length / 2000).toBeCloseTo(1 / 7, 1)
  expect(end[1000]).toBeWithin(320, 361)
  expect(end[1900]).toBeWithin(570, 671)
  expect([middle[0], middle[1999], end[0], end[1999]].every((ms) => ms !== undefined && ms >= 250 && ms <= 2000)).toBe(
    true,
  )
})
