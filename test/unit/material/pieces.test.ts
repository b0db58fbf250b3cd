import { describe, expect, test } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import { piecesOf } from '../../../scripts/overlap/pieces.ts'

const samplesPerMs = 8

/** Three words of 300 ms, 500 Hz, with 150 ms of near silence between them. */
function sentence() {
  const word = 300 * samplesPerMs
  const gap = 150 * samplesPerMs
  const samples = new Int16Array(3 * word + 2 * gap)
  for (let index = 0; index < samples.length; index++) {
    const inWord = index % (word + gap) < word
    samples[index] = Math.round((inWord ? 8000 : 20) * Math.sin((2 * Math.PI * 500 * index) / 8000))
  }
  return {
    samples,
    onsetSample: 0,
    offsetSample: samples.length,
    label: 0 as const,
    kind: 'sentence',
    voice: 'somebody',
    human: true,
    text: 'one two three',
  }
}

describe('words out of a sentence', () => {
  test('begin where the voice rises and end where it has sunk', () => {
    const pieces = piecesOf(sentence(), 10, seededRandom(1))
    expect(pieces.length).toBeGreaterThan(0)
    for (const piece of pieces) {
      expect([piece.kind, piece.label, piece.text]).toEqual(['piece', 0, null])
      const spoken = piece.samples.subarray(piece.onsetSample, piece.offsetSample)
      const loud = (from: number) => spoken.subarray(from, from + 160).some((sample) => Math.abs(sample) > 4000)
      expect(loud(160)).toBe(true)
      expect((piece.offsetSample - piece.onsetSample) / samplesPerMs).toBeGreaterThanOrEqual(250)
    }
  })

  test('lie in silence and do not click', () => {
    for (const { samples, onsetSample } of piecesOf(sentence(), 10, seededRandom(2))) {
      expect(samples.subarray(0, onsetSample).every((sample) => sample === 0)).toBe(true)
      expect(Math.abs(samples[onsetSample] as number)).toBeLessThan(1000)
    }
  })

  test('of a short word there are none', () => {
    const whole = sentence()
    expect(piecesOf({ ...whole, offsetSample: 400 * samplesPerMs }, 4, seededRandom(1))).toEqual([])
  })
})
