import type { RealtimeAudioInputTurnDetection } from 'openai/resources/realtime/realtime'

/**
 * The server's turn detection, by loudness: enough for tones and for speech without noise, and the same for the same
 * samples on every machine. It counts time in samples and never looks at a clock: who sends no audio, for whatever
 * reason, is neither speaking nor silent, as with the real server.
 */
export type TurnEvent =
  /** `audioMs` includes the padding before the onset, as in `audio_start_ms`. */
  | { readonly kind: 'started'; readonly audioMs: number }
  /** `audioMs` includes the silence that ended the turn, as in `audio_end_ms`. */
  | { readonly kind: 'stopped'; readonly audioMs: number }

/** Of semantic turn detection: how soon a turn counts as over. */
export type Eagerness = 'low' | 'medium' | 'high' | 'auto'
const semanticDefaultsMs: Readonly<Record<Eagerness, number>> = { low: 1500, medium: 800, high: 400, auto: 800 }

const windowMs = 20
/** Shorter sounds are clicks. */
const onsetMs = 60
/** Speech that falls by less than this below the threshold goes on. */
const hysteresisDb = 6

export interface FinderOptions {
  readonly detection: RealtimeAudioInputTurnDetection
  readonly sampleRateHz: number
  readonly semanticSilenceMs?: Partial<Readonly<Record<Eagerness, number>>>
  /** Milliseconds of audio that went before it, so that its times are the session's. */
  readonly startMs: number
}

export class TurnFinder {
  private readonly window: Int16Array
  private filled = 0
  /** Windows that are over. */
  private windows = 0
  private readonly startMs: number
  private readonly onPower: number
  private readonly offPower: number
  private readonly paddingMs: number
  private readonly silenceMs: number
  private loudMs = 0
  private quietMs = 0
  private inSpeech = false

  constructor({ detection, sampleRateHz, semanticSilenceMs = {}, startMs }: FinderOptions) {
    this.window = new Int16Array((sampleRateHz * windowMs) / 1000)
    this.startMs = startMs
    const server = detection.type === 'server_vad' ? detection : undefined
    // 0 … 1 is the likelihood of speech; here a loudness: −60 dBFS at 0, −40 at the default of 0.5, −20 at 1.
    const onDbfs = -60 + 40 * (server?.threshold ?? 0.5)
    this.onPower = powerOf(onDbfs)
    this.offPower = powerOf(onDbfs - hysteresisDb)
    this.paddingMs = server?.prefix_padding_ms ?? 300
    const eagerness = detection.type === 'semantic_vad' ? (detection.eagerness ?? 'auto') : 'auto'
    const semantic = semanticSilenceMs[eagerness] ?? semanticDefaultsMs[eagerness]
    this.silenceMs = detection.type === 'semantic_vad' ? semantic : (server?.silence_duration_ms ?? 500)
  }

  get speaking(): boolean {
    return this.inSpeech
  }

  push(samples: Int16Array): TurnEvent[] {
    const events: TurnEvent[] = []
    for (let offset = 0; offset < samples.length; ) {
      const part = samples.subarray(offset, offset + this.window.length - this.filled)
      this.window.set(part, this.filled)
      this.filled += part.length
      offset += part.length
      if (this.filled < this.window.length) break
      this.filled = 0
      const event = this.judge(powerIn(this.window))
      if (event !== null) events.push(event)
    }
    return events
  }

  private judge(power: number): TurnEvent | null {
    this.windows += 1
    const nowMs = this.startMs + this.windows * windowMs
    if (!this.inSpeech) {
      this.loudMs = power >= this.onPower ? this.loudMs + windowMs : 0
      if (this.loudMs < onsetMs) return null
      this.inSpeech = true
      const startMs = Math.max(0, nowMs - this.loudMs - this.paddingMs)
      this.loudMs = 0
      this.quietMs = 0
      return { kind: 'started', audioMs: startMs }
    }
    this.quietMs = power >= this.offPower ? 0 : this.quietMs + windowMs
    if (this.quietMs < Math.max(windowMs, this.silenceMs)) return null
    this.inSpeech = false
    return { kind: 'stopped', audioMs: nowMs }
  }
}

/** Mean square of samples at this level. */
function powerOf(dbfs: number): number {
  return 32_768 ** 2 * 10 ** (dbfs / 10)
}

function powerIn(samples: Int16Array): number {
  let sum = 0
  for (let index = 0; index < samples.length; index += 1) sum += (samples[index] as number) ** 2
  return sum / samples.length
}
