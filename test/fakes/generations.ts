import type { Provider, Readiness } from '#agent/provider.ts'
import { AllowList } from '#asterisk/allow-list.ts'
import type { Log, LogFields, LogLevel } from '#base/log.ts'
import { failed, ok } from '#base/result.ts'
import { Admission } from '#call/admission.ts'
import { noWish, noWishes, type Wish } from '#call/choice.ts'
import { Pacer } from '#call/pacer.ts'
import { ProviderUse } from '#call/provider-use.ts'
import { SessionStore } from '#call/session-store.ts'
import { loadConfiguration } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import { readSecret } from '#config/secrets.ts'
import { planProviders } from '#providers/index.ts'
import { vendorSchemas } from '#providers/schemas.ts'
import { secretsNamed } from '#providers/secret-names.ts'
import { SpeechDetection } from '#speech/detection.ts'
import type { OverlapJudge } from '#speech/overlap-judge.ts'
import type { TurnEnd } from '#speech/turn-end.ts'
import { CallRecordFile } from '#telemetry/call-record.ts'
import { Metrics } from '#telemetry/metrics.ts'
import { Generation, type GenerationDeps, type LoadedConfiguration } from '../../src/app/generation.ts'
import { PartPool } from '../../src/app/part-pool.ts'
import { Reloader } from '../../src/app/reloader.ts'
import { type FakeAgent, fakeAgent } from './agent.ts'
import { FakePbx } from './call-world.ts'
import { calm } from './calls.ts'
import { ManualClock } from './manual-clock.ts'
import { metricSources } from './metric-sources.ts'

/** A provider that writes down its life, in the place of the real one that its plan would make. */
export interface PlannedAgent extends FakeAgent {
  starts: number
  closed: number
}

export interface SaidLine {
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

/** Generations and their reloads without sockets and workers: configurations are real, providers are planned for real. */
export class FakeGenerations {
  /** What a reload reads. */
  text: string
  env: Readonly<Record<string, string>> = {}
  readonly clock = new ManualClock()
  readonly lines: SaidLine[] = []
  /** Every provider that was made, oldest first. */
  readonly agents: PlannedAgent[] = []
  /** Of providers that are made from now on, and of models that calls can do without. */
  ready: Readiness = { ready: true }
  modelsReady: Readiness = { ready: true }
  /** The provider, or the speech detection, that throws when it is made; the provider that throws when it begins. */
  readonly faults: { makes: string; begins: string } = { makes: '', begins: '' }
  readonly modelStarts: string[] = []
  /** Speech detections by the calls that they have room for. */
  readonly detections: number[] = []
  readonly store = new SessionStore()
  readonly use = new ProviderUse(this.clock)
  readonly providerPool = new PartPool<Provider<'agent'>>(() => this.log())
  readonly detectionPool = new PartPool<SpeechDetection>(() => this.log())
  current: Generation
  readonly reloader: Reloader
  readonly admission: Admission
  private readonly deps: GenerationDeps
  private calls = 0

  constructor(text: string) {
    this.text = text
    const { clock, store, use, providerPool, detectionPool } = this
    const log = this.log()
    const model = (name: string) => ({
      start: () => void this.modelStarts.push(name),
      readiness: () => this.modelsReady,
      judge: () => Promise.resolve(null),
    })
    this.deps = {
      clock,
      log,
      store,
      use,
      pacer: new Pacer(clock, () => {}),
      turnEnd: model('end of turn') as unknown as TurnEnd,
      overlaps: model('overlaps') as unknown as OverlapJudge,
      overlapModel: { open: () => null },
      metrics: new Metrics('0', clock, metricSources()),
      records: new CallRecordFile('/dev/null', log),
      providerPool,
      detectionPool,
      plan: (loaded) => this.plan(loaded),
      createDetection: (capacity) => {
        if (this.faults.makes === 'detection') throw new Error('detection is broken')
        this.detections.push(capacity)
        return new SpeechDetection({ clock, log, capacity, createWorker: () => this.worker() })
      },
    }
    this.current = this.generation(this.load(), null)
    this.current.start()
    this.reloader = new Reloader({
      read: async () => {
        const loaded = this.read()
        await Promise.resolve()
        return loaded.ok ? ok({ loaded: loaded.value, warnings: [] }) : failed(loaded.error.map(formatProblem))
      },
      current: () => this.current,
      build: (loaded) => Promise.resolve(this.generation(loaded, this.current)),
      swap: (next) => {
        this.current = next
      },
      clock,
      log,
    })
    this.admission = new Admission(() => this.current, calm)
  }

  /** A call that begins now, or why there is none. @param asked for it by arguments of the dialplan */
  call(asked: Partial<Wish> = {}) {
    this.calls += 1
    return this.admission.admit({
      id: `call-${this.calls}`,
      caller: { number: '', name: '', dialled: '' },
      origin: 'ari',
      transport: 'audiosocket',
      wire: 'slin',
      pbx: new FakePbx(),
      wishes: { ...noWishes, argument: { ...noWish, ...asked } },
    })
  }

  /** The provider that was made last. */
  get newest(): PlannedAgent {
    const agent = this.agents.at(-1)
    if (agent === undefined) throw new Error('no provider was made')
    return agent
  }

  private load(): LoadedConfiguration {
    const loaded = this.read()
    if (!loaded.ok) throw new Error(loaded.error.map(formatProblem).join('\n'))
    return loaded.value
  }

  private read() {
    const { text, env } = this
    const loaded = loadConfiguration({ file: 'a.yaml', text, env, vendors: vendorSchemas })
    if (!loaded.ok) return loaded
    const secrets = secretsNamed(loaded.value.configuration, (name) => readSecret(name, env))
    return ok({ ...loaded.value, env, secrets })
  }

  private generation(loaded: LoadedConfiguration, before: Generation | null): Generation {
    const none = AllowList.parse([])
    if (!none.ok) throw new Error(none.error)
    const allow = { audiosocket: none.value, externalMedia: none.value, mediaWebSocket: none.value, asterisk: [] }
    return new Generation(loaded, allow, this.deps, before)
  }

  private plan(loaded: LoadedConfiguration) {
    const { clock } = this
    const plans = planProviders({ ...loaded, log: this.deps.log, clock, random: { next: () => 0.5, uuid: () => 'u' } })
    return Object.fromEntries(
      Object.entries(plans).map(([name, { fingerprint }]) => [name, { fingerprint, make: () => this.agent(name) }]),
    )
  }

  private agent(name: string): PlannedAgent {
    if (this.faults.makes === name) throw new Error(`${name} is broken`)
    const agent: PlannedAgent = Object.assign(fakeAgent(), { name, starts: 0, closed: 0 })
    agent.ready = this.ready
    agent.start = () => {
      if (this.faults.begins === name) throw new Error(`${name} is broken`)
      agent.starts += 1
    }
    agent.close = () => {
      agent.closed += 1
      return Promise.resolve()
    }
    this.agents.push(agent)
    return agent
  }

  /** It has loaded as soon as somebody listens to it. */
  private worker() {
    return {
      onerror: null,
      addEventListener: () => {},
      postMessage: () => {},
      set onmessage(listener: ((event: MessageEvent) => void) | null) {
        listener?.({ data: 'ready' } as MessageEvent)
      },
    }
  }

  log(): Log {
    const say =
      (level: LogLevel) =>
      (message: string, fields: LogFields = {}) =>
        void this.lines.push({ level, message, fields })
    const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error'), with: () => log }
    return log
  }
}
