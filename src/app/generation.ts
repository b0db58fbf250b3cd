import type { Provider, Readiness } from '#agent/provider.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { CallGrounds, CallSettings } from '#call/admission.ts'
import type { CallWorld, Speaker } from '#call/call-plan.ts'
import { EchoWatch } from '#call/echo-watch.ts'
import type { OverlapModel } from '#call/overlap-model.ts'
import type { Pacer } from '#call/pacer.ts'
import type { SessionUse } from '#call/provider-use.ts'
import type { SessionStore } from '#call/session-store.ts'
import { WarmUp } from '#call/warm-up.ts'
import { namesInUse, offerOf } from '#config/offer.ts'
import type { Provenance } from '#config/origins.ts'
import { answeringName, type Configuration } from '#config/schema.ts'
import type { Environment, Secrets } from '#config/secrets.ts'
import type { ProviderPlan } from '#providers/index.ts'
import { type VendorsConfiguration, vendorSchemas } from '#providers/schemas.ts'
import { createCallDetector } from '#speech/call-detector.ts'
import type { SpeechDetection } from '#speech/detection.ts'
import type { OverlapJudge } from '#speech/overlap-judge.ts'
import type { TurnEnd } from '#speech/turn-end.ts'
import { createCallObserver } from '#telemetry/call-observer.ts'
import type { CallRecordFile } from '#telemetry/call-record.ts'
import type { Metrics } from '#telemetry/metrics.ts'
import type { AllowLists } from './allowed-peers.ts'
import { callSettings } from './call-settings.ts'
import type { PartPool } from './part-pool.ts'

/** A configuration that was read and found good, with the environment it was read in. */
export interface LoadedConfiguration {
  readonly configuration: Configuration<VendorsConfiguration>
  readonly env: Environment
  /** Dotted paths of the values that came out of variables. */
  readonly fromEnvironment?: readonly string[] | undefined
  /** Missing where it was made by hand. */
  readonly provenance?: Provenance | undefined
  /** What its secrets held when it was read: nothing that is made of it looks at their files. */
  readonly secrets: Secrets
}

/** What all generations of one engine share. */
export interface GenerationDeps {
  readonly clock: Clock
  readonly log: Log
  readonly pacer: Pacer
  readonly store: SessionStore
  readonly use: SessionUse
  readonly turnEnd: TurnEnd
  readonly overlaps: OverlapJudge
  readonly overlapModel: OverlapModel
  readonly metrics: Metrics
  readonly records: CallRecordFile
  readonly providerPool: PartPool<Provider<'agent'>>
  readonly detectionPool: PartPool<SpeechDetection>
  /** The enabled providers by name. */
  readonly plan: (loaded: LoadedConfiguration) => Readonly<Record<string, ProviderPlan>>
  /** Speech detection for so many calls at once. */
  readonly createDetection: (capacity: number) => SpeechDetection
}

/**
 * One immutable configuration and all that was made from it. Each call keeps the generation it began with; a reload makes
 * the next one beside it. It holds its parts as long as it is in force or a call of it is live, and then gives them back.
 */
export class Generation implements CallGrounds {
  readonly loaded: LoadedConfiguration
  /** Looked up anew while it is in force. */
  allow: AllowLists
  /** The enabled ones by name. */
  readonly providers: Readonly<Record<string, Provider<'agent'>>>
  readonly detection: SpeechDetection
  /** Of each provider by its name. */
  readonly warmUps: Readonly<Record<string, WarmUp>>
  readonly settings: CallSettings
  readonly world: CallWorld
  private readonly deps: GenerationDeps
  private readonly leases: DisposableStack
  private readonly capacity: number
  // keyed by: name of a provider that calls may go to, those that a call has asked for among them
  private readonly inUse: Set<string>
  /** Calls, and one for being in force. */
  private holders = 1

  /** `before`: the one in force, whose parts are taken over where they fit. Nothing is started yet. */
  constructor(loaded: LoadedConfiguration, allow: AllowLists, deps: GenerationDeps, before: Generation | null) {
    const { configuration } = loaded
    const { clock, log, pacer, store, use, turnEnd, overlapModel, metrics, records } = deps
    this.loaded = loaded
    this.allow = allow
    this.deps = deps
    // What throws on the way gives back what was leased.
    using leases = new DisposableStack()
    this.providers = this.leaseProviders(leases)
    // Room for more calls than there are costs nothing; only more room needs a detector of its own.
    this.capacity = Math.max(configuration.limits.calls, before?.capacity ?? 0)
    const { capacity } = this
    this.detection = leases.use(deps.detectionPool.lease(String(capacity), () => deps.createDetection(capacity))).part
    // keyed by: name of a provider
    this.inUse = new Set(namesInUse(configuration))
    this.warmUps = this.warmUpsAfter(before)
    this.settings = callSettings(configuration, offerOf(configuration, vendorSchemas))
    this.world = {
      clock,
      log,
      pacer,
      store,
      use,
      detector: createCallDetector(this.detection, {
        threshold: configuration.vad.threshold,
        minSpeechMs: configuration.vad.min_speech_ms,
        minSilenceMs: configuration.vad.min_silence_ms,
        raisedThreshold: Math.max(configuration.vad.threshold, configuration.barge_in.threshold),
      }),
      turnEndModel: turnEnd,
      overlapModel,
      createEcho: (sampleRateHz) => new EchoWatch(sampleRateHz, clock),
      observer: createCallObserver(log, metrics, records, configuration.logging.transcripts, configuration.prices),
    }
    this.leases = leases.move()
  }

  get configuration(): Configuration<VendorsConfiguration> {
    return this.loaded.configuration
  }

  /** The one that answers calls. */
  get provider(): Provider<'agent'> {
    return this.named(answeringName(this.configuration))
  }

  get warmUp(): WarmUp {
    return this.speaker(answeringName(this.configuration)).warmUp
  }

  private named(name: string): Provider<'agent'> {
    const provider = this.providers[name]
    // The configuration's own checks refuse this with line and advice; here it would be a bug.
    if (provider === undefined) throw new Error(`bug: provider ${name} is not among the enabled ones`)
    return provider
  }

  private get providersInUse(): Provider<'agent'>[] {
    return [...this.inUse].map((name) => this.named(name))
  }

  /** A provider that finds the turns itself, or takes none, has no pauses to judge. */
  get asksTurnEnd(): boolean {
    const finders = this.providersInUse.filter(({ turnDetection }) => turnDetection === 'engine')
    return this.configuration.turn_taking.stop === 'model' && finders.length > 0
  }

  /** What sounds over the agent's voice is judged, or what the detector takes for a noise. */
  get judgesSounds(): boolean {
    const { turn_taking: turns, barge_in: bargeIn, vad } = this.configuration
    const finds = this.providersInUse.some(({ turnDetection }) => turnDetection === 'engine')
    const confirms = this.providersInUse.some(({ turnDetection }) => turnDetection === 'provider') && bargeIn.confirm
    const overlaps = bargeIn.enabled && turns.start !== 'vad' && (finds || confirms)
    return overlaps || (vad.overlooked_voices && finds)
  }

  /** Begins to load and to connect what calls need; what runs already goes on. */
  start(): void {
    this.detection.start()
    if (this.asksTurnEnd) this.deps.turnEnd.start()
    if (this.judgesSounds) this.deps.overlaps.start()
    for (const provider of this.providersInUse) provider.start()
  }

  /**
   * One that only a dialplan names is loaded from the first call on that asks for it; this call goes back, since it is not
   * ready yet.
   */
  speaker(name: string): Speaker {
    const provider = this.named(name)
    if (!this.inUse.has(name)) {
      this.inUse.add(name)
      this.start()
    }
    const warmUp = this.warmUps[name]
    if (warmUp === undefined) throw new Error(`bug: nothing is known of provider ${name}`)
    return { provider, warmUp }
  }

  /** Whether a call that asks for nothing would be served now. */
  readiness(): Readiness {
    const name = answeringName(this.configuration)
    const provider = this.provider.readiness()
    if (!provider.ready) return { ready: false, reason: `provider ${name}: ${provider.reason}` }
    if (!this.detection.readiness.ready) {
      return { ready: false, reason: `speech detection: ${this.detection.readiness.reason}` }
    }
    return provider
  }

  /** Those that agents have; without them other calls are served all the same. */
  get agentsReady(): boolean {
    return this.providersInUse.every((provider) => provider.readiness().ready)
  }

  /** Without them calls are served all the same: turns end by silence, voices interrupt by their length. */
  get modelsReady(): boolean {
    const { turnEnd, overlaps } = this.deps
    return (!this.asksTurnEnd || turnEnd.readiness().ready) && (!this.judgesSounds || overlaps.readiness().ready)
  }

  /** What each provider that calls go to has been found to need. */
  warmUpExtraMs(): Record<string, Milliseconds> {
    return Object.fromEntries([...this.inUse].map((name) => [name, this.speaker(name).warmUp.extraMs]))
  }

  /** Of each provider; one that answers no calls is not loaded. */
  providerReadiness(): Record<string, Readiness> {
    const chosen = answeringName(this.configuration)
    return Object.fromEntries(
      Object.entries(this.providers).map(([name, provider]) => {
        const state = provider.readiness()
        const idle = !state.ready && !this.inUse.has(name)
        return [name, idle ? { ready: false, reason: `not loaded: ${chosen} answers calls` } : state]
      }),
    )
  }

  hold(): Disposable {
    this.holders += 1
    let held = true
    return {
      [Symbol.dispose]: () => {
        if (held) this.letGo()
        held = false
      },
    }
  }

  /** It is in force no more; the last of its calls gives its parts back. Once. */
  retire(): void {
    this.letGo()
  }

  private letGo(): void {
    this.holders -= 1
    if (this.holders > 0) return
    this.leases.dispose()
  }

  /** One that calls go to is another than one that none does: the former has models in memory, the latter has none. */
  private leaseProviders(leases: DisposableStack): Record<string, Provider<'agent'>> {
    const { configuration } = this.loaded
    const plans = this.deps.plan(this.loaded)
    const used = namesInUse(configuration)
    return Object.fromEntries(
      Object.entries(plans).map(([name, { fingerprint, make }]) => {
        const use = used.includes(name) ? 'in use' : 'idle'
        return [name, leases.use(this.deps.providerPool.lease(`${name} ${use} ${fingerprint}`, make)).part]
      }),
    )
  }

  /** What was learnt of a provider holds as long as it is the same one, within the same bounds. */
  private warmUpsAfter(before: Generation | null): Record<string, WarmUp> {
    const [boundMs, baseMs] = warmUpBounds(this.configuration)
    const [formerBoundMs, formerBaseMs] = before === null ? [] : warmUpBounds(before.configuration)
    const sameBounds = boundMs === formerBoundMs && baseMs === formerBaseMs
    return Object.fromEntries(
      Object.entries(this.providers).map(([name, provider]) => {
        const same = sameBounds && before?.providers[name] === provider ? before.warmUps[name] : undefined
        return [name, same ?? new WarmUp(boundMs, baseMs)]
      }),
    )
  }
}

function warmUpBounds({ streaming }: Configuration<VendorsConfiguration>): [boundMs: number, replyBaseMs: number] {
  return [streaming.jitter_buffer_ms, streaming.min_start_ms]
}
