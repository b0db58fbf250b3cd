import type { WireFormat } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'
import { Call } from './call.ts'
import type { CallTerms, CallWorld } from './call-plan.ts'
import type { Transport } from './leg.ts'
import type { LoadMeter } from './load-meter.ts'
import type { Caller, CallOrigin } from './observer.ts'
import type { PbxSide } from './pbx-side.ts'

/**
 * Whether a caller is served now. Refusing is better than serving everyone late: a refused caller goes back to the
 * dialplan with `PATCHCORD_RESULT`, where the operator says what happens next.
 */

/** The values of the channel variable `PATCHCORD_RESULT`: the one closed list; docs/asterisk.md has a row for each. */
export const patchcordResults = [
  /** As many calls as `limits.calls` allows are being served, or as `limits.calls_per_caller` allows this one. */
  'busy',
  /** The machine does not keep up with the calls it has: more would make all of them stutter. */
  'overloaded',
  /** The engine is stopping and takes no new calls. */
  'draining',
  /** The provider cannot take calls now; /health says why. */
  'not_ready',
  /** The provider has been used for `limits.provider_minutes_per_day`, and no other can take the call. */
  'quota',
  /** The channel is not a caller: a media or helper channel of somebody else. */
  'not_a_caller',
  /** Asterisk refused a step of the set-up. */
  'setup_failed',
  /** The provider could not be opened, or failed for good in mid-call. */
  'provider_failed',
  /** The agent sent the caller here. */
  'transferred',
  /** The media connection broke while the caller was still there. */
  'media_lost',
  /** The call has lasted for `limits.call_seconds`, and `limits.on_limit` sends callers on. */
  'time_limit',
  /** A fault of the engine's own. */
  'internal_error',
] as const
export type PatchcordResult = (typeof patchcordResults)[number]

export interface AdmissionFacts {
  readonly activeCalls: number
  readonly callsMax: number
  /** Of the same caller; null: there is no such limit, or nobody knows who it is. */
  readonly callerCallsLeft: number | null
  readonly draining: boolean
  readonly providerReady: boolean
  /** The provider's minutes of today are used up, and no other takes its place. */
  readonly quotaReached: boolean
  readonly overloaded: boolean
}

/** Null: admitted. */
export function refusal(facts: AdmissionFacts): PatchcordResult | null {
  if (facts.draining) return 'draining'
  if (!facts.providerReady) return 'not_ready'
  if (facts.quotaReached) return 'quota'
  if (facts.activeCalls >= facts.callsMax || facts.callerCallsLeft === 0) return 'busy'
  if (facts.overloaded) return 'overloaded'
  return null
}

/** What every call of the current configuration is given. */
export interface CallSettings extends CallTerms {
  readonly callsMax: number
  /** From one number; 0: there is no such limit. */
  readonly callsPerCallerMax: number
  /** Of sessions of the provider on one day; 0: there is no such limit. */
  readonly providerMsPerDayMax: Milliseconds
  /** Who answers where it is reached; it has no such limit itself. */
  readonly fallback: Pick<CallTerms, 'provider' | 'warmUp'> | null
}

export interface AdmissionRequest {
  readonly id: string
  readonly caller: Caller
  readonly origin: CallOrigin
  readonly transport: Transport
  readonly wire: WireFormat
  readonly pbx: PbxSide
}

/** What calls that begin now are given, and keep to their ends whatever comes after it. */
export interface CallGrounds {
  readonly settings: CallSettings
  readonly world: CallWorld
  /** A call has begun on it; disposed of when nothing of that call is left. */
  hold(): Disposable
}

export class Admission {
  readonly refused: Partial<Record<PatchcordResult, number>> = {}
  draining = false
  private readonly current: () => CallGrounds
  private readonly load: Pick<LoadMeter, 'overloaded'>

  /** `current`: asked at each request. */
  constructor(current: () => CallGrounds, load: Pick<LoadMeter, 'overloaded'>) {
    this.current = current
    this.load = load
  }

  /** A call, already in the store and opening its agent session; or why not. */
  admit(request: AdmissionRequest): Call | PatchcordResult {
    const grounds = this.current()
    const { settings, world } = grounds
    const quotaReached = isUsedUp(grounds)
    const fallback = quotaReached ? readyFallback(grounds) : null
    const result = refusal({
      activeCalls: world.store.size,
      callsMax: settings.callsMax,
      callerCallsLeft: callsLeft(grounds, request.caller),
      draining: this.draining,
      // Of one that may not answer it does not matter.
      providerReady: quotaReached || canServe(settings.provider, world),
      quotaReached: quotaReached && fallback === null,
      overloaded: this.load.overloaded,
    })
    if (result !== null) {
      this.noteRefused(result)
      if (result === 'quota') world.observer.quotaReached(settings.provider.name, null)
      return result
    }
    if (fallback !== null) world.observer.quotaReached(settings.provider.name, fallback.provider.name)
    const held = grounds.hold()
    const call = new Call({ ...request, ...settings, ...fallback }, world)
    world.store.whenRemoved(call, () => held[Symbol.dispose]())
    return call
  }

  noteRefused(result: PatchcordResult): void {
    this.refused[result] = (this.refused[result] ?? 0) + 1
  }
}

/** Of this caller; null: as many as there are. */
function callsLeft({ settings, world }: CallGrounds, { number }: Caller): number | null {
  const { callsPerCallerMax } = settings
  if (callsPerCallerMax === 0 || number === '') return null
  const live = world.store.live.filter(({ caller }) => caller.number === number).length
  return Math.max(0, callsPerCallerMax - live)
}

/** Sessions that are still open count: else a burst of calls would pass the limit by all of their minutes. */
function isUsedUp({ settings, world }: CallGrounds): boolean {
  const { provider, providerMsPerDayMax } = settings
  return providerMsPerDayMax > 0 && world.use.usedMs(provider.name) >= providerMsPerDayMax
}

function readyFallback({ settings: { fallback }, world }: CallGrounds): CallSettings['fallback'] {
  return fallback !== null && canServe(fallback.provider, world) ? fallback : null
}

/** An agent that has no ears for turns needs our speech detection. */
function canServe(provider: CallTerms['provider'], { detector }: CallWorld): boolean {
  return provider.readiness().ready && (provider.turnDetection !== 'engine' || detector.readiness().ready)
}
