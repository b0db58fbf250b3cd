import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Provider, Readiness } from '#agent/provider.ts'
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
import type { CallWorld } from '#call/call-plan.ts'
import { EchoWatch } from '#call/echo-watch.ts'
import { gateReasons } from '#call/gate.ts'
import { LoadMeter } from '#call/load-meter.ts'
import { Pacer } from '#call/pacer.ts'
import { SessionStore } from '#call/session-store.ts'
import { turnStates } from '#call/turn-state.ts'
import { WarmUp } from '#call/warm-up.ts'
import { answeringName, type Configuration } from '#config/schema.ts'
import type { Environment } from '#config/secrets.ts'
import { createApi } from '#http/api.ts'
import { Listener } from '#http/listener.ts'
import type { EngineStatus } from '#http/status.ts'
import { createProviders } from '#providers/index.ts'
import type { VendorsConfiguration } from '#providers/schemas.ts'
import { createCallDetector } from '#speech/call-detector.ts'
import { SpeechDetection } from '#speech/detection.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { createOverlapModel } from '#speech/overlap.ts'
import { OverlapJudge } from '#speech/overlap-judge.ts'
import { TurnEnd } from '#speech/turn-end.ts'
import { createCallObserver } from '#telemetry/call-observer.ts'
import { CallRecordFile } from '#telemetry/call-record.ts'
import { Metrics } from '#telemetry/metrics.ts'
import { type AllowLists, allowedPeers } from './app/allowed-peers.ts'
import { callSettings } from './app/call-settings.ts'
import { createDoors, createPlaybackFiles, type MediaDoors } from './app/doors.ts'

/**
 * The composition root: builds every part from one configuration, wires them, and closes them in the opposite order.
 * Nothing imports it but the command line and the tests.
 *
 * Starting never waits for what may be missing: models, keys and Asterisk come when they come, and /ready says what
 * is lacking.
 */
export interface EngineDeps {
  readonly configuration: Configuration<VendorsConfiguration>
  readonly env: Environment
  readonly log: Log
  /** False: no connection to Asterisk, calls come to the media port only. */
  readonly ari?: boolean
  /** Bound already, so that /live answers while the rest loads; else the engine binds its own. */
  readonly http?: Listener
  readonly clock?: Clock
  readonly random?: Random
  /** Instead of those that the configuration names: a benchmark brings its own. */
  readonly providers?: Readonly<Record<string, Provider<'agent'>>>
}

const noFiles = { files: 0, bytes: 0 }
/** What has no owner is found at each connection to Asterisk, and this often in between. */
const sweepEveryMs = 60_000

export class Engine {
  readonly store = new SessionStore()
  readonly pacer: Pacer
  readonly metrics: Metrics
  readonly detection: SpeechDetection
  readonly turnEnd: TurnEnd
  readonly overlaps: OverlapJudge
  readonly media: MediaDoors
  readonly providers: Readonly<Record<string, Provider<'agent'>>>
  private readonly configuration: Configuration<VendorsConfiguration>
  private readonly log: Log
  private readonly clock: Clock
  private readonly admission: Admission
  private readonly load: LoadMeter
  private readonly playback: ReturnType<typeof createPlaybackFiles>
  private readonly warmUp: WarmUp
  private readonly ariEvents: AriEvents
  private readonly orphans: OrphanSweep
  private sweeping: Disposable | null = null
  private readonly records: CallRecordFile
  private readonly http: Listener
  private asteriskVersion: string | null = null
  private filesProblem = ''
  private closing: Promise<void> | null = null

  /** Listens on all its ports when it returns. Throws when a port is taken; the message names it. */
  private constructor(deps: EngineDeps, allow: AllowLists) {
    const { configuration, env, log } = deps
    const clock = deps.clock ?? new SystemClock()
    const random = deps.random ?? systemRandom
    this.configuration = configuration
    this.log = log
    this.clock = clock
    this.records = new CallRecordFile(recordsPath(configuration.records.file, env), log)
    this.detection = new SpeechDetection({ clock, log, random, capacity: configuration.limits.calls })
    const store = new ModelStore({ folder: modelsFolder(env, configuration.models.dir), clock, log, env })
    this.turnEnd = new TurnEnd({ clock, log, random, store })
    this.overlaps = new OverlapJudge({ clock, log, random, store })
    this.providers = deps.providers ?? createProviders({ configuration, env, log, clock, random })
    this.metrics = new Metrics(version, clock, this.metricSources(), Object.keys(this.providers))
    const { asterisk, audiosocket, limits, streaming } = configuration
    this.load = new LoadMeter(clock, { loopLagMs: limits.loop_lag_ms, pacingLatenessMs: limits.pacing_lateness_ms })
    this.pacer = new Pacer(clock, (lagMs, latenessMs) => {
      this.metrics.pacing(lagMs, latenessMs)
      this.load.observe(lagMs, latenessMs)
    })

    const world: CallWorld = {
      clock,
      log,
      pacer: this.pacer,
      store: this.store,
      detector: createCallDetector(this.detection, {
        threshold: configuration.vad.threshold,
        minSpeechMs: configuration.vad.min_speech_ms,
        minSilenceMs: configuration.vad.min_silence_ms,
        raisedThreshold: Math.max(configuration.vad.threshold, configuration.barge_in.threshold),
      }),
      turnEndModel: this.turnEnd,
      overlapModel: createOverlapModel({ words: (samples, rateHz) => this.overlaps.judge(samples, rateHz) }),
      createEcho: (sampleRateHz) => new EchoWatch(sampleRateHz),
      observer: createCallObserver(log, this.metrics, this.records, configuration.logging.transcripts),
    }
    this.warmUp = new WarmUp(streaming.jitter_buffer_ms, streaming.min_start_ms)
    this.admission = new Admission(callSettings(configuration, this.provider(), this.warmUp), world, this.load)

    const unannouncedWire = () => (audiosocket.accept_unannounced ? this.media.doors.formatOf('audiosocket') : null)
    const mediaCalls = new MediaCalls(this.store, this.admission, unannouncedWire)
    const accept: AcceptLeg = (uuid, leg) => mediaCalls.accept(uuid, leg)
    this.media = createDoors({ configuration, allow, clock, log, random, pacer: this.pacer, accept })
    this.http = deps.http ?? this.listen()
    this.playback = createPlaybackFiles(configuration, { clock, log, random, httpPort: this.http.port })

    const ariOptions = {
      host: asterisk.host,
      port: asterisk.port,
      username: asterisk.username,
      password: asterisk.password,
      requestTimeoutMs: asterisk.request_timeout_ms,
    }
    const ari = new AriClient(ariOptions)
    const stasis = new StasisApp({
      ari,
      store: this.store,
      admission: this.admission,
      clock,
      log,
      random,
      application: asterisk.app_name,
      doors: this.media.doors,
      files: this.playback.files,
      repliesByFile: configuration.downstream_mode === 'file',
    })
    this.orphans = new OrphanSweep({ ari, clock, log, store: this.store, application: asterisk.app_name })
    this.ariEvents = new AriEvents(
      {
        ...ariOptions,
        application: asterisk.app_name,
        pingIntervalMs: asterisk.ping_interval_ms,
        pingTimeoutMs: asterisk.ping_timeout_ms,
        reconnectMaxMs: asterisk.reconnect_max_ms,
      },
      {
        event: (event) => stasis.event(event),
        connected: () => {
          void stasis.reconcile()
          void this.orphans.sweep()
          void this.meetAsterisk(ari)
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
      ...(this.playback.http === null ? {} : { mediaFiles: this.playback.http }),
    })
    this.http.attach(api.fetch)
  }

  static async start(deps: EngineDeps): Promise<Engine> {
    const engine = new Engine(deps, await allowedPeers(deps.configuration, deps.log))
    engine.detection.start()
    engine.sweeping = engine.clock.every(sweepEveryMs, () => {
      if (engine.ariEvents.connected) void engine.orphans.sweep()
    })
    if (engine.asksTurnEnd) engine.turnEnd.start()
    if (engine.judgesOverlaps) engine.overlaps.start()
    engine.provider().start()
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
  private async meetAsterisk(ari: AriClient): Promise<void> {
    const version = await ari.asteriskVersion()
    if (!version.ok) return
    this.asteriskVersion = version.value
    const { doors } = this.media
    const modules = doors.asksForModules ? await ari.modules() : null
    doors.found(version.value, modules?.ok === true ? modules.value : null)
  }

  get httpUrl(): string {
    return this.http.url
  }

  get audioSocketAddress(): string {
    return `${this.configuration.audiosocket.host}:${this.media.audioSocket.port}`
  }

  status(): EngineStatus {
    const { configuration } = this
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
      providers: this.readiness(),
      speechDetection: this.detection.readiness,
      filesProblem: configuration.downstream_mode === 'file' ? this.filesProblem : '',
      turnEnd: this.asksTurnEnd ? this.turnEnd.readiness() : null,
      conversation: {
        states: this.turnStates(),
        gatesClosed: this.gatesClosed(),
        gateReasons: this.gateReasons(),
      },
    }
  }

  /** Idempotent: no new calls; running ones may finish within `limitMs`, then they are ended; then everything closes. */
  stop(limitMs: number): Promise<void> {
    this.closing ??= this.drainAndClose(limitMs)
    return this.closing
  }

  /** Ends the wait of a `stop` that is under way. */
  hurry(): void {
    for (const call of this.store.live) void call.end('shutdown')
  }

  private async drainAndClose(limitMs: number): Promise<void> {
    this.admission.draining = true
    if (this.store.size > 0) this.log.info('waiting for running calls', { calls: this.store.size, limit_ms: limitMs })
    const limit = new AbortController()
    await Promise.race([this.store.whenEmpty(), this.clock.sleep(limitMs, limit.signal)])
    limit.abort()
    await Promise.all(this.store.live.map((call) => call.end('shutdown')))
    this.sweeping?.[Symbol.dispose]()
    this.ariEvents.stop()
    this.media.doors.close()
    await Promise.all([
      this.detection.close(),
      this.turnEnd.close(),
      this.overlaps.close(),
      ...Object.values(this.providers).map((provider) => provider.close()),
      this.records.flushed(),
      this.http.close(),
    ])
  }

  /** A provider that finds the turns itself, or takes none, has no pauses to judge. */
  private get asksTurnEnd(): boolean {
    return this.configuration.turn_taking.stop === 'model' && this.provider().turnDetection === 'engine'
  }

  private get judgesOverlaps(): boolean {
    const { turn_taking: turns, barge_in: bargeIn } = this.configuration
    const { turnDetection } = this.provider()
    const overlaps = turnDetection === 'engine' || (turnDetection === 'provider' && bargeIn.confirm)
    return bargeIn.enabled && turns.start !== 'vad' && overlaps
  }

  private provider(): Provider<'agent'> {
    const name = answeringName(this.configuration)
    const provider = this.providers[name]
    // The configuration's own checks refuse this with line and advice; here it would be a bug.
    if (provider === undefined) throw new Error(`bug: provider ${name} is not among the enabled ones`)
    return provider
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

  private readiness(): Record<string, Readiness> {
    const chosen = answeringName(this.configuration)
    return Object.fromEntries(
      Object.entries(this.providers).map(([name, provider]) => {
        const state = provider.readiness()
        const idle = !state.ready && name !== chosen
        return [name, idle ? { ready: false, reason: `not loaded: ${chosen} answers calls` } : state]
      }),
    )
  }

  private turnStates(): Record<string, number> {
    const counts: Record<string, number> = Object.fromEntries(turnStates.map((state) => [state, 0]))
    for (const call of this.store.live) counts[call.turnState] = (counts[call.turnState] ?? 0) + 1
    return counts
  }

  private gatesClosed(): number {
    return this.store.live.filter((call) => call.gateClosed).length
  }

  private gateReasons(): Record<string, number> {
    const counts: Record<string, number> = Object.fromEntries(gateReasons.map((reason) => [reason, 0]))
    for (const call of this.store.live) {
      for (const reason of call.hearing.gateReasons) counts[reason] = (counts[reason] ?? 0) + 1
    }
    return counts
  }

  private metricSources() {
    return {
      activeCalls: () => this.store.size,
      providerSessions: () => this.store.providerSessions,
      turnStates: () => this.turnStates(),
      gatesClosed: () => this.gatesClosed(),
      listening: () => this.store.live.filter((call) => call.hearing.listens).length,
      ariConnected: () => this.ariEvents.connected,
      ariEvents: () => this.ariEvents.counters,
      refused: () => this.admission.refused,
      unknownEvents: () => this.store.unknown,
      audioSocket: () => ({ connections: this.media.audioSocket.connections, ...this.media.audioSocket.counters }),
      orphans: () => this.orphans.removed,
      transport: () => this.media.doors.transport,
      rtp: () => ({ openPorts: this.media.rtp.openPorts, ...this.media.rtp.counters }),
      mediaWebSocket: () => ({ connections: this.media.webSocket.connections, ...this.media.webSocket.counters }),
      warmUpExtraMs: () => ({ [answeringName(this.configuration)]: this.warmUp.extraMs }),
      playbackFiles: () => ({ ...(this.playback.http?.held ?? noFiles), dropped: this.playback.http?.dropped ?? 0 }),
      pacer: () => this.pacer.counters,
      detector: () => this.detection.stats,
      providersReady: () =>
        Object.fromEntries(Object.entries(this.readiness()).map(([name, state]) => [name, state.ready])),
      queued: () =>
        Object.fromEntries(Object.entries(this.providers).map(([name, provider]) => [name, provider.queued?.() ?? 0])),
      providerEvents: () =>
        Object.fromEntries(
          Object.entries(this.providers).flatMap(([name, provider]) =>
            Object.entries(provider.events?.() ?? {}).map(([event, count]) => [`${name}_${event}`, count]),
          ),
        ),
      timers: () => (this.clock instanceof SystemClock ? this.clock.timers : 0),
      records: () => this.records,
    }
  }
}

/** `records.file`, or the user's state folder. */
function recordsPath(configured: string, env: Environment): string {
  if (configured !== '') return configured
  return join(env.XDG_STATE_HOME ?? join(env.HOME ?? homedir(), '.local', 'state'), 'patchcord', 'calls.jsonl')
}
