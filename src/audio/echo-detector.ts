import type { Milliseconds } from '#base/clock.ts'
import { copiedShare } from './echo-copy.ts'
import { EchoFilter, energyLeft, energyOf } from './echo-filter.ts'
import { type Guess, guesses, rise } from './echo-guess.ts'
import { EchoHistory, echoRateHz } from './echo-history.ts'
import { type EchoWork, echoWork, filterTaps, stretchSamples } from './echo-work.ts'
import { energyDbfs, silenceDbfs } from './level.ts'

/**
 * Is it our own voice that comes back? What was sent and what the caller's line brings are kept side by side; while the
 * agent speaks, five times a second, a little is learnt of how one turns into the other:
 *
 * | what is known | how a sound is judged                                                                     |
 * |---------------|-------------------------------------------------------------------------------------------|
 * | nothing       | does some delay of what was sent agree with it, in its phases (`echo-delay.ts`)           |
 * | the delay     | the same, at this delay only: agreement by chance is then rare                            |
 * | the way       | what is left of it when the predicted echo is taken away (`echo-filter.ts`): the caller   |
 *
 * The first echo of a call is so judged on a tenth of a second by likeness alone; half a second later the way is known
 * and nothing of the caller is fitted any more. Who speaks in the agent's own voice, or says its words again, is not
 * what was predicted, and stays.
 */
export interface EchoReport {
  /** How much of the window's sound, without the line's noise, is what was sent: 0 to 1. */
  readonly echoShare: number
  /** The way of the echo is learnt; else the share is a guess from likeness. */
  readonly known: boolean
  /** 0 where no echo was found on this call. */
  readonly delayMs: number
  /** The echo's level against what was sent; −100 while it is not known. */
  readonly gainDb: number
  /** The level of what is not explained by what was sent. */
  readonly residualDbfs: number
  readonly lineDbfs: number
  /** What is not explained is no louder than a line's noise. */
  readonly silent: boolean
}

/** From this share on a sound is the agent's own. A caller as loud as the echo leaves it half of the sound. */
export const echoShareMin = 0.65

const perMs = echoRateHz / 1000
const frameSamples = 20 * perMs
const tickSamples = stretchSamples
/** The filter's first tap lies 4 ms before the echo's loudest: a way that is not minimum-phase has some before. */
const leadSamples = 4 * perMs
/** The longest echo and the time it takes to fade. */
const tailSamples = 700 * perMs
const searchMs = 256
/** −60 dBFS, as energy of a sample: what is weaker is not speech, and teaches nothing. */
const quietEnergy = 1074
/** −50 dBFS: no line noise is louder, and what is mistaken for it must not hide a caller. */
const noiseMax = 10_737
/** −80 dBFS. */
const noiseMin = 11
/** A line that is no louder than this, against its quietest of late, brings only its noise: 3 dB. */
const soundOverNoise = 2
/** Agreement that is no chance by itself, that is none when found twice, and how near "twice" is. */
const likenessSure = 0.55
const likenessTwice = 0.35
const sameDelayMs = 1.5
const echolessTicks = 10
/** The filter leaves at most half, or it has not understood the way. */
const leftShareMax = 0.5
/** An echo is never explained evenly: half as much again as usual is still nobody. */
const leftMargin = 1.5
/** A filter that has learnt from a few vowels fails at the next one: for its first 2 s it may leave so much more. */
const youngShare = 0.3
const youngStretches = 10
/**
 * Stretches in a row in which it explains nothing: another delay is searched for beside it, the later where no filter is
 * in use yet; and the way is forgotten.
 */
const doubtfulStretches = 2
const unusedStretches = 6
const forgetStretches = 25
/** A frame more or less in some queue moves an echo by whole frames: so many to either side are tried at once. */
const slipFrames = 3
const slipSamples = stretchSamples - 2 * slipFrames * frameSamples

export class EchoDetector {
  private readonly sampleRateHz: number
  private readonly history: EchoHistory
  private readonly work: EchoWork = echoWork()
  /** Made with the first echo: most calls never have one. */
  private filter: EchoFilter | null = null
  /** What the last search found, when it was not sure. */
  private hintMs: number | null = null
  private tickedAt = 0
  private sentAt = Number.NEGATIVE_INFINITY
  private echoless = 0
  /** Stretches in a row with a sound that the filter does not explain; and with none where there should be an echo. */
  private doubts = 0
  private absences = 0
  /** What the filter leaves of an echo that nobody speaks over, as a share of it; 1: not known. */
  private leftShare = 1
  /** Stretches that the filter has explained. */
  private explained = 0
  private echoSum = 0
  private sentSum = 0
  private noise = noiseMax
  /** How much of the prediction the last frame was cleaned of: 0 or 1. */
  private cleaning = 0
  /** Of the window that is being judged. */
  private lineEnergy = 0
  private leftEnergy = 0
  private echoEnergy = 0

  /** @param sampleRateHz of the leg: 8000, 16000, 24000 or 48000 */
  constructor(sampleRateHz: number) {
    this.sampleRateHz = sampleRateHz
    this.history = new EchoHistory(sampleRateHz)
  }

  /** A frame that went to the caller at this time, silence included; copied. */
  sent(frame: Int16Array, atMs: Milliseconds): void {
    this.history.sent(frame, atMs)
  }

  /** A frame that came from the caller at this time; copied. */
  heard(frame: Int16Array, atMs: Milliseconds): void {
    this.history.heard(frame, atMs)
  }

  /** The way of the echo is learnt, and the line can be cleaned of it. */
  get known(): boolean {
    return this.filter?.usable === true && this.leftShare < leftShareMax
  }

  /** Learns; to be called now and then, at any rate: it does something five times a second while the agent speaks. */
  tick(): void {
    const { end } = this.history.line
    if (end - this.tickedAt < tickSamples) return
    this.tickedAt = end
    if (this.sounded(end - stretchSamples, stretchSamples)) this.sentAt = end
    if (end - this.sentAt > tailSamples) return
    this.hearNoise(end)
    const { filter } = this
    if (filter === null) return this.find(end)
    if (this.doubts < (this.known ? doubtfulStretches : unusedStretches) || this.doubts % 2 === 1) {
      return this.learn(filter, end - stretchSamples)
    }
    this.doubts += 1
    this.find(end)
  }

  /** Judges the newest `windowMs` of the line, 20 to 200. */
  report(windowMs: number): EchoReport {
    const count = Math.max(frameSamples, Math.min(stretchSamples, Math.round(windowMs * perMs)))
    const { end } = this.history.line
    const { heard } = this.work
    this.history.line.read(end - count, count, heard, 0)
    this.lineEnergy = energyOf(heard, 0, count)
    this.leftEnergy = this.lineEnergy
    this.echoEnergy = 0
    const { filter, known } = this
    let echoShare = 0
    if (known && filter !== null) echoShare = this.predicted(filter, end, count)
    const elsewhere = known && echoShare < echoShareMin ? this.elsewhere(end, count) : 0
    if (elsewhere >= echoShareMin) {
      // The echo is heard at another delay, or the filter is young: the next tick searches for it.
      this.doubts = Math.max(this.doubts, doubtfulStretches)
      echoShare = elsewhere
    }
    if (!known && this.mayBeBack(end)) echoShare = this.expected(end, count)
    const left = known && echoShare !== elsewhere ? this.leftEnergy : this.lineEnergy * (1 - echoShare)
    return {
      echoShare,
      known,
      delayMs: this.delayMs,
      gainDb: known && this.sentSum > 0 ? 10 * Math.log10(this.echoSum / this.sentSum) : silenceDbfs,
      residualDbfs: energyDbfs(left / count),
      lineDbfs: energyDbfs(this.lineEnergy / count),
      silent: left < Math.max(noiseMax, soundOverNoise * this.noise) * count,
    }
  }

  /**
   * Fills `frame` with the newest frame of the line, without the echo that is predicted for it. False, and `frame` as it
   * was, where the way is not known or the leg is wider than 8 kHz: the filter knows nothing above.
   */
  clean(frame: Int16Array): boolean {
    const { filter, history } = this
    if (!this.known || filter === null || this.sampleRateHz !== echoRateHz) return false
    const { heard, echo } = this.work
    const from = history.line.end - frameSamples
    history.line.read(from, frameSamples, heard, 0)
    filter.predict(history, from, frameSamples, echo)
    // A prediction that makes it louder is wrong: this frame goes as it came.
    const helps = energyLeft(heard, 0, echo, 0, frameSamples) < energyOf(heard, 0, frameSamples) ? 1 : 0
    for (let index = 0; index < frameSamples; index += 1) {
      const share = this.cleaning + ((helps - this.cleaning) * (index + 1)) / frameSamples
      const sample = Math.round((heard[index] as number) - share * (echo[index] as number))
      frame[index] = Math.max(-32_768, Math.min(32_767, sample))
    }
    this.cleaning = helps
    return true
  }

  /** 1 for a filter that has just come into use, 0 for one that has heard all there is to hear. */
  private get youth(): number {
    return Math.max(0, 1 - this.explained / youngStretches)
  }

  private get delayMs(): number {
    return this.filter === null ? 0 : (this.filter.delay + leadSamples) / perMs
  }

  // ── judging ───────────────────────────────────────────────────────────────────────────────────────────────────

  private predicted(filter: EchoFilter, end: number, count: number): number {
    this.takeAway(filter, end, count)
    const share = this.share(count)
    if (share >= echoShareMin) return share
    const copied = copiedShare(this.history, end - filter.delay - leadSamples, count, this.lineEnergy, this.noiseEnergy)
    if (copied < echoShareMin && this.slipped(filter, end, count)) {
      this.takeAway(filter, end, count)
      return this.share(count)
    }
    if (copied <= share) return share
    this.leftEnergy = this.lineEnergy * (1 - copied)
    return copied
  }

  private takeAway(filter: EchoFilter, end: number, count: number): void {
    const { heard, echo } = this.work
    filter.predict(this.history, end - count, count, echo)
    this.leftEnergy = energyLeft(heard, 0, echo, 0, count)
    this.echoEnergy = energyOf(echo, 0, count)
  }

  /** What nobody but a caller can be is taken from 1, as a share of all that is not the line's noise. */
  private share(count: number): number {
    const noise = this.noiseEnergy * count
    const leftShare = this.leftShare + youngShare * this.youth
    const caller = Math.max(0, this.leftEnergy - noise - leftMargin * leftShare * this.echoEnergy)
    const sound = Math.max(this.lineEnergy - noise, noise / 2, 1)
    // Where little echo is expected, little of the sound is one.
    return Math.max(0, Math.min(1, 1 - caller / sound, (2 * this.echoEnergy) / sound))
  }

  /**
   * Is it the same echo, some frames earlier or later? What is tried on the newest sound fits nothing to it, so only an
   * echo can agree; the delay is then the new one.
   */
  private slipped(filter: EchoFilter, end: number, count: number): boolean {
    const { heard, echo } = this.work
    const used = Math.min(count, slipSamples)
    const reach = slipFrames * frameSamples
    filter.predict(this.history, end - used - reach, used + 2 * reach, echo)
    const from = count - used
    const unslipped = energyLeft(heard, from, echo, reach, used)
    let best = Math.min(unslipped, energyOf(heard, from, used) * leftShareMax)
    let slip = 0
    for (let shift = -reach; shift <= reach; shift += frameSamples) {
      const remains = energyLeft(heard, from, echo, reach + shift, used)
      if (remains >= best) continue
      best = remains
      slip = shift
    }
    if (slip === 0) return false
    // What was predicted for a later moment comes now: the way is shorter.
    filter.slip(-slip)
    this.doubts = 0
    return true
  }

  private expected(end: number, count: number): number {
    const anywhere = this.guessed(end, count, this.echoless >= echolessTicks ? guesses.unlikely : guesses.anywhere)
    const { search } = this.work
    if (this.filter !== null)
      return Math.max(anywhere, rise(search.likenessNear(this.delayMs, sameDelayMs), guesses.there))
    if (this.hintMs === null) return anywhere
    return Math.max(anywhere, rise(search.likenessNear(this.hintMs, sameDelayMs), guesses.hinted))
  }

  /**
   * The way that is known does not explain it: is it an echo over another? At its own delay is the echo under a caller;
   * only a filter that has heard little yet may have failed by itself.
   */
  private elsewhere(end: number, count: number): number {
    const share = this.guessed(end, count, guesses.unlikely)
    const { search } = this.work
    const laterMs = search.delayMs - this.delayMs
    if (laterMs < -sameDelayMs || laterMs > filterTaps / perMs) return share
    return this.youth > 0 ? rise(search.likenessNear(this.delayMs, sameDelayMs), guesses.young) : 0
  }

  private guessed(end: number, count: number, guess: Guess): number {
    const { search } = this.work
    search.search(this.history, end, count / perMs)
    // What is louder than it was sent is no echo.
    const { echo } = this.work
    this.history.reference.read(end - count - Math.round(search.delayMs * perMs), count, echo, 0)
    return this.lineEnergy > energyOf(echo, 0, count) ? 0 : rise(search.likeness, guess)
  }

  /** The agent speaks, or did a moment ago; also where no tick has told of it yet. */
  private mayBeBack(end: number): boolean {
    return end - this.sentAt <= tailSamples || this.sounded(end - stretchSamples, stretchSamples)
  }

  private sounded(from: number, count: number): boolean {
    const { echo } = this.work
    this.history.reference.read(from, count, echo, 0)
    return energyOf(echo, 0, count) > quietEnergy * count
  }

  // ── learning ──────────────────────────────────────────────────────────────────────────────────────────────────

  private get noiseEnergy(): number {
    return Math.min(this.noise, noiseMax)
  }

  /** The quietest 20 ms of late; it forgets by 2 dB a second. The newest 200 ms of the line are in `heard` then. */
  private hearNoise(end: number): void {
    const { heard } = this.work
    this.history.line.read(end - stretchSamples, stretchSamples, heard, 0)
    let least = this.noise * 1.1
    for (let at = 0; at < stretchSamples; at += frameSamples) {
      least = Math.min(least, energyOf(heard, at, frameSamples) / frameSamples)
    }
    // From digital silence it could never rise again.
    this.noise = Math.max(noiseMin, least)
  }

  private find(end: number): void {
    const { hintMs } = this
    const { search, heard } = this.work
    // A line that brings nothing but its noise brings no echo; and one that long has brought none is searched once a
    // second.
    const silent =
      energyOf(heard, 0, stretchSamples) < Math.max(quietEnergy, soundOverNoise * this.noiseEnergy) * stretchSamples
    const rarely = this.echoless >= echolessTicks && hintMs === null && this.echoless % 5 !== 0
    if (silent || (this.filter === null && rarely)) {
      this.echoless += 1
      return
    }
    search.search(this.history, end, searchMs)
    const { delayMs, likeness } = search
    const again = hintMs !== null && Math.abs(delayMs - hintMs) <= sameDelayMs
    const found = likeness >= likenessSure || (again && likeness >= likenessTwice)
    this.hintMs = likeness >= likenessTwice ? delayMs : null
    if (!found) {
      this.echoless += 1
      return
    }
    this.echoless = 0
    if (this.filter !== null && Math.abs(delayMs - this.delayMs) <= sameDelayMs) return
    const delay = Math.round(delayMs * perMs) - leadSamples
    if (this.filter === null) this.filter = new EchoFilter(delay)
    else this.filter.moveTo(delay)
    this.explained = 0
    this.doubts = 0
    // Learning need not wait for its turn; in this tick it would make two long pieces of work one.
    this.tickedAt = end - tickSamples + frameSamples
  }

  private learn(filter: EchoFilter, from: number): void {
    if (!this.sounded(from - filter.delay, stretchSamples)) return
    if (this.doubts > 0 && this.known) this.lookForSlip(filter, from)
    filter.learn(this.history, from, this.noiseEnergy)
    const { lineEnergy, leftEnergy, echoEnergy, sentEnergy } = filter
    const noise = this.noiseEnergy * stretchSamples
    const share = Math.max(0, leftEnergy - noise) / Math.max(lineEnergy - noise, 1)
    // Where no more is predicted than the line's own noise, nothing was explained.
    if (filter.usable && echoEnergy > noise && share < leftShareMax) {
      this.leftShare = this.leftShare === 1 ? share : this.leftShare + (share - this.leftShare) / 4
      this.explained += 1
      this.doubts = 0
      this.absences = 0
      this.echoSum = this.echoSum * 0.9 + echoEnergy
      this.sentSum = this.sentSum * 0.9 + sentEnergy
    } else if (lineEnergy > 2 * noise) {
      this.doubts += 1
    } else {
      this.absences += 1
    }
    if (this.doubts + this.absences >= forgetStretches) this.forget()
  }

  /** The last stretch was not explained: before more is learnt there, has the echo moved by whole frames? */
  private lookForSlip(filter: EchoFilter, from: number): void {
    this.history.line.read(from, stretchSamples, this.work.heard, 0)
    this.slipped(filter, from + stretchSamples, stretchSamples)
  }

  private forget(): void {
    this.filter = null
    this.hintMs = null
    this.doubts = 0
    this.absences = 0
    this.leftShare = 1
    this.explained = 0
    this.echoSum = 0
    this.sentSum = 0
  }
}
