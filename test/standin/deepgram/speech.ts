import type { Clock } from '#base/clock.ts'
import type { EncodedChunk, EncodedSpeech } from './reply-audio.ts'

/**
 * Speech on its way to a client: its chunks and what is said between them, each with its time after the first one; one
 * timer walks the list. What is stopped leaves the rest out.
 */
export interface SpeechHost {
  readonly clock: Clock
  sendChunk(chunk: EncodedChunk, speech: number, late: boolean): void
}

export interface SpeechPlan {
  readonly number: number
  readonly encoded: EncodedSpeech
  /** 0: all at once. */
  readonly pace: number
  readonly firstChunkAfterMs: number
  /** Before the first chunk. */
  readonly begins?: () => void
  /** Called before the chunk with this index is sent. */
  readonly before?: (index: number, chunk: EncodedChunk) => void
  /** Stops, and stays open, after so much audio. */
  readonly stopsAfterMs?: number
  /** All chunks are sent, or `stopsAfterMs` is reached. */
  readonly done: () => void
}

export class Speech {
  readonly plan: SpeechPlan
  /** Milliseconds of audio that have been handed to the socket. */
  sentMs = 0
  private readonly host: SpeechHost
  private readonly chunks: readonly EncodedChunk[]
  private next = 0
  private startedMs = 0
  private timer: Disposable | null = null
  private over = false

  constructor(host: SpeechHost, plan: SpeechPlan) {
    this.host = host
    this.plan = plan
    const limitMs = plan.stopsAfterMs ?? Number.POSITIVE_INFINITY
    this.chunks = plan.encoded.chunks.filter((chunk) => chunk.startMs < limitMs)
  }

  start(): void {
    this.startedMs = this.host.clock.now() + this.plan.firstChunkAfterMs
    this.pump()
  }

  /** @param late chunks that are sent all the same: they were under way */
  stop(late = 0): void {
    if (this.over) return
    this.end()
    for (const chunk of this.chunks.slice(this.next, this.next + late)) {
      this.host.sendChunk(chunk, this.plan.number, true)
    }
  }

  private end(): void {
    this.over = true
    this.timer?.[Symbol.dispose]()
    this.timer = null
  }

  private pump(): void {
    this.timer = null
    const { pace, number } = this.plan
    while (!this.over) {
      const chunk = this.chunks[this.next]
      const atMs = chunk === undefined || pace === 0 ? 0 : chunk.startMs / pace
      const waitMs = chunk === undefined && this.next > 0 ? 0 : this.startedMs + atMs - this.host.clock.now()
      if (waitMs > 0) {
        this.timer = this.host.clock.after(waitMs, () => this.pump())
        return
      }
      if (this.next === 0) this.plan.begins?.()
      if (chunk === undefined) {
        this.end()
        this.plan.done()
        return
      }
      this.plan.before?.(this.next, chunk)
      this.next += 1
      this.sentMs += chunk.durationMs
      this.host.sendChunk(chunk, number, false)
    }
  }
}
