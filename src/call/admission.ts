import type { WireFormat } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'
import { Call } from './call.ts'
import type { CallPlan, CallWorld, CommonTerms, Speaker } from './call-plan.ts'
import { type CallWishes, type Choice, choose, type Offer } from './choice.ts'
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
  /** The dialplan names an agent, a provider or a pipeline that there is not; the log has those that there are. */
  'unknown_agent',
  'unknown_provider',
  'unknown_pipeline',
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

/** What every call of the current configuration is given, and what each may choose from. */
export interface CallSettings extends CommonTerms {
  readonly offer: Offer
  readonly callsMax: number
  /** From one number; 0: there is no such limit. */
  readonly callsPerCallerMax: number
  /** Of sessions of the provider on one day; 0: there is no such limit. */
  readonly providerMsPerDayMax: Milliseconds
  /** The name of who answers where it is reached, which has no such limit itself; null: nobody. */
  readonly fallback: string | null
}

export interface AdmissionRequest {
  readonly id: string
  readonly caller: Caller
  readonly origin: CallOrigin
  readonly transport: Transport
  readonly wire: WireFormat
  readonly pbx: PbxSide
  readonly wishes: CallWishes
}

/** What calls that begin now are given, and keep to their ends whatever comes after it. */
export interface CallGrounds {
  readonly settings: CallSettings
  readonly world: CallWorld
  /** @param name of a provider or a pipeline that is on offer; one that had nothing to do so far begins to load */
  speaker(name: string): Speaker
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
    // First of all: what is being closed must not be made to load.
    if (this.draining) return this.refuse('draining')
    const grounds = this.current()
    const { settings, world } = grounds
    const chosen = choose(request.wishes, settings.offer)
    if (!chosen.ok) {
      const { kind, origin, known } = chosen.error
      const name = chosen.error.name.slice(0, shownMax)
      world.log.error(`the dialplan names ${anOrA[kind]} that there is not`, {
        call: request.id,
        name,
        origin,
        known: known.join(', ') || 'none',
      })
      return this.refuse(`unknown_${kind}`)
    }
    const choice = chosen.value
    const speaker = grounds.speaker(choice.provider)
    const quotaReached = isUsedUp(grounds, speaker)
    const fallback = quotaReached ? readyFallback(grounds, speaker) : null
    const result = refusal({
      activeCalls: world.store.size,
      callsMax: settings.callsMax,
      callerCallsLeft: callsLeft(grounds, request.caller),
      draining: this.draining,
      // Of one that may not answer it does not matter.
      providerReady: quotaReached || canServe(speaker, world),
      quotaReached: quotaReached && fallback === null,
      overloaded: this.load.overloaded,
    })
    if (result !== null) {
      if (result === 'quota') world.observer.quotaReached(speaker.provider.name, null)
      return this.refuse(result)
    }
    if (fallback !== null) world.observer.quotaReached(speaker.provider.name, fallback.provider.name)
    const held = grounds.hold()
    const call = new Call(planOf(request, settings, choice, fallback ?? speaker), world)
    world.store.whenRemoved(call, () => held[Symbol.dispose]())
    return call
  }

  private refuse(result: PatchcordResult): PatchcordResult {
    this.noteRefused(result)
    return result
  }

  noteRefused(result: PatchcordResult): void {
    this.refused[result] = (this.refused[result] ?? 0) + 1
  }
}

/**
 * Of this caller; null: as many as there are. Whoever withholds their number comes with none, or with a word in its place:
 * `anonymous`, `unknown`, `restricted`. They are not one caller.
 */
function callsLeft({ settings, world }: CallGrounds, { number }: Caller): number | null {
  const { callsPerCallerMax } = settings
  if (callsPerCallerMax === 0 || !/\d/.test(number)) return null
  const live = world.store.live.filter(({ caller }) => caller.number === number).length
  return Math.max(0, callsPerCallerMax - live)
}

/** Sessions that are still open count: else a burst of calls would pass the limit by all of their minutes. */
function isUsedUp({ settings, world }: CallGrounds, { provider }: Speaker): boolean {
  const { providerMsPerDayMax } = settings
  return providerMsPerDayMax > 0 && world.use.usedMs(provider.name) >= providerMsPerDayMax
}

function readyFallback(grounds: CallGrounds, usedUp: Speaker): Speaker | null {
  const { fallback: name } = grounds.settings
  if (name === null || name === usedUp.provider.name) return null
  const fallback = grounds.speaker(name)
  return canServe(fallback, grounds.world) ? fallback : null
}

/** An agent that has no ears for turns needs our speech detection. */
function canServe({ provider }: Speaker, { detector }: CallWorld): boolean {
  return provider.readiness().ready && (provider.turnDetection !== 'engine' || detector.readiness().ready)
}

/** Of a name that somebody has written into a dialplan; the log needs no more to show which. */
const shownMax = 64
const anOrA = { agent: 'an agent', provider: 'a provider', pipeline: 'a pipeline' } as const

function planOf(request: AdmissionRequest, settings: CallSettings, choice: Choice, speaker: Speaker): CallPlan {
  const { language, prompt, greeting, facts } = choice
  // They were checked against the provider that was chosen: who takes its place may have neither.
  const isChosen = speaker.provider.name === choice.provider
  const [voice, tools] = isChosen ? [choice.voice, choice.tools] : [null, null]
  return { ...request, ...settings, ...speaker, language, prompt, greeting, voice, tools, choice: facts }
}
