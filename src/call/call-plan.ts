import type { CallContext, Provider } from '#agent/provider.ts'
import { type SampleRateHz, type WireFormat, wireRatesHz } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { ChoiceFacts } from './choice.ts'
import type { CoordinatorDeps } from './coordinator-deps.ts'
import type { DialplanPlace, Onward } from './dialplan-place.ts'
import type { KeyAction } from './key-pad.ts'
import type { HangupCause, Transport } from './leg.ts'
import type { LimitPolicy } from './limit-policies.ts'
import type { LineEcho } from './line-echo.ts'
import { isListening } from './listening.ts'
import type { Caller, CallObserver, CallOrigin } from './observer.ts'
import type { OverlapModel } from './overlap-model.ts'
import type { Pacer } from './pacer.ts'
import type { PbxSide } from './pbx-side.ts'
import type { PlayoutSettings } from './playout-contract.ts'
import type { SessionUse } from './provider-use.ts'
import type { SessionStore } from './session-store.ts'
import type { SpeechDetector, SpeechDetectorSession, SpeechEvent } from './speech-detector.ts'
import type { TurnEndModel } from './turn-end-model.ts'
import type { TurnSettings } from './turn-settings.ts'
import type { WarmUp } from './warm-up.ts'

/** What one call is given when it begins, and keeps to its end. */
export interface CallPlan extends CallTerms {
  readonly id: string
  readonly transport: Transport
  readonly wire: WireFormat
  readonly caller: Caller
  readonly origin: CallOrigin
  readonly pbx: PbxSide
}

/** Who speaks for the agent of a call. */
export interface Speaker {
  readonly provider: Provider<'agent'>
  /** Shared by all calls of the provider. */
  readonly warmUp: WarmUp
}

/** What a call is given: what the configuration says about every call, and what was chosen for this one. */
export interface CallTerms extends CommonTerms, Speaker {
  readonly language: string
  readonly prompt: string
  readonly greeting: string
  /** Null: the provider's own. */
  readonly voice: string | null
  readonly tools: readonly string[] | null
  readonly choice: ChoiceFacts
}

/** What the configuration says about every call. */
export interface CommonTerms {
  readonly playout: PlayoutSettings
  readonly callMaxMs: Milliseconds
  /** What happens then. */
  readonly onLimit: LimitPolicy
  /** Where a caller goes on whom the call has failed; null: behind `Stasis()`. */
  readonly onFailure: DialplanPlace | null
  readonly turns: TurnSettings
  /** What the keys of the telephone do. */
  readonly keys: Readonly<Record<string, KeyAction>>
}

export interface CallWorld {
  readonly clock: Clock
  readonly log: Log
  readonly pacer: Pacer
  readonly store: SessionStore
  readonly use: SessionUse
  readonly detector: SpeechDetector
  /** What can be asked of a pause, and of speech over the agent's; null where this engine has no such model. */
  readonly turnEndModel: TurnEndModel | null
  readonly overlapModel: OverlapModel | null
  readonly createEcho: (sampleRateHz: SampleRateHz) => LineEcho
  readonly observer: CallObserver
}

/** Who called and who answers; the number is what an operator looks a call up by. */
export function admittedDetail({ caller, provider, choice, origin, transport }: CallPlan): string {
  const agent = choice.agent === null ? '' : `agent ${choice.agent} by ${choice.route.rule}, `
  const from = caller.number === '' ? '' : `, from ${caller.number}`
  const to = caller.dialled === '' ? '' : ` to ${caller.dialled}`
  return `${agent}provider ${provider.name}, ${origin}, ${transport}${from}${to}`
}

export function planFacts({ caller, provider, choice, origin, transport }: CallPlan) {
  return { caller, choice, provider: provider.name, origin, transport }
}

/** Words in what is said over the agent, where the provider can write them down at once. */
export function wordsOf({ provider, wire }: CallPlan): CoordinatorDeps['wordsIn'] {
  if (provider.wordsIn === undefined) return null
  return (samples, signal) => provider.wordsIn?.(samples, wireRatesHz[wire], signal) ?? Promise.resolve(null)
}

/** Our detector for this call; null where its agent does without, `missing` where it cannot and there is none. */
export function detectionOf(
  { provider, turns, wire }: CallPlan,
  detector: SpeechDetector,
  listener: (event: SpeechEvent) => void,
): SpeechDetectorSession | null | 'missing' {
  const { turnDetection } = provider
  if (turnDetection === 'none' || (turnDetection === 'provider' && !turns.bargeIn.confirm)) return null
  // An agent that finds the turns itself is believed where nobody here can confirm it.
  return detector.open(wireRatesHz[wire], listener) ?? (turnDetection === 'provider' ? null : 'missing')
}

/** Where the PBX sends the caller on, where the cause lets them go on. `place`: where the agent has sent them. */
export function onwardOf(plan: CallPlan, cause: HangupCause, place: DialplanPlace | null): Onward {
  if (cause === 'time_limit' && plan.onLimit === 'farewell') return 'hang_up'
  return place ?? plan.onFailure ?? 'next'
}

/** What the agent's session is told. */
export function contextOf(plan: CallPlan, signal: AbortSignal, clock: Clock): CallContext {
  const { id, wire, language, turns, prompt, greeting, voice, tools, origin } = plan
  return {
    callId: id,
    sampleRateHz: wireRatesHz[wire],
    wire,
    language,
    isListening: (turn) => isListening(turn, turns.bargeIn.backchannels),
    prompt,
    greeting,
    ...(voice === null ? {} : { voice }),
    ...(tools === null ? {} : { tools }),
    canTransfer: origin === 'ari',
    signal,
    clock,
  }
}
