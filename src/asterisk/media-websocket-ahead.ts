import { ptimeMs } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'

/**
 * What Asterisk has been sent and has yet to play, and how much of it has been played for sure.
 *
 * chan_websocket plays one queued frame per tick of its own timer. A queue that is fed one frame per tick keeps its
 * length for ever, so whatever once piled up in it (our catching up after a stall, a tick that Asterisk missed, two
 * clocks that drift) would delay everything the caller hears until the call's end (asterisk#2115). Two sources tell how
 * long it is: our own account, which sees a burst at once, and Asterisk's STATUS, which sees what happened on its side.
 */
export class AheadAccount {
  private aheadMs: Milliseconds = 0
  private atMs: Milliseconds
  private askedAtMs: Milliseconds | null = null
  private writtenSinceMs: Milliseconds = 0
  /** The question was asked before the queue was emptied: its answer may speak of what is gone. */
  private outdated = false

  constructor(nowMs: Milliseconds) {
    this.atMs = nowMs
  }

  /** Audio that Asterisk has yet to play at this moment. */
  at(nowMs: Milliseconds): Milliseconds {
    this.aheadMs = Math.max(0, this.aheadMs - (nowMs - this.atMs))
    this.atMs = nowMs
    return this.aheadMs
  }

  wrote(): void {
    this.aheadMs += ptimeMs
    this.writtenSinceMs += ptimeMs
  }

  asked(nowMs: Milliseconds): void {
    this.askedAtMs = nowMs
    this.writtenSinceMs = 0
    this.outdated = false
  }

  /** The answer is as old as its way back: what was written since the question is on top, less what has been played. */
  answered(queueMs: Milliseconds, nowMs: Milliseconds): void {
    if (this.askedAtMs === null) return
    if (!this.outdated) {
      this.aheadMs = queueMs + Math.max(0, this.writtenSinceMs - (nowMs - this.askedAtMs))
      this.atMs = nowMs
    }
    this.askedAtMs = null
  }

  emptied(nowMs: Milliseconds): void {
    this.aheadMs = 0
    this.atMs = nowMs
    this.outdated = true
  }
}

/** A mark about every 200 ms of sound: so exact is what can be said of a reply that was cut off. */
const markEveryMs = 200
/** With 100 ms ahead at most, one or two are under way; a peer that answers none is asked no further. */
const marksPendingMax = 16

interface Mark {
  readonly id: string
  readonly soundMs: Milliseconds
}

/** Marks in the stream of sounding frames: how much of it the far side has played, by its own word. */
export class MarkTrail {
  /** Sound that has been played, up to the last mark that was answered. */
  playedMs: Milliseconds = 0
  private writtenMs: Milliseconds = 0
  private markedMs: Milliseconds = 0
  private made = 0
  private readonly pending: Mark[] = []

  /** After each frame; answers the id of a mark that must follow it now, or null. A pause closes the sound before it. */
  wrote(sounds: boolean): string | null {
    if (sounds) this.writtenMs += ptimeMs
    const unmarkedMs = this.writtenMs - this.markedMs
    if (unmarkedMs === 0 || (sounds && unmarkedMs < markEveryMs) || this.pending.length >= marksPendingMax) return null
    this.made += 1
    const id = `p${this.made}`
    this.pending.push({ id, soundMs: this.writtenMs })
    this.markedMs = this.writtenMs
    return id
  }

  /** A mark that is behind others proves them as well. */
  processed(id: string): void {
    const index = this.pending.findIndex((mark) => mark.id === id)
    if (index < 0) return
    this.playedMs = (this.pending[index] as Mark).soundMs
    this.pending.splice(0, index + 1)
  }

  /**
   * What was not played never will be, and its marks are gone with it. An answer that crosses with the flush is not
   * counted: so a little more was played than is said, and never less.
   */
  flushed(): void {
    this.pending.length = 0
    this.writtenMs = this.playedMs
    this.markedMs = this.playedMs
  }
}
