import { describe, expect, test } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import { toneSound } from '../../bed/sounds.ts'
import {
  activeLevelDbfs,
  edgesOf,
  pausesIn,
  RATE_HZ,
  telephoneBand,
  toMs,
  toSamples,
  windowLevels,
} from '../../material/audio.ts'
import { babble, withNoise } from '../../material/babble.ts'
import {
  breathing,
  click,
  cough,
  coughFit,
  door,
  keyboard,
  laugh,
  music,
  sneeze,
  throatClear,
} from '../../material/coughs.ts'
import { HUM_KINDS, type Hummer, hum } from '../../material/hums.ts'
import { NOISE_KINDS, noise } from '../../material/noises.ts'
import { atSpeed } from '../../material/splices.ts'
import { valueAt } from '../../material/tract.ts'
import { digitString, trimmed, withThinkingPauses } from '../../material/turns.ts'

const floats = (...parts: Int16Array[]) => Float64Array.from(parts.flatMap((part) => [...part]))
const tone = (ms: number, hz = 900) => toneSound(ms, hz, -20, RATE_HZ)
const quiet = (ms: number) => new Int16Array(toSamples(ms))
const lengthMs = (samples: Float64Array) => {
  const { onsetSample, offsetSample } = edgesOf(samples)
  return toMs(offsetSample - onsetSample)
}

/** How alike a sound is to itself one period of a pitch from 70 to 300 Hz later: near 1 for a voice, low for breath. */
function harmonicity(samples: Float64Array): number {
  const windowSamples = 320
  const found: number[] = []
  for (let from = 400; from + 2 * windowSamples < samples.length; from += windowSamples) {
    let best = 0
    for (let lag = RATE_HZ / 300; lag < RATE_HZ / 70; lag++) {
      const later = Math.round(lag)
      let same = 0
      let energy = 0
      let energyLater = 0
      for (let i = from; i < from + windowSamples; i++) {
        same += (samples[i] ?? 0) * (samples[i + later] ?? 0)
        energy += (samples[i] ?? 0) ** 2
        energyLater += (samples[i + later] ?? 0) ** 2
      }
      best = Math.max(best, same / Math.sqrt(energy * energyLater))
    }
    found.push(best)
  }
  return found.reduce((sum, value) => sum + value, 0) / found.length
}

const man: Hummer = { id: 'man', pitchHz: 110, tract: 1, breathiness: 0.2 }

describe('hums', () => {
  test('every kind lasts 100 ms to 1.3 s, and two lengths of one kind differ', () => {
    for (const kind of HUM_KINDS) {
      const lengths = [1, 2, 3, 4].map((seed) => lengthMs(hum(man, kind, seed)))
      for (const ms of lengths) expect(ms).toBeWithin(100, 1300)
      expect(new Set(lengths).size).toBeGreaterThan(1)
    }
  })

  test('a hum is voiced, also through a telephone, and a breath is not', () => {
    for (const seed of [5, 6, 7])
      expect(harmonicity(telephoneBand(hum({ ...man, breathiness: 0 }, 'mm', seed)))).toBeGreaterThan(0.6)
    expect(harmonicity(telephoneBand(breathing(seededRandom(4))))).toBeLessThan(0.4)
  })

  test('the same seed gives the same hum, another one another', () => {
    expect(hum(man, 'mm-hm', 3)).toEqual(hum(man, 'mm-hm', 3))
    expect(hum(man, 'mm-hm', 3)).not.toEqual(hum(man, 'mm-hm', 4))
  })

  test('"mm-hm" has two parts and "mm" one', () => {
    const parts = (samples: Float64Array) => {
      const levels = [...windowLevels(samples)]
      const loud = levels.map((level) => level > Math.max(...levels) - 11)
      return loud.filter((here, i) => here && loud[i - 1] !== true).length
    }
    expect(parts(hum({ ...man, breathiness: 0 }, 'mm-hm', 2))).toBe(2)
    expect(parts(hum({ ...man, breathiness: 0 }, 'mm', 2))).toBe(1)
  })
})

describe('coughs and the like', () => {
  const makers = { cough, coughFit, throatClear, sneeze, laugh, breathing, keyboard, click, door, music }

  test('each is made of its seed alone, is finite, and is heard', () => {
    for (const [name, make] of Object.entries(makers)) {
      const samples = make(seededRandom(9))
      expect(samples, name).toEqual(make(seededRandom(9)))
      expect(samples, name).not.toEqual(make(seededRandom(10)))
      expect(samples.every(Number.isFinite), name).toBe(true)
      expect(Math.max(...samples), name).toBeGreaterThan(0.01)
    }
  })

  test('one cough lasts 150 to 600 ms and is loudest in its first fifth', () => {
    for (let seed = 1; seed < 20; seed++) {
      const samples = cough(seededRandom(seed))
      expect(toMs(samples.length)).toBeWithin(120, 600)
      const burst = activeLevelDbfs(samples.slice(0, samples.length / 5))
      expect(burst).toBeGreaterThan(activeLevelDbfs(samples.slice(samples.length / 2)))
    }
  })

  test('a laugh comes in puffs', () => {
    const samples = laugh(seededRandom(3))
    expect(toMs(samples.length)).toBeWithin(250, 1600)
    expect(pausesIn(samples, 20).length).toBeGreaterThan(0)
  })
})

describe('noise', () => {
  test('each kind is as long as asked and depends on its seed', () => {
    for (const kind of NOISE_KINDS) {
      const samples = noise(kind, 500, seededRandom(1))
      expect(samples.length, kind).toBe(4000)
      expect(samples, kind).toEqual(noise(kind, 500, seededRandom(1)))
      expect(samples, kind).not.toEqual(noise(kind, 500, seededRandom(2)))
    }
  })

  test('it lies as far under the speech as asked', () => {
    const speech = tone(1000)
    const hiss = Int16Array.from(noise('white', 300, seededRandom(1)), (sample) => sample * 3000)
    for (const snrDb of [0, 10, 20]) {
      const sum = withNoise(speech, hiss, snrDb)
      const difference = Float64Array.from(sum, (sample, i) => sample - (speech[i] ?? 0))
      expect(activeLevelDbfs(speech) - activeLevelDbfs(difference)).toBeCloseTo(snrDb, 0)
    }
  })

  test('babble is of several voices, whoever has the most clips', () => {
    const clips = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((voice, i) => ({ voice, samples: tone(400, 400 + 300 * i) }))
    const pitches = (samples: Float64Array) =>
      clips.filter((_, i) => {
        const hz = 400 + 300 * i
        let loudest = 0
        for (let from = 0; from < samples.length; from += 800) {
          let sine = 0
          let cosine = 0
          for (let n = from; n < from + 800; n++) {
            sine += (samples[n] ?? 0) * Math.sin((2 * Math.PI * hz * n) / RATE_HZ)
            cosine += (samples[n] ?? 0) * Math.cos((2 * Math.PI * hz * n) / RATE_HZ)
          }
          loudest = Math.max(loudest, Math.hypot(sine, cosine) / 800)
        }
        return loudest > 300
      }).length
    const heard = [1, 2, 3].map((seed) => pitches(babble(clips, 3000, seededRandom(seed))))
    for (const count of heard) expect(count).toBeWithin(4, 8)
  })
})

describe('turns', () => {
  const sentence = floats(quiet(100), tone(700), quiet(150), tone(900), quiet(40), tone(300), quiet(100))

  test('the gap at the boundary grows to 300 to 1,500 ms, and nothing else changes', () => {
    for (let seed = 1; seed < 12; seed++) {
      const paused = withThinkingPauses(sentence, seededRandom(seed))
      const pause = paused?.pauses[0]
      if (paused === null || pause === undefined) throw new Error('no pause')
      expect(paused.pauses).toHaveLength(1)
      expect(pause.fromMs).toBe(800)
      expect(pause.untilMs - pause.fromMs).toBeWithin(250, 1201)
      expect(toMs(paused.samples.length - sentence.length)).toBeCloseTo(pause.untilMs - pause.fromMs - 150)
      // Both readings of the pause agree: the list's and the samples'.
      expect(pausesIn(paused.samples, 250)).toEqual([pause])
    }
  })

  test('speech without a boundary gets no pause', () => {
    expect(withThinkingPauses(floats(tone(800), quiet(40), tone(800)), seededRandom(1))).toBeNull()
  })

  test('a digit string has a group pause, and its text is what was strung', () => {
    const takes = ['1', '2', '3'].map((digit, i) => ({
      digit,
      samples: floats(quiet(80), tone(250 + 50 * i), quiet(200)),
    }))
    for (let seed = 1; seed < 12; seed++) {
      const string = digitString(takes, seededRandom(seed))
      expect(string.digits).toMatch(/^[123]{4,10}$/)
      expect(string.pauses.length).toBeGreaterThan(0)
      const found = pausesIn(string.samples, 250)
      expect(found.length).toBe(string.pauses.length)
      // The digits keep 20 ms of their own on both sides.
      for (const [i, pause] of string.pauses.entries()) {
        expect(Math.abs((found[i]?.fromMs ?? 0) - pause.fromMs)).toBeLessThanOrEqual(30)
      }
    }
  })

  test('trimming leaves 20 ms', () => {
    expect(trimmed(floats(quiet(300), tone(400), quiet(500))).length).toBe(toSamples(440))
  })
})

test('a course is followed from point to point', () => {
  const course = [
    [0, 1],
    [0.5, 3],
    [1, 0],
  ] as const
  expect([0, 0.25, 0.5, 0.75, 1].map((at) => valueAt(course, at))).toEqual([1, 2, 3, 1.5, 0])
})

test('played twice as fast, a tone is half as long', () => {
  expect(atSpeed(floats(tone(200)), 2).length).toBe(799)
})
