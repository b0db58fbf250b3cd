import type { RealtimeClientEvent } from 'openai/resources/realtime/realtime'
import type { ApiError } from './api-error.ts'
import type { WireEvent } from './beta.ts'

/**
 * What became of one session, for a test to look at. Times are the clock's `now()`: with the system's clock
 * `performance.now()` of this process, which `performance.timeOrigin` makes comparable with another's.
 */
export class SessionRecord {
  /** What the client sent, in order; the audio of an append is left out. Empty where events are not kept. */
  readonly received: { readonly atMs: number; readonly event: RealtimeClientEvent }[] = []
  /** What was sent; of an audio delta everything but the audio. Empty where events are not kept. */
  readonly sent: { readonly atMs: number; readonly event: WireEvent }[] = []
  /** Each audio delta as it was handed to the socket. Empty where events are not kept. */
  readonly deltas: SentDelta[] = []
  readonly speechStarted: { readonly atMs: number; readonly audioMs: number; readonly itemId: string }[] = []
  readonly commits: { readonly atMs: number; readonly audioMs: number; readonly by: 'client' | 'server' }[] = []
  /** `sentMs`: what had been delivered of the item, and was left of it. */
  readonly truncates: {
    readonly atMs: number
    readonly itemId: string
    readonly audioEndMs: number
    readonly sentMs: number
  }[] = []
  /** Every event `error` that was returned, with the client event that it names. */
  readonly errors: { readonly atMs: number; readonly error: ApiError; readonly eventId: string | null }[] = []

  /** Client events by their type, those included that were refused. */
  readonly counts: Record<string, number> = {}
  appends = 0
  appendedBytes = 0
  appendedMs = 0
  deltasSent = 0
  deltaBytes = 0
  responses = 0
  pings = 0
  /** Of messages, without what WebSocket puts around them. */
  receivedBytes = 0
  sentBytes = 0
  closed: { readonly atMs: number; readonly code: number } | null = null
}

export interface SentDelta {
  readonly atMs: number
  readonly responseId: string
  readonly itemId: string
  /** Where in the item's audio it begins. */
  readonly startMs: number
  readonly durationMs: number
  /** Sent although its response had been cancelled. */
  readonly late: boolean
}
