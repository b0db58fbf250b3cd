import type { Readiness } from '#agent/provider.ts'

/**
 * What the endpoints tell of the engine. `app.ts` fills it from the true owners at each request; nothing here is kept,
 * so nothing here can be out of date.
 */
export interface EngineStatus {
  readonly version: string
  /** Takes no new calls: it is stopping. */
  readonly draining: boolean
  readonly activeCalls: number
  readonly callsMax: number
  readonly ariConnected: boolean
  /** Why there is no connection, and what to do; empty when there is one. */
  readonly ariProblem: string
  /** Null where Asterisk has not said it yet. */
  readonly asteriskVersion: string | null
  readonly audioTransport: string
  readonly audioSocketAddress: string
  readonly defaultProvider: string
  readonly providers: Readonly<Record<string, Readiness>>
  readonly speechDetection: Readiness
  /** The end-of-turn model; null where nobody would ask it. Without it turns end by silence. */
  readonly turnEnd: Readiness | null
  /** Why replies cannot be played from files where they are to be; empty otherwise. */
  readonly filesProblem: string
  /** Calls by the state of their turn, and by their gate. */
  readonly conversation: {
    readonly states: Readonly<Record<string, number>>
    readonly gatesClosed: number
    /** Calls by each reason that keeps their gate shut. */
    readonly gateReasons: Readonly<Record<string, number>>
  }
}

/** Why new calls would not be served well now; empty: ready. */
export function notReadyReasons(status: EngineStatus): string[] {
  const reasons: string[] = []
  if (status.draining) reasons.push('the engine is stopping')
  const provider = status.providers[status.defaultProvider]
  if (provider === undefined) reasons.push(`provider ${status.defaultProvider} is not configured`)
  else if (!provider.ready) reasons.push(`provider ${status.defaultProvider}: ${provider.reason}`)
  if (!status.speechDetection.ready) reasons.push(`speech detection: ${status.speechDetection.reason}`)
  if (status.filesProblem !== '') reasons.push(status.filesProblem)
  if (!status.ariConnected) reasons.push(status.ariProblem)
  return reasons
}
