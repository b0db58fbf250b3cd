import { describe, expect, test } from 'bun:test'
import { type Random, seededRandom } from '#base/random.ts'
import { createOverlapModel, wordsAskedMs } from '#speech/overlap.ts'
import { featureCount } from '#speech/overlap-features.ts'
import { OverlapNetwork, parts, weightCount } from '#speech/overlap-network.ts'
import { OverlapRate } from '#speech/overlap-rate.ts'
import { decodeWeights, encodeWeights } from '#speech/weights-text.ts'
import { augmented } from '../../../scripts/overlap/augment.ts'
import { featuresOf, sequenceOf, windowAt } from '../../../scripts/overlap/sequences.ts'

/** Half a second of hiss, then a buzz with a melody. */
function sound(sampleRateHz: number, seconds = 1.5): Int16Array {
  const random = seededRandom(1)
  return Int16Array.from({ length: Math.round(seconds * sampleRateHz) }, (_, index) => {
    const t = index / sampleRateHz
    const hiss = 60 * (random.next() - 0.5)
    if (t < 0.5) return Math.round(hiss)
    const voice = [1, 2, 3, 5].reduce((sum, n) => sum + Math.sin(2 * Math.PI * n * (130 + 30 * t) * t) / n, 0)
    return Math.round(3000 * voice * Math.min(1, (t - 0.5) * 20) + hiss)
  })
}

/** Any weights will do where only the arithmetic is looked at. */
function freshWeights(random: Random): Float32Array {
  const weights = Float32Array.from({ length: weightCount }, () => (random.next() - 0.5) / 4)
  return weights.fill(0, parts.mean, parts.scale).fill(1, parts.scale, parts.convolution)
}

const someWeights = freshWeights(seededRandom(9))
someWeights.fill(0.3, parts.scale, parts.scale + featureCount)
const model = createOverlapModel({ weights: someWeights })
const opened = (sampleRateHz: number) => {
  const listener = model.open(sampleRateHz)
  if (listener === null) throw new Error(`no listener at ${sampleRateHz} Hz`)
  return listener
}

describe('an overlap listener', () => {
  test('says the same whatever the size of a frame, and wherever the past ends', () => {
    for (const sampleRateHz of [8000, 16000, 44100, 48000]) {
      const samples = sound(sampleRateHz)
      const results = [1, 7, 80, 160, 1000].map((size) => {
        const listener = opened(sampleRateHz)
        const past = Math.round(0.6 * sampleRateHz)
        listener.begin(samples.subarray(0, past + size), 100 + (size * 1000) / sampleRateHz)
        for (let at = past + size; at < samples.length; at += size) listener.push(samples.subarray(at, at + size))
        return { ...listener.score }
      })
      for (const result of results) expect(result).toEqual(results[0] as object)
    }
  })

  test('hears a wide leg much as a telephone’s', () => {
    const narrow = opened(8000)
    narrow.begin(sound(8000), 1000)
    for (const sampleRateHz of [16000, 24000, 48000]) {
      const wide = opened(sampleRateHz)
      wide.begin(sound(sampleRateHz), 1000)
      expect(wide.score?.interruption).toBeCloseTo(narrow.score?.interruption ?? 0, 1)
    }
  })

  test('has no score before 120 ms of the voice were heard, and probabilities from then on', () => {
    const listener = opened(8000)
    expect(listener.score).toBeNull()
    const samples = sound(8000)
    // The voice began 40 ms ago.
    listener.begin(samples.subarray(0, 4320), 40)
    expect(listener.score).toBeNull()
    listener.push(samples.subarray(4320, 4880))
    expect(listener.score).toBeNull()
    listener.push(samples.subarray(4880, 5200))
    const { score } = listener
    expect((score?.interruption ?? 0) + (score?.backchannel ?? 0) + (score?.noise ?? 0)).toBeCloseTo(1, 5)
    listener.push(samples.subarray(5200))
    expect(listener.score).toBe(score)
  })

  test('forgets the overlap before', () => {
    const listener = opened(8000)
    const samples = sound(8000)
    listener.begin(samples, 1000)
    const first = { ...listener.score }
    listener.push(Int16Array.from(samples, (sample) => -sample))
    expect({ ...listener.score }).not.toEqual(first)
    listener.begin(samples, 1000)
    expect({ ...listener.score }).toEqual(first)
  })

  test('takes a past that is shorter than it would like', () => {
    const listener = opened(8000)
    listener.begin(sound(8000).subarray(4000, 4400), 50)
    expect(listener.score).toBeNull()
    listener.push(sound(8000).subarray(4400))
    expect(listener.score).not.toBeNull()
    expect(model.open(4000)).toBeNull()
  })
})

describe('with a judge of words', () => {
  interface Question {
    readonly samples: Int16Array
    readonly answer: (probabilities: readonly number[] | null) => Promise<void>
  }
  function judged() {
    const asked: Question[] = []
    const words = (samples: Int16Array<ArrayBuffer>) =>
      new Promise<Float32Array | null>((resolve) => {
        asked.push({
          samples,
          answer: async (probabilities) => {
            resolve(probabilities === null ? null : Float32Array.from(probabilities))
            await Promise.resolve()
          },
        })
      })
    const listener = createOverlapModel({ weights: someWeights, words }).open(8000)
    if (listener === null) throw new Error('no listener')
    return { listener, asked }
  }
  const samples = sound(8000, 3)
  /** The voice begins at half a second; it has been heard for so long. */
  const until = (ms: number) => 4000 + ms * 8

  test('it is shown the voice from 120 ms before its onset, when there may be a word, and one question at a time', async () => {
    const { listener, asked } = judged()
    listener.begin(samples.subarray(0, until(200)), 200)
    listener.push(samples.subarray(until(200), until(299)))
    expect(asked).toHaveLength(0)
    listener.push(samples.subarray(until(299), until(310)))
    expect(asked).toHaveLength(1)
    expect([...(asked[0]?.samples ?? [])]).toEqual([...samples.subarray(until(-120), until(310))])
    listener.push(samples.subarray(until(310), until(600)))
    expect(asked).toHaveLength(1)
    await asked[0]?.answer(null)
    listener.push(samples.subarray(until(600), until(620)))
    expect(asked).toHaveLength(2)
    await asked[1]?.answer([0.2, 0.7, 0.1])
    listener.push(samples.subarray(until(620), until(640)))
    expect(asked).toHaveLength(2)
    for (let ms = 640; ms < 2400; ms += 20) {
      listener.push(samples.subarray(until(ms), until(ms + 20)))
      await asked.at(-1)?.answer([0.2, 0.7, 0.1])
    }
    expect(asked).toHaveLength(2 + wordsAskedMs.filter((ms) => ms > 620).length)
  })

  test('its answer outweighs the sound, and stays until there is another', async () => {
    const { listener, asked } = judged()
    listener.begin(samples.subarray(0, until(310)), 310)
    const ofSound = { ...listener.score }
    await asked[0]?.answer([0.01, 0.98, 0.01])
    expect(listener.score?.backchannel).toBeGreaterThan(0.9)
    expect(ofSound.backchannel ?? 1).toBeLessThan(0.9)
    listener.push(samples.subarray(until(310), until(420)))
    expect(listener.score?.backchannel).toBeGreaterThan(0.9)
    await asked[1]?.answer([0.98, 0.01, 0.01])
    expect(listener.score?.interruption).toBeGreaterThan(0.9)
  })

  test('an answer that comes after the overlap belongs to none', async () => {
    const { listener, asked } = judged()
    listener.begin(samples.subarray(0, until(310)), 310)
    listener.begin(samples.subarray(0, until(200)), 200)
    const before = { ...listener.score }
    await asked[0]?.answer([0.01, 0.98, 0.01])
    expect({ ...listener.score }).toEqual(before)
  })
})

test('the network is a convolution, a gated recurrent unit and a softmax by their definitions', () => {
  const weights = freshWeights(seededRandom(4))
  weights.fill(1, parts.scale, parts.scale + featureCount)
  const network = new OverlapNetwork(weights)
  const random = seededRandom(2)
  const windows = Array.from({ length: 6 }, () =>
    Float32Array.from({ length: featureCount }, () => random.next() - 0.5),
  )
  const at = (part: number, width: number, row: number, column: number) =>
    weights[part + row * width + column] as number
  const hiddenUnits = (parts.input - parts.convolutionBias) | 0
  const stateUnits = (parts.result - parts.stateBias) / 3
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
  let state = Array.from({ length: stateUnits }, () => 0)
  for (const [t, window] of windows.entries()) {
    network.step(window)
    const hidden = Array.from({ length: hiddenUnits }, (_, unit) => {
      let sum = weights[parts.convolutionBias + unit] as number
      for (let tap = 0; tap < 3; tap++) {
        for (let index = 0; index < featureCount; index++) {
          sum +=
            at(parts.convolution, 3 * featureCount, unit, tap * featureCount + index) *
            (windows[t + tap - 2]?.[index] ?? 0)
        }
      }
      return Math.max(0, sum)
    })
    const gate = (index: number, unit: number) => {
      const row = index * stateUnits + unit
      const ofInput = hidden.reduce((sum, value, column) => sum + value * at(parts.input, hiddenUnits, row, column), 0)
      const ofState = state.reduce((sum, value, column) => sum + value * at(parts.state, stateUnits, row, column), 0)
      return [
        ofInput + (weights[parts.inputBias + row] as number),
        ofState + (weights[parts.stateBias + row] as number),
      ] as const
    }
    state = state.map((before, unit) => {
      const [ri, rs] = gate(0, unit)
      const [zi, zs] = gate(1, unit)
      const [ni, ns] = gate(2, unit)
      const update = sigmoid(zi + zs)
      return (1 - update) * Math.tanh(ni + sigmoid(ri + rs) * ns) + update * before
    })
    const results = [0, 1, 2].map((row) =>
      state.reduce(
        (sum, value, column) => sum + value * at(parts.result, stateUnits, row, column),
        weights[parts.resultBias + row] as number,
      ),
    )
    const total = results.reduce((sum, result) => sum + Math.exp(result), 0)
    for (const [row, result] of results.entries()) {
      expect(network.probabilities[row]).toBeCloseTo(Math.exp(result) / total, 5)
    }
  }
})

test('weights survive their text to three digits', () => {
  const weights = freshWeights(seededRandom(8))
  const again = decodeWeights(encodeWeights(weights))
  expect(again).toHaveLength(weightCount)
  for (const [index, weight] of weights.entries()) {
    expect(Math.abs((again[index] as number) - weight)).toBeLessThanOrEqual(Math.abs(weight) * 0.004)
  }
  expect(encodeWeights(again)).toBe(encodeWeights(weights))
})

describe('the rate', () => {
  test('a tone keeps frequency and loudness, one above 4 kHz is gone', () => {
    const rms = (values: readonly number[]) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length)
    for (const sampleRateHz of [12000, 16000, 22050, 44100, 48000]) {
      const through = (hz: number) => {
        const rate = new OverlapRate(sampleRateHz)
        const out: number[] = []
        for (let index = 0; index < sampleRateHz; index++) {
          if (rate.push(Math.sin((2 * Math.PI * hz * index) / sampleRateHz))) out.push(rate.take())
        }
        return out
      }
      expect(Math.abs(through(1000).length - 8000)).toBeLessThanOrEqual(1)
      const kept = through(1000).slice(200)
      expect(rms(kept)).toBeCloseTo(Math.SQRT1_2, 2)
      // 8 samples a period: a sample and the one half a period later cancel.
      expect(rms(kept.slice(4).map((value, index) => value + (kept[index] as number)))).toBeLessThan(0.02)
      expect(rms(through(5000).slice(200))).toBeLessThan(0.02)
    }
  })
})

describe('training', () => {
  const spoken = { samples: sound(8000), onsetSample: 4000, offsetSample: 9000 }
  const under = {
    noises: [Float32Array.from(sound(8000, 0.4), (x) => x / 32768)],
    voices: [new Float32Array(100).fill(0.1)],
  }
  const heard = augmented(spoken, under, seededRandom(1))
  const sequence = sequenceOf(heard, 1, 1, seededRandom(2))

  test('what it hears in training is what it hears in a call', () => {
    const weights = freshWeights(seededRandom(6))
    const network = new OverlapNetwork(weights)
    const samples = heard.samples
    const features = featuresOf(samples.subarray(heard.onset - 960))
    for (let at = 0; at < features.length; at += featureCount) network.step(features.subarray(at, at + featureCount))
    const listener = createOverlapModel({ weights }).open(8000)
    const windows = features.length / featureCount
    const end = heard.onset - 960 + (windows - 1) * 160 + 256
    listener?.begin(samples.subarray(0, heard.onset + 800), 100)
    listener?.push(samples.subarray(heard.onset + 800, end))
    expect(listener?.score?.interruption).toBeCloseTo(network.probabilities[0] as number, 6)
  })

  test('only what was heard long enough is judged, and until the silence after it', () => {
    const first = sequence.weights.findIndex((weight) => weight > 0)
    expect(first).toBe(windowAt(sequence.onset + 1200 - 1) + 1)
    expect(sequence.weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5)
  })
})
