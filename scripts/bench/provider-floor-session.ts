import type { ProviderEngineJob } from './provider-wire.ts'

/** One conversation with a vendor's server, as bare as it can be. */
export interface FloorSession {
  /** One frame of the caller's. */
  hear(samples: Int16Array): void
  close(): void
}

export interface FloorListener {
  /** Of the agent, at 8 kHz. */
  audio(samples: Int16Array): void
  /** The server hears the caller. */
  interrupted(): void
}

/** @param uuid of the caller, by which the stand-in knows whose session it is */
export type OpenFloorSession = (job: ProviderEngineJob, uuid: string, listener: FloorListener) => FloorSession

export const floorFrameSamples = 160
/** As many as a message has in the engine. */
export const framesPerMessage = 2
