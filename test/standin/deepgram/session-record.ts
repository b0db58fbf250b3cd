import type { ServerMessage } from './options.ts'

/**
 * What became of one session, for a test to look at. Times are the clock's `now()`: with the system's clock
 * `performance.now()` of this process, which `performance.timeOrigin` makes comparable with another's.
 */
export class SessionRecord {
  /** Text messages of the client, in order. Empty where messages are not kept. */
  readonly received: { readonly atMs: number; readonly message: ServerMessage }[] = []
  /** Text messages that were sent. Empty where messages are not kept. */
  readonly sent: { readonly atMs: number; readonly message: ServerMessage }[] = []
  /** Each piece of audio as it was handed to the socket. Empty where messages are not kept. */
  readonly chunks: SentChunk[] = []
  readonly speechStarted: { readonly atMs: number; readonly audioMs: number }[] = []
  readonly turns: { readonly atMs: number; readonly audioMs: number; readonly text: string }[] = []
  /** What was refused. */
  readonly errors: { readonly atMs: number; readonly code: string; readonly description: string }[] = []

  /** Client messages by their type, those included that were refused. */
  readonly counts: Record<string, number> = {}
  binaryMessages = 0
  binaryBytes = 0
  binaryMs = 0
  chunksSent = 0
  chunkBytes = 0
  replies = 0
  pings = 0
  /** Of messages, without what WebSocket puts around them. */
  receivedBytes = 0
  sentBytes = 0
  closed: { readonly atMs: number; readonly code: number } | null = null

  count(type: string): void {
    this.counts[type] = (this.counts[type] ?? 0) + 1
  }
}

export interface SentChunk {
  readonly atMs: number
  /** Which speech of the session, from 0. */
  readonly speech: number
  /** Where in that speech it begins. */
  readonly startMs: number
  readonly durationMs: number
  /** Sent although its speech had been interrupted. */
  readonly late: boolean
}
