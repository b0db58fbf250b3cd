/**
 * The end of a session, the same for all of them: it comes by `close` or with the end of the call, whichever is first;
 * it runs once, and every `close` waits for it.
 */
export class SessionLife {
  private readonly signal: AbortSignal
  private readonly end: () => Promise<void>
  private readonly onAbort = () => void this.close()
  private closing: Promise<void> | null = null
  private ending: boolean

  /** @param signal of the call @param end stops what runs and says `closed` */
  constructor(signal: AbortSignal, end: () => Promise<void>) {
    this.signal = signal
    this.end = end
    this.ending = signal.aborted
    signal.addEventListener('abort', this.onAbort, { once: true })
  }

  /** Nothing is accepted any more. Asked with every frame, so the signal is not: it has said so itself. */
  get over(): boolean {
    return this.ending
  }

  close(): Promise<void> {
    // What `end` calls at once already finds the session over.
    this.ending = true
    this.signal.removeEventListener('abort', this.onAbort)
    this.closing ??= this.end()
    return this.closing
  }
}
