import { lagMaxMs, PitchSearch } from './pitch.ts'

/**
 * Sound in place of sound that did not come. The last pitch period of what was heard is repeated, in the spirit of
 * G.711 Appendix I: a voice goes on for a moment as it was, and fades before the repetition becomes a buzz. Unlike the
 * Appendix nothing is delayed for it: the beginning is joined by taking the step out of the first quarter period, the
 * end by an overlap-add of what is made up with what is real.
 */

/** One lost packet of 20 ms is replaced at full level; a vowel rarely lasts unchanged for more than 80 ms. */
const fullMs = 20
const silentMs = 80
/** The longest window the pitch is judged by: one and a third of the longest period. */
const windowMs = 20
/** Overlap with the real sound: a short hole is nearly in phase, a long one is not. */
const shortJoinMs = 5
const longJoinMs = 10
/** Below this likeness there is no pitch, and the longest repetition is the one that hums least. */
const voicedMin = 0.4

export class Concealment {
  private readonly pitch: PitchSearch
  /** The newest sound that went out, real or not, oldest first. */
  private readonly heard: Int16Array
  private readonly cycle: Int16Array
  private readonly full: number
  private readonly silent: number
  private readonly perMs: number
  private period = 0
  private phase = 0
  private step = 0
  /** Samples made up since the hole began; −1 outside of one. */
  private made = -1
  /** The same, with the overlap at the hole's end: how far the fade has come. */
  private age = 0
  private joinLength = 0
  private joined = 0

  constructor(sampleRateHz: number) {
    this.perMs = sampleRateHz / 1000
    this.pitch = new PitchSearch(sampleRateHz)
    this.heard = new Int16Array(Math.ceil((lagMaxMs + windowMs) * this.perMs))
    this.cycle = new Int16Array(this.pitch.lagMax)
    this.full = fullMs * this.perMs
    this.silent = silentMs * this.perMs
  }

  /** Real sound stands in `target` there: it is joined to what was made up before it, in place. */
  real(target: Int16Array, from: number, to: number): void {
    if (this.made >= 0) {
      const joinMs = this.made > this.full ? longJoinMs : shortJoinMs
      this.joinLength = Math.round(joinMs * this.perMs)
      this.joined = 0
      this.made = -1
    }
    for (let index = from; index < to && this.joined < this.joinLength; index += 1) {
      const share = (this.joined + 0.5) / this.joinLength
      target[index] = Math.round((target[index] as number) * share + this.nextSample() * (1 - share))
      this.joined += 1
    }
    this.remember(target, from, to)
  }

  /** Makes up sound there. */
  fill(target: Int16Array, from: number, to: number): void {
    if (this.made < 0) {
      this.begin()
      this.made = 0
    }
    for (let index = from; index < to; index += 1) target[index] = this.nextSample()
    this.made += to - from
    this.remember(target, from, to)
  }

  /** Some sound was left out: what follows is joined to what was heard as if a hole had been between them. */
  cut(): void {
    if (this.made >= 0) return
    this.begin()
    this.made = 0
  }

  private begin(): void {
    const { heard, pitch, cycle } = this
    const window = Math.round(windowMs * this.perMs)
    pitch.search(heard, heard.length - window, window, -1)
    const period = pitch.likeness < voicedMin ? pitch.lagMax : pitch.lag
    const start = heard.length - period
    for (let index = 0; index < period; index += 1) cycle[index] = heard[start + index] as number
    // The cycle's last quarter flows into its own beginning: it ends as the sound before the cycle ended.
    const quarter = period >> 2
    for (let index = 0; index < quarter; index += 1) {
      const share = (index + 1) / (quarter + 1)
      const at = period - quarter + index
      cycle[at] = Math.round((cycle[at] as number) * (1 - share) + (heard[start - quarter + index] as number) * share)
    }
    this.period = period
    this.phase = 0
    this.step = (heard.at(-1) as number) - (heard[start - 1] as number)
    this.age = 0
  }

  private nextSample(): number {
    const { age, period } = this
    if (age >= this.silent) return 0
    let sample = this.cycle[this.phase] as number
    this.phase = this.phase + 1 === period ? 0 : this.phase + 1
    const quarter = period >> 2
    if (age < quarter) sample += this.step * (1 - age / quarter)
    if (age > this.full) sample *= (this.silent - age) / (this.silent - this.full)
    this.age += 1
    return Math.max(-32_768, Math.min(32_767, Math.round(sample)))
  }

  private remember(target: Int16Array, from: number, to: number): void {
    const { heard } = this
    const count = Math.min(to - from, heard.length)
    heard.copyWithin(0, count)
    for (let index = 0; index < count; index += 1) {
      heard[heard.length - count + index] = target[to - count + index] as number
    }
  }
}
