import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Provider } from '#agent/provider.ts'
import { AriClient } from '#asterisk/ari-client.ts'
import { AriEvents } from '#asterisk/ari-events.ts'
import type { AcceptLeg } from '#asterisk/door.ts'
import { MediaCalls } from '#asterisk/media-calls.ts'
import { OrphanSweep } from '#asterisk/orphans.ts'
import { StasisApp } from '#asterisk/stasis-app.ts'
import { type Clock, SystemClock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { type Random, systemRandom } from '#base/random.ts'
import { version } from '#base/version.ts'
import { Admission } from '#call/admission.ts'
import { type LoadLimits, LoadMeter } from '#call/load-meter.ts'
import { Pacer } from '#call/pacer.ts'
import { ProviderUse } from '#call/provider-use.ts'
import { SessionStore } from '#call/session-store.ts'
import type { ReloadAnswer, ReloadTrigger } from '#config/reload.ts'
import { answeringName, type Configuration } from '#config/schema.ts'
import type { Environment } from '#config/secrets.ts'
import { createApi } from '#http/api.ts'
import { Listener } from '#http/listener.ts'
import type { EngineStatus } from '#http/status.ts'
import { type ProviderPlan, planProviders } from '#providers/index.ts'
import type { VendorsConfiguration } from '#providers/schemas.ts'
import { SpeechDetection } from '#speech/detection.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { createOverlapModel } from '#speech/overlap.ts'
import { OverlapJudge } from '#speech/overlap-judge.ts'
import { TurnEnd } from '#speech/turn-end.ts'
import { CallRecordFile } from '#telemetry/call-record.ts'
import { Metrics } from '#telemetry/metrics.ts'
import { ProviderUseFile } from '#telemetry/provider-use-file.ts'
import { type AllowLists, allowedPeers, allowsTheSame, lookAgain } from './app/allowed-peers.ts'
import { ApiAccess } from './app/api-access.ts'
import { eventOptions, requestOptions } from './app/ari-options.ts'
import { createConfigurationDesk } from './app/configuration-desk.ts'
import type { ConfigurationFile } from './app/configuration-file.ts'
import { createDoors, createPlaybackFiles, type MediaDoors } from './app/doors.ts'
import { Generation, type GenerationDeps, type LoadedConfiguration } from './app/generation.ts'
import {
  conversationOf,
  DetectionCounts,
  type MetricOwners,
  metricSources,
  ProviderEvents,
} from './app/metric-sources.ts'
import { PartPool } from './app/part-pool.ts'
import { createProviderDesk } from './app/provider-desk.ts'
import { ProviderSwitch } from './app/provider-switch.ts'
import { lookEveryMs, ReadinessLog } from './app/readiness-log.ts'
import { type ReadAnew, Reloader } from './app/reloader.ts'

/**
 * The composition root: builds every part from one configuration, wires them, and closes them in the opposite order.
 * Nothing imports it but the command line and the tests.
 *
 * Starting never waits for what may be missing: models, keys and Asterisk come when they come, and /ready says what
 * is lacking.
 */
export interface EngineDeps extends LoadedConfiguration {
  /** Where a reload finds the next configuration; without it there is no reload. */
  readonly read?: ReadAnew
  /** The same for what is asked about it, and for a change of it. */
  readonly file?: ConfigurationFile
  readonly log: Log
  /** False: no connection to Asterisk, calls come to the media port only. */
  readonly ari?: boolean
  /** Bound already, so that /live answers while the rest loads; else the engine binds its own. */
  readonly http?: Listener
  readonly clock?: Clock
  readonly random?: Random
  /** Instead of those that the configuration names: a benchmark brings its own. Such an engine does not reload. */
  readonly providers?: Readonly<Record<string, Provider<'agent'>>>
}

/** What has no owner is found at each connection to Asterisk, and this often in between; so often minutes are kept. */
const sweepEveryMs = 60_000

export class Engine implements MetricOwners {
  readonly store = new SessionStore()
  readonly pacer: Pacer
  readonly metrics: Metrics
  readonly turnEnd: TurnEnd
  readonly overlaps: OverlapJudge
  readonly media: MediaDoors
  readonly clock: Clock
  readonly admission: Admission
  readonly playback: ReturnType<typeof createPlaybackFiles>
  readonly ariEvents: AriEvents
  readonly orphans: OrphanSweep
  readonly records: CallRecordFile
  readonly use: ProviderUse
  readonly eventsOfClosed = new ProviderEvents()
  readonly providerPool = new PartPool<Provider<'agent'>>(
    () => this.log,
    (provider) => this.eventsOfClosed.keep(provider),
  )
  readonly detectionOfClosed = new DetectionCounts()
  readonly detectionPool = new PartPool<SpeechDetection>(
    () => this.log,
    (each) => this.detectionOfClosed.keep(each),
  )
  private current: Generation
  readonly reloader: Reloader
  readonly apiAccess: ApiAccess
  private readonly switching: ProviderSwitch
  private readonly providerStates: ReadinessLog
  private readonly log: Log
  private readonly ari: AriClient
  private readonly load: LoadMeter
  private readonly useFile: ProviderUseFile
  private sweeping: Disposable | null = null
  private looking: Disposable | null = null
  private readonly http: Listener
  private asteriskVersion: string | null = null
  private filesProblem = ''
  private closing: Promise<void> | null = null

  /** Listens on all its ports when it returns. Throws when a port is taken; the message names it. */
  private constructor(deps: EngineDeps, allow: AllowLists) {
    const { configuration, env, secrets, fromEnvironment, provenance, log } = deps
    const clock = deps.clock ?? new SystemClock()
    const random = deps.random ?? systemRandom
    this.log = log
    this.clock = clock
    this.records = new CallRecordFile(recordsPath(configuration.records.file, env), log)
    this.useFile = new ProviderUseFile(useFilePath(this.records.path), log)
    this.use = new ProviderUse(clock, this.useFile.read())
    const models = new ModelStore({ folder: modelsFolder(env, configuration.models.dir), clock, log, env })
    this.turnEnd = new TurnEnd({ clock, log, random, store: models })
    this.overlaps = new OverlapJudge({ clock, log, random, store: models })
    this.metrics = new Metrics(version, clock, metricSources(this))
    this.load = new LoadMeter(clock, () => loadLimits(this.configuration))
    this.pacer = new Pacer(clock, (lagMs, latenessMs) => {
      this.metrics.pacing(lagMs, latenessMs)
      this.load.observe(lagMs, latenessMs)
    })
    const given = deps.providers
    const shared: GenerationDeps = {
      clock,
      log,
      pacer: this.pacer,
      store: this.store,
      use: this.use,
      turnEnd: this.turnEnd,
      overlaps: this.overlaps,
      overlapModel: createOverlapModel({ words: (samples, rateHz) => this.overlaps.judge(samples, rateHz) }),
      metrics: this.metrics,
      records: this.records,
      providerPool: this.providerPool,
      detectionPool: this.detectionPool,
      plan: (loaded) => (given === undefined ? planProviders({ ...loaded, log, clock, random }) : planned(given)),
      createDetection: (capacity) => new SpeechDetection({ clock, log, random, capacity }),
    }
    this.current = new Generation({ configuration, env, secrets, fromEnvironment, provenance }, allow, shared, null)
    this.apiAccess = new ApiAccess(() => this.current.loaded)
    this.metrics.expectProviders(Object.keys(this.providers))
    this.admission = new Admission(() => this.current, this.load)
    this.reloader = new Reloader({
      read: given === undefined ? (deps.read ?? null) : null,
      current: () => this.current,
      build: async (loaded) => {
        const same = allowsTheSame(loaded.configuration, this.configuration)
        const peers = same
          ? this.current.allow
          : await allowedPeers(loaded.configuration, log, this.current.allow.asterisk)
        return new Generation(loaded, peers, shared, this.current)
      },
      swap: (next) => this.takeUp(next),
      clock,
      log,
    })
    const file = deps.file ?? null
    const current = () => this.current
    this.switching = new ProviderSwitch({ file, current, reload: () => this.reload('api'), clock, log })
    this.providerStates = new ReadinessLog(clock)

    const { asterisk } = configuration
    const unannouncedWire = () =>
      this.configuration.audiosocket.accept_unannounced ? this.media.doors.formatOf('audiosocket') : null
    const mediaCalls = new MediaCalls(this.store, this.admission, unannouncedWire)
    const accept: AcceptLeg = (uuid, leg) => mediaCalls.accept(uuid, leg)
    this.media = createDoors({ current: () => this.current, clock, log, random, pacer: this.pacer, accept })
    this.http = deps.http ?? this.listen()
    this.playback = createPlaybackFiles(configuration, { clock, log, random, httpPort: this.http.port })

    const ari = new AriClient(requestOptions(asterisk))
    this.ari = ari
    const stasis = new StasisApp({
      ari,
      store: this.store,
      admission: this.admission,
      clock,
      log,
      random,
      application: asterisk.app_name,
      variablesMaxMs: asterisk.variables_timeout_ms,
      doors: this.media.doors,
      files: this.playback.files,
      repliesByFile: () => this.configuration.downstream_mode === 'file',
    })
    this.orphans = new OrphanSweep({ ari, clock, log, store: this.store, application: asterisk.app_name })
    this.ariEvents = new AriEvents(
      eventOptions(asterisk),
      {
        event: (event) => stasis.event(event),
        connected: () => {
          void lookAgain(current, log)
          void stasis.reconcile()
          void this.orphans.sweep()
          void this.meetAsterisk()
        },
        applicationTaken: () => ari.applicationTaken(asterisk.app_name),
        disconnected: () => {
          this.asteriskVersion = null
        },
      },
      clock,
      log,
      random,
    )
    const api = createApi({
      status: () => this.status(),
      scrape: () => this.metrics.scrape(),
      control: {
        clock,
        access: () => this.apiAccess.rules,
        reload: () => this.reload('api'),
        configuration: createConfigurationDesk(current, file),
        providers: createProviderDesk(current, this.switching, this.providerStates),
      },
      ...(this.playback.http === null ? {} : { mediaFiles: this.playback.http }),
    })
    this.http.attach((request, connection) => api.fetch(request, connection))
  }

  static async start(deps: EngineDeps): Promise<Engine> {
    const engine = new Engine(deps, await allowedPeers(deps.configuration, deps.log))
    engine.current.start()
    engine.sweeping = engine.clock.every(sweepEveryMs, () => {
      if (engine.ariEvents.connected) void engine.orphans.sweep()
      void engine.useFile.save(engine.use.today)
    })
    engine.looking = engine.clock.every(lookEveryMs, () => {
      engine.providerStates.look(engine.current.providerReadiness())
    })
    void engine.prepareFolder()
    if (deps.ari !== false) engine.ariEvents.start()
    return engine
  }

  /** Sweeps what a killed engine has left in the shared folder, and finds out whether it can be written. */
  private async prepareFolder(): Promise<void> {
    const prepared = await this.playback.folder?.prepare()
    if (prepared === undefined || prepared.ok) return
    this.filesProblem = prepared.error
    this.log.error('replies cannot be played from files', { why: prepared.error })
  }

  /** Which Asterisk this is, and which way its audio is to take. */
  private async meetAsterisk(): Promise<void> {
    const { ari } = this
    const version = await ari.asteriskVersion()
    if (!version.ok) return
    this.asteriskVersion = version.value
    const { doors } = this.media
    const modules = doors.asksForModules ? await ari.modules() : null
    doors.found(version.value, modules?.ok === true ? modules.value : null)
  }

  /** What is in force. */
  get generation(): Generation {
    return this.current
  }

  get configuration(): Configuration<VendorsConfiguration> {
    return this.current.configuration
  }

  get providers(): Readonly<Record<string, Provider<'agent'>>> {
    return this.current.providers
  }

  get detection(): SpeechDetection {
    return this.current.detection
  }

  /** Reads the configuration anew; what has changed is in force for the next call. Never rejects. */
  reload(trigger: ReloadTrigger): Promise<ReloadAnswer> {
    return this.reloader.reload(trigger)
  }

  private takeUp(next: Generation): void {
    const before = this.configuration
    this.current = next
    this.metrics.expectProviders(Object.keys(next.providers))
    if (before.audio_transport === next.configuration.audio_transport) return
    this.media.doors.reconfigured()
    if (this.ariEvents.connected) void this.meetAsterisk()
  }

  get httpUrl(): string {
    return this.http.url
  }

  get audioSocketAddress(): string {
    return `${this.configuration.audiosocket.host}:${this.media.audioSocket.port}`
  }

  status(): EngineStatus {
    const { configuration, current } = this
    return {
      version,
      draining: this.admission.draining,
      activeCalls: this.store.size,
      callsMax: configuration.limits.calls,
      ariConnected: this.ariEvents.connected,
      ariProblem: this.ariEvents.problem,
      asteriskVersion: this.asteriskVersion,
      audioTransport: this.media.doors.transport,
      audioSocketAddress: this.audioSocketAddress,
      defaultProvider: answeringName(configuration),
      providers: current.providerReadiness(),
      speechDetection: this.detection.readiness,
      filesProblem: configuration.downstream_mode === 'file' ? this.filesProblem : '',
      turnEnd: current.asksTurnEnd ? this.turnEnd.readiness() : null,
      conversation: conversationOf(this.store),
    }
  }

  /** Idempotent: no new calls; running ones may finish within `limitMs`, then they are ended; then everything closes. */
  stop(limitMs = this.configuration.drain.timeout_seconds * 1000): Promise<void> {
    this.closing ??= this.drainAndClose(limitMs)
    return this.closing
  }

  /** Ends the wait of a `stop` that is under way. */
  hurry(): void {
    for (const call of this.store.live) void call.end('shutdown')
  }

  private async drainAndClose(limitMs: number): Promise<void> {
    this.admission.draining = true
    await Promise.all([this.switching.close(), this.reloader.close()])
    if (this.store.size > 0) this.log.info('waiting for running calls', { calls: this.store.size, limit_ms: limitMs })
    const limit = new AbortController()
    await Promise.race([this.store.whenEmpty(), this.clock.sleep(limitMs, limit.signal)])
    limit.abort()
    await Promise.all(this.store.live.map((call) => call.end('shutdown')))
    this.sweeping?.[Symbol.dispose]()
    this.looking?.[Symbol.dispose]()
    this.ariEvents.stop()
    this.media.doors.close()
    await Promise.all([
      this.detectionPool.close(),
      this.turnEnd.close(),
      this.overlaps.close(),
      this.providerPool.close(),
      this.records.flushed(),
      this.useFile.save(this.use.today),
      this.http.close(),
    ])
  }

  private listen(): Listener {
    const { host, port } = this.configuration.health
    try {
      return new Listener(host, port)
    } catch (thrown) {
      this.media.doors.close()
      throw thrown
    }
  }
}

function loadLimits({ limits }: Configuration<VendorsConfiguration>): LoadLimits {
  return { loopLagMs: limits.loop_lag_ms, pacingLatenessMs: limits.pacing_lateness_ms }
}

/** `records.file`, or the user's state folder. */
function recordsPath(configured: string, env: Environment): string {
  if (configured !== '') return configured
  return join(env.XDG_STATE_HOME ?? join(env.HOME ?? homedir(), '.local', 'state'), 'patchcord', 'calls.jsonl')
}

/** Beside the records: in the folder that the engine keeps what it has to remember in. */
function useFilePath(records: string): string {
  return join(dirname(records), 'provider-minutes.json')
}

/** Providers that are there already. */
function planned(providers: Readonly<Record<string, Provider<'agent'>>>): Record<string, ProviderPlan> {
  return Object.fromEntries(
    Object.entries(providers).map(([name, provider]) => [name, { fingerprint: '', make: () => provider }]),
  )
}
