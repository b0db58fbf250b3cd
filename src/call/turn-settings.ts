import type { Milliseconds } from '#base/clock.ts'

/** What the configuration says about the turns of every call. */
export interface TurnSettings {
  readonly warmUpMs: Milliseconds
  readonly greetingWarmUpMs: Milliseconds
  /** Silence after the caller's last word that ends the turn. */
  readonly endSilenceMs: Milliseconds
  readonly turnMaxMs: Milliseconds
  readonly bargeIn: {
    readonly enabled: boolean
    /** Speech so long over the agent's is an interruption. */
    readonly minMs: Milliseconds
    /** No interruption in the first moments of a reply, or of the greeting. */
    readonly initialProtectionMs: Milliseconds
    readonly greetingProtectionMs: Milliseconds
    /** After an interruption, no other for so long. */
    readonly cooldownMs: Milliseconds
    /** After a reply its echo may still come back. */
    readonly guardMs: Milliseconds
  }
  /** Spoken when the agent could not answer a turn. */
  readonly apology: string
}
