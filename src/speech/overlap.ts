import type { OverlapListener, OverlapModel, OverlapScore } from '#call/overlap-model.ts'
import { OverlapFeatures, overlapRateHz, stepSamples, windowSamples } from './overlap-features.ts'
import { OverlapNetwork, resultCount } from './overlap-network.ts'
import { OverlapRate } from './overlap-rate.ts'
import { overlapWeights } from './overlap-weights.ts'
import { decodeWeights } from './weights-text.ts'

/**
 * The model of overlaps: two judges with one opinion. The one of the sound (`overlap-network.ts`) is asked with every
 * window, here, for less than a tenth of a millisecond, and only while something sounds that may be a caller; it knows hums, coughs
 * and clicks after a quarter of a second. The one of the words (`overlap-words.ts`), where there is one, is asked in its
 * worker when there may be a word, and then again and again; between its answers, and without it, the other speaks for
 * both.
 *
 * Each overlap starts from nothing a little before its onset, so that the models hear the line's own noise first; what
 * they were trained on (`scripts/train-overlap*.ts`) starts there too.
 */
export const leadMs = 120
/** Before that much of the voice was heard there is no score. */
const heardMsMin = 120
/** When the judge of words is asked, after the onset. Two are never under way for one caller. */
export const wordsAskedMs = [300, 400, 500, 620, 760, 920, 1100, 1300] as const
/** Of an overlap, what is kept for the judge of words. */
const keptMs = leadMs + 1400

/** Probabilities of an interruption, a backchannel and a noise; null where there is no answer in time. */
export type WordsJudge = (samples: Int16Array<ArrayBuffer>, sampleRateHz: number) => Promise<Float32Array | null>

export interface OverlapModelOptions {
  readonly words?: WordsJudge | null
  readonly weights?: Float32Array
}

export function createOverlapModel(options: OverlapModelOptions = {}): OverlapModel {
  const { words = null, weights = decodeWeights(overlapWeights) } = options
  return {
    open: (sampleRateHz) => (sampleRateHz < overlapRateHz ? null : new Listener(sampleRateHz, weights, words)),
  }
}

class Listener implements OverlapListener {
  private readonly features = new OverlapFeatures()
  private readonly network: OverlapNetwork
  private readonly rate: OverlapRate | null
  private readonly sampleRateHz: number
  private readonly words: WordsJudge | null
  private readonly kept: Int16Array
  private keptLength = 0
  /** Samples heard of this overlap, and how many of them came before its onset. */
  private heard = 0
  private lead = 0
  private readonly current = { interruption: 0, backchannel: 0, noise: 0 }
  /** Windows to come before there is a score; a whole number, and more than none before the first overlap. */
  private missing = Number.POSITIVE_INFINITY
  /** What the judge of words said last; null before it has. */
  private ofWords: Float32Array | null = null
  private readonly pooled = new Float32Array(resultCount)
  private questions = 0
  private asking = false
  /** Tells answers to this overlap from those to the one before. */
  private overlaps = 0

  constructor(sampleRateHz: number, weights: Float32Array, words: WordsJudge | null) {
    this.network = new OverlapNetwork(weights)
    this.rate = sampleRateHz === overlapRateHz ? null : new OverlapRate(sampleRateHz)
    this.sampleRateHz = sampleRateHz
    this.words = words
    this.kept = new Int16Array(words === null ? 0 : Math.round((keptMs * sampleRateHz) / 1000))
  }

  get score(): OverlapScore | null {
    return this.missing > 0 ? null : this.current
  }

  begin(past: Int16Array, agoMs: number): void {
    this.features.reset()
    this.network.reset()
    this.rate?.reset()
    this.overlaps += 1
    this.ofWords = null
    this.questions = 0
    this.asking = false
    this.keptLength = 0
    this.heard = 0
    const onset = past.length - Math.round((agoMs * this.sampleRateHz) / 1000)
    const start = Math.max(0, onset - Math.round((leadMs * this.sampleRateHz) / 1000))
    this.lead = Math.max(0, onset - start)
    const leadHeardMs = (this.lead * 1000) / this.sampleRateHz
    const samples = ((leadHeardMs + heardMsMin) * overlapRateHz) / 1000
    this.missing = Math.max(1, Math.ceil((samples - windowSamples) / stepSamples) + 1)
    this.hear(past.subarray(start))
  }

  push(samples: Int16Array): void {
    this.hear(samples)
  }

  private hear(samples: Int16Array): void {
    const { rate } = this
    for (let index = 0; index < samples.length; index++) {
      const sample = (samples[index] as number) / 32768
      if (rate === null) this.take(sample)
      else if (rate.push(sample)) this.take(rate.take())
    }
    if (this.words !== null) this.keep(samples, this.words)
  }

  private take(sample: number): void {
    if (!this.features.push(sample)) return
    this.network.step(this.features.values)
    this.missing -= 1
    this.pool()
  }

  /**
   * The judge of words has twice as much to say, where it has spoken: on voices left out of the training no other share
   * that was tried did better.
   */
  private pool(): void {
    const { current, ofWords, pooled, network } = this
    let sum = 0
    for (let index = 0; index < resultCount; index++) {
      const ofSound = network.probabilities[index] as number
      const value = ofWords === null ? ofSound : Math.sqrt(ofSound) * (ofWords[index] as number)
      pooled[index] = value
      sum += value
    }
    current.interruption = (pooled[0] as number) / sum
    current.backchannel = (pooled[1] as number) / sum
    current.noise = (pooled[2] as number) / sum
  }

  private keep(samples: Int16Array, words: WordsJudge): void {
    const room = Math.min(samples.length, this.kept.length - this.keptLength)
    if (room > 0) this.kept.set(room === samples.length ? samples : samples.subarray(0, room), this.keptLength)
    this.keptLength += room
    this.heard += samples.length
    const dueMs = wordsAskedMs[this.questions]
    const sinceOnsetMs = ((this.heard - this.lead) * 1000) / this.sampleRateHz
    if (dueMs === undefined || sinceOnsetMs < dueMs || this.asking) return
    while ((wordsAskedMs[this.questions] ?? Number.POSITIVE_INFINITY) <= sinceOnsetMs) this.questions += 1
    this.asking = true
    const { overlaps } = this
    void words(this.kept.slice(0, this.keptLength), this.sampleRateHz).then((answer) => {
      if (this.overlaps !== overlaps) return
      this.asking = false
      if (answer === null) return
      this.ofWords = answer
      if (this.missing <= 0) this.pool()
    })
  }
}
