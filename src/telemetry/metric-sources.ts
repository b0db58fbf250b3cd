import type { Transport } from '#call/leg.ts'

/** Numbers whose owners live elsewhere; read at each scrape. Keys of the records are label values. */
export interface MetricSources {
  readonly activeCalls: () => number
  /** Agent sessions that are open. */
  readonly providerSessions: () => number
  /** Calls by the state of their turn. */
  readonly turnStates: () => Readonly<Record<string, number>>
  readonly gatesClosed: () => number
  /** Calls whose caller is heard by the agent, or would be if they spoke. */
  readonly listening: () => number
  readonly ariConnected: () => boolean
  readonly ariEvents: () => {
    readonly received: number
    readonly ignored: number
    readonly malformed: number
    readonly reconnects: number
  }
  readonly refused: () => Readonly<Partial<Record<string, number>>>
  /** Callers, media channels and bridges without an owner that were removed. */
  readonly orphans: () => Readonly<Record<string, number>>
  readonly unknownEvents: () => Readonly<Record<string, number>>
  readonly audioSocket: () => {
    readonly connections: number
    readonly accepted: number
    readonly rejected: Readonly<Partial<Record<string, number>>>
    readonly violations: Readonly<Partial<Record<string, number>>>
    readonly unknownKinds: number
  }
  /** The way audio takes where a call names none. */
  readonly transport: () => Transport
  readonly rtp: () => {
    readonly openPorts: number
    readonly packetsIn: number
    readonly packetsOut: number
    readonly dropped: Readonly<Partial<Record<string, number>>>
    readonly unsent: Readonly<Record<string, number>>
    readonly bindFailures: number
  }
  readonly mediaWebSocket: () => {
    readonly connections: number
    readonly accepted: number
    readonly rejected: Readonly<Partial<Record<string, number>>>
    readonly violations: Readonly<Partial<Record<string, number>>>
    readonly framesShed: number
    readonly xoffs: number
    readonly errors: number
    readonly unknownEvents: number
    readonly malformedEvents: number
  }
  /** Milliseconds that underruns have added to the warm-up of each provider's replies. */
  readonly warmUpExtraMs: () => Readonly<Record<string, number>>
  /** Audio held for Asterisk to fetch. */
  readonly playbackFiles: () => { readonly files: number; readonly bytes: number; readonly dropped: number }
  readonly pacer: () => { readonly ticks: number; readonly lateTicks: number; readonly framesSkipped: number }
  readonly detector: () => {
    readonly open: number
    readonly windows: number
    readonly droppedWindows: number
    readonly restarts: number
  }
  readonly providersReady: () => Readonly<Record<string, boolean>>
  /** Jobs that wait inside each provider. */
  readonly queued: () => Readonly<Record<string, number>>
  /** What sessions of providers have met with, by name. */
  readonly providerEvents: () => Readonly<Record<string, number>>
  /** Milliseconds of sessions of each provider on the present day. */
  readonly usedMs: () => Readonly<Record<string, number>>
  readonly timers: () => number
  /** Readings of the configuration of the running engine, by outcome. */
  readonly reloads: () => Readonly<Record<string, number>>
  readonly records: () => { readonly written: number; readonly lost: number }
}
