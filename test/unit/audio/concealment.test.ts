import { describe, expect, test } from 'bun:test'
import { Concealment } from '#audio/concealment.ts'
import { seededRandom } from '#base/random.ts'
import { compareConcealment } from '../../fakes/concealment-measure.ts'

/** A voiced sound of this pitch, with overtones. */
function vowel(rateHz: number, pitchHz: number, samples: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, index) => {
    const angle = (2 * Math.PI * pitchHz * index) / rateHz
    return Math.round(6000 * (Math.sin(angle) + 0.6 * Math.sin(2 * angle + 1) + 0.4 * Math.sin(3 * angle + 2)))
  })
}

/** `sound` is heard up to `from` and again from `to`; what is between is made up. */
function withHole(rateHz: number, sound: Int16Array, from: number, to: number): Int16Array {
  const concealment = new Concealment(rateHz)
  const heard = sound.slice()
  const frame = rateHz / 50
  for (let at = 0; at < sound.length; at += frame) {
    if (at >= from && at < to) concealment.fill(heard, at, at + frame)
    else concealment.real(heard, at, at + frame)
  }
  return heard
}

const steepest = (samples: Int16Array) =>
  samples.reduce((most, sample, index) => Math.max(most, Math.abs(sample - (samples[index - 1] ?? sample))), 0)
const peak = (samples: Int16Array) => samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)

describe.each([8000, 16_000, 24_000, 48_000])('at %d Hz', (rateHz) => {
  const frame = rateHz / 50

  test.each([70, 110, 200, 390])('a vowel of %d Hz goes on through a lost packet as it was', (pitchHz) => {
    const sound = vowel(rateHz, pitchHz, 30 * frame)
    const heard = withHole(rateHz, sound, 10 * frame, 11 * frame)
    // The period is a whole number of samples only by luck: a fraction of one is the error that stays.
    let noise = 0
    let energy = 0
    for (let at = 10 * frame; at < 11 * frame; at += 1) {
      noise += ((heard[at] as number) - (sound[at] as number)) ** 2
      energy += (sound[at] as number) ** 2
    }
    expect(10 * Math.log10(energy / noise)).toBeGreaterThan(8)
    expect(steepest(heard)).toBeLessThanOrEqual(steepest(sound) * 1.15)
  })

  test('both ends of a hole are joined, wherever in the period they lie', () => {
    for (let start = 8; start < 16; start += 1) {
      for (const length of [1, 2, 3, 7]) {
        const sound = vowel(rateHz, 143, 40 * frame)
        const heard = withHole(rateHz, sound, start * frame, (start + length) * frame)
        expect(steepest(heard)).toBeLessThanOrEqual(steepest(sound) * 1.25)
      }
    }
  })

  test('full for one packet, half as loud at 50 ms, silent from 80 ms on', () => {
    const sound = vowel(rateHz, 150, 40 * frame)
    const heard = withHole(rateHz, sound, 10 * frame, 25 * frame)
    const at = (fromMs: number, toMs: number) =>
      peak(heard.subarray(10 * frame + (fromMs * rateHz) / 1000, 10 * frame + (toMs * rateHz) / 1000)) / peak(sound)
    expect(at(0, 20)).toBeGreaterThan(0.95)
    expect(at(45, 55)).toBeGreaterThan(0.35)
    expect(at(45, 55)).toBeLessThan(0.6)
    expect(at(80, 300)).toBe(0)
  })

  test('behind the overlap the sound is untouched', () => {
    const sound = vowel(rateHz, 150, 40 * frame)
    const heard = withHole(rateHz, sound, 10 * frame, 15 * frame)
    expect(heard.subarray(0, 10 * frame)).toEqual(sound.subarray(0, 10 * frame))
    expect(heard.subarray(15.5 * frame)).toEqual(sound.subarray(15.5 * frame))
  })
})

test('a sound that rises as it goes on is joined without a step, at the beginning and from period to period', () => {
  // 30 a sample are 1700 a period: that is the step which a bare repetition would have.
  const sound = vowel(8000, 143, 1600).map((sample, index) => Math.round(sample / 3) + 30 * (index - 800))
  const heard = withHole(8000, sound, 800, 960)
  expect(steepest(heard.subarray(0, 960))).toBeLessThanOrEqual(steepest(sound) * 1.3)
})

test('noise is repeated at the longest distance, where it hums least', () => {
  const random = seededRandom(3)
  const sound = Int16Array.from({ length: 1600 }, () => Math.round((random.next() - 0.5) * 8000))
  const heard = withHole(8000, sound, 800, 960)
  // 15 ms are 120 samples; the first 30 hold the joint.
  expect(heard.subarray(800 + 150, 800 + 160)).toEqual(heard.subarray(800 + 30, 800 + 40))
})

test('silence is continued by silence', () => {
  expect(peak(withHole(8000, new Int16Array(1600), 800, 1120))).toBe(0)
})

test('the loudest sound does not wrap around', () => {
  const sound = Int16Array.from({ length: 3200 }, (_, index) => (index % 57 < 28 ? 32_767 : -32_768))
  const heard = withHole(8000, sound, 1600, 1760)
  // A square wave’s own edges are all there may be: each half lasts 28 samples.
  let edges = 0
  for (let at = 1590; at < 1800; at += 1)
    if (Math.abs((heard[at] as number) - (heard[at - 1] as number)) > 40_000) edges += 1
  expect(edges).toBeLessThanOrEqual(Math.ceil(210 / 28) + 1)
})

test('of a voice with holes much more is left than silence in them would leave', () => {
  // A pitch that glides by 20 Hz in a second, as a sentence does.
  let phase = 0
  const sound = Int16Array.from({ length: 8000 * 20 }, (_, index) => {
    phase += (2 * Math.PI * (130 + 20 * Math.sin(index / 2500))) / 8000
    return Math.round(4000 * (Math.sin(phase) + 0.5 * Math.sin(2 * phase + 1) + 0.25 * Math.sin(4 * phase)))
  })
  const { concealed, zeroFilled, framesLost, buffer } = compareConcealment(sound, 5, 0.05)
  expect(buffer.stats).toMatchObject({ lost: framesLost, concealed: framesLost })
  expect(zeroFilled.snrDb).toBeCloseTo(0, 5)
  expect(concealed.snrDb).toBeGreaterThan(6)
  expect(concealed.distanceDb).toBeLessThan(zeroFilled.distanceDb / 4)
})
