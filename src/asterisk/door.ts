import type { WireFormat } from '#audio/format.ts'
import type { Result } from '#base/result.ts'
import type { Leg, Transport } from '#call/leg.ts'

/**
 * The three ways audio can take between Asterisk and the engine, and what they have in common: a door is told which call
 * needs media, says what Asterisk must be asked for, and hands over a leg once there is one.
 */
export interface MediaOrder {
  /** The call's media UUID: whoever owns the leg is found by it. */
  readonly uuid: string
  /** The id that the media channel will have in Asterisk. */
  readonly channelId: string
  readonly format: WireFormat
}

/** A media channel that is about to be made, and whatever the door holds for it. */
export interface PreparedMedia {
  /** Parameters of `POST /channels/externalMedia`, beside `channelId` and `app`. */
  readonly request: Readonly<Record<string, string>>
  /** Asterisk has made the channel; `variables` are its channel variables, as the answer brought them. Never throws. */
  made(variables: Readonly<Record<string, string>>): void
  /** The channel was not made, or its call is over: nothing of the order is kept. Idempotent; a leg is its owner's. */
  release(): void
}

export interface Door {
  readonly transport: Transport
  /** What the door can carry. */
  readonly formats: readonly WireFormat[]
  /** A failure says what is missing and how to cure it. */
  prepare(order: MediaOrder): Promise<Result<PreparedMedia, string>>
  /** Takes no new media; legs that are open stay with their owners. Idempotent. */
  close(): void
}

/** `unknown_uuid`: nobody waits for this media. `refused`: no further call is taken now. */
export type Acceptance = 'accepted' | 'unknown_uuid' | 'duplicate_uuid' | 'refused'

/** Who takes the leg with this UUID? The owner has set its listener when this returns. */
export type AcceptLeg = (uuid: string, leg: Leg, peer: string) => Acceptance
