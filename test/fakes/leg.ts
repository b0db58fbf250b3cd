import { type AudioFormat, type AudioFrame, ptimeMs, type SampleRateHz } from '#audio/format.ts'
import { type HangupCause, type Leg, type LegEvent, noLegStats, type Sent } from '#call/leg.ts'

/** A leg in memory: keeps what was written, says what the test wants, and ends when it is closed. */
export class FakeLeg implements Leg {
  readonly format: AudioFormat
  readonly stats = noLegStats()
  aheadMs = 0
  flushes = 0
  /** Copies: a frame is only valid during the write. */
  readonly written: Int16Array[] = []
  readonly closedWith: HangupCause[] = []
  answer: Sent = 'sent'
  /** A leg whose far side never says goodbye. */
  closes = true
  private listener: (event: LegEvent) => void = () => {}
  private ended = false

  constructor(sampleRateHz: SampleRateHz = 8000) {
    this.format = { sampleRateHz, ptimeMs, wire: sampleRateHz === 8000 ? 'slin' : 'slin16' }
  }

  onEvent(listener: (event: LegEvent) => void): void {
    this.listener = listener
  }

  write(frame: AudioFrame): Sent {
    this.written.push(frame.samples.slice())
    return this.answer
  }

  flush(): void {
    this.flushes += 1
  }

  close(cause: HangupCause): Promise<void> {
    this.closedWith.push(cause)
    if (!this.closes) return new Promise(() => {})
    this.end(cause)
    return Promise.resolve()
  }

  /** The far side speaks. */
  emit(event: LegEvent): void {
    this.listener(event)
  }

  audio(samples: Int16Array): void {
    this.emit({ type: 'audio', frame: { sampleRateHz: this.format.sampleRateHz as SampleRateHz, samples } })
  }

  end(cause: HangupCause): void {
    if (this.ended) return
    this.ended = true
    this.emit({ type: 'ended', cause })
  }

  /** All samples written so far, in one piece. */
  get heard(): number[] {
    return this.written.flatMap((samples) => [...samples])
  }
}
