import { type AudioFormat, type AudioFrame, ptimeMs, type SampleRateHz } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { type HangupCause, type Leg, type LegEvent, noLegStats, type Sent } from '#call/leg.ts'

/** A leg on a simulated clock: what it takes is heard at once; it can refuse, break and be lost. */
export interface SimulatedLegOptions {
  readonly clock: Clock
  readonly sampleRateHz: SampleRateHz
  /** How long the far side takes to say goodbye. */
  readonly closingMs: Milliseconds
  /** Nobody hears what is written before the leg's channel has joined the bridge. */
  readonly channel: { readonly joined: boolean }
  readonly hear: (samples: Int16Array) => void
}

export class SimulatedLeg implements Leg {
  readonly format: AudioFormat
  readonly stats = noLegStats()
  readonly aheadMs = 0
  /** Frames offered, and how many of them were refused. */
  offered = 0
  refused = 0
  /** Frames that it took. */
  taken = 0
  condition: 'well' | 'full' | 'broken' = 'well'
  /** The call has closed it: it is no longer paced. */
  closing = false
  ended = false
  private readonly options: SimulatedLegOptions
  private readonly goodbye = Promise.withResolvers<void>()
  private listener: (event: LegEvent) => void = () => {}

  constructor(options: SimulatedLegOptions) {
    this.options = options
    const { sampleRateHz } = options
    this.format = { sampleRateHz, ptimeMs, wire: sampleRateHz === 16000 ? 'slin16' : 'slin' }
  }

  /** In use and alive: a frame per tick is due. */
  get paced(): boolean {
    return !this.closing && !this.ended
  }

  onEvent(listener: (event: LegEvent) => void): void {
    this.listener = listener
  }

  write(frame: AudioFrame): Sent {
    this.offered += 1
    if (this.ended || this.condition === 'broken') return 'closed'
    if (this.condition === 'full') {
      this.refused += 1
      return 'full'
    }
    this.taken += 1
    if (this.options.channel.joined) this.options.hear(frame.samples)
    return 'sent'
  }

  flush(): void {}

  close(cause: HangupCause): Promise<void> {
    if (!this.closing) {
      this.closing = true
      if (this.ended) this.goodbye.resolve()
      else this.options.clock.after(this.options.closingMs, () => this.end(cause))
    }
    return this.goodbye.promise
  }

  /** The far side speaks. */
  audio(samples: Int16Array): void {
    if (this.ended || this.condition === 'broken') return
    this.listener({ type: 'audio', frame: { sampleRateHz: this.format.sampleRateHz as SampleRateHz, samples } })
  }

  digit(digit: string): void {
    if (!this.ended) this.listener({ type: 'dtmf', digit })
  }

  end(cause: HangupCause): void {
    if (this.ended) return
    this.ended = true
    this.goodbye.resolve()
    this.listener({ type: 'ended', cause })
  }
}
