/** What the two processes of `just bench turns` say to each other: one is the engine, the other calls it and measures. */

/** How the engine is told to take turns; what is not said is as the configuration has it by default. */
export interface TurnsJob {
  readonly calls: number
  /** Sections of the configuration, as YAML has them. */
  readonly settings: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** What is said over the agent is written down by the built-in recogniser. */
  readonly words: boolean
}

/** By its UUID each call says how long the agent's replies are and what they sound like. */
export const replyKinds = ['tone_long', 'tone_short', 'voice'] as const
export type ReplyKind = (typeof replyKinds)[number]
export const replyMs: Readonly<Record<ReplyKind, number>> = { tone_long: 14_000, tone_short: 700, voice: 0 }

/** What a call's first eight digits say about its replies; the other digits are chance. */
export function callIdOf(kind: ReplyKind, uuid: string): string {
  return `0000000${replyKinds.indexOf(kind)}${uuid.slice(8)}`
}

export function replyKindOf(callId: string): ReplyKind {
  return replyKinds[Number(callId[7])] ?? 'tone_long'
}

/** Milliseconds since 1970 with a fraction: the same clock in both processes. */
export const commonNow = (): number => performance.timeOrigin + performance.now()

/** `taken_up`, `lost`: whether a pipeline would have gone on with a reply that was broken off, by the words of the turn. */
export type TurnsEvent = 'committed' | 'interrupted' | 'taken_up' | 'lost'

/** Those words are found within this time, if at all. */
export const turnWordsMaxMs = 3000

export type FromTurnsEngine =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'event'; readonly callId: string; readonly event: TurnsEvent; readonly atMs: number }
  | { readonly type: 'drained'; readonly metrics: string }

export type ToTurnsEngine =
  /** Audio of the replies of the kind `voice`, 8 kHz; one is taken after the other. */
  { readonly type: 'voices'; readonly files: readonly string[] } | { readonly type: 'stop' }
