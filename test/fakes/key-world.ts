import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CallContext, Provider } from '#agent/provider.ts'
import { Engine } from '#app'
import { failed, ok } from '#base/result.ts'
import type { Wish } from '#call/choice.ts'
import type { RouteFacts } from '#call/route.ts'
import { openRunLog } from '#cli/run-log.ts'
import { loadConfiguration } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import type { ReloadAnswer } from '#config/reload.ts'
import { readSecret } from '#config/secrets.ts'
import { vendorSchemas } from '#providers/schemas.ts'
import { secretsNamed } from '#providers/secret-names.ts'
import type { DetectionListener } from '#speech/detector.ts'
import { ariChannel } from './ari.ts'
import { KeyCall, StageSession } from './key-call.ts'
import { ManualClock } from './manual-clock.ts'
import { Outside } from './outside.ts'
import { FakeOverlapModel, FakeTurnEnd } from './turn-models.ts'

export type Tree = { readonly [name: string]: unknown }

/** One tree over the other, group by group; a list or a value takes the place of what was there. */
export function merged(under: Tree, over: Tree): Tree {
  const both = { ...under }
  for (const [name, value] of Object.entries(over)) {
    const before = both[name]
    both[name] = isTree(value) && isTree(before) ? merged(before, value) : value
  }
  return both
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * A running engine whose every part is the real one, but for what lies outside of its thread: vendors, workers and the PBX
 * are in memory, and the clock stands still until a probe moves it. One pipeline, `stage`, is the probe itself: it holds the
 * sessions of its calls in its hand.
 */
export class KeyWorld {
  readonly clock = new ManualClock()
  readonly outside = new Outside(this.clock)
  readonly folder = mkdtempSync(join(tmpdir(), 'patchcord-keys-'))
  /** As standard error has them. */
  readonly lines: string[] = []
  readonly turnEnd = new FakeTurnEnd()
  readonly overlaps = new FakeOverlapModel()
  readonly calls: KeyCall[] = []
  /** The loudest sample that came to the detector in each frame, of all calls. */
  readonly heard: number[] = []
  private started: Engine | null = null
  /** What the file says. */
  tree: Tree = {}
  private text = ''
  private env: Readonly<Record<string, string>> = {}
  private admitted = 0

  get engine(): Engine {
    if (this.started === null) throw new Error('the engine is not started')
    return this.started
  }

  /** What every configuration of the walk has, unless a probe says otherwise. */
  get base(): Tree {
    const { folder } = this
    const part = 'openai_compatible'
    return {
      active_pipeline: 'stage',
      audiosocket: { port: 0 },
      external_media: { ports: 'per_call', port_min: 0, port_max: 0 },
      media_websocket: { direction: 'listen', port: 0 },
      health: { port: 0 },
      records: { file: join(folder, 'calls.jsonl') },
      models: { dir: join(folder, 'models') },
      turn_taking: { start: 'vad', stop: 'silence', check_in_after_ms: 0 },
      barge_in: { initial_protection_ms: 0, post_tts_end_protection_ms: 0, echo_detection: false, cooldown_ms: 0 },
      llm: { initial_greeting: 'Hello.' },
      pipelines: {
        stage: { stt: part, llm: part, tts: part },
        front: { stt: part, llm: part, tts: part },
      },
    }
  }

  async start(): Promise<this> {
    this.outside.install()
    this.text = JSON.stringify(this.base)
    this.env = keys
    const found = this.read()
    if (!found.ok) throw new Error(found.error.join('\n'))
    const io = { stdout: () => {}, stderr: (line: string) => void this.lines.push(line), env: {}, cwd: '/' }
    const { log } = openRunLog(
      io,
      undefined,
      this.clock,
      () => (this.started ?? found.value.loaded).configuration.logging,
    )
    this.started = await Engine.start({
      ...found.value.loaded,
      read: () => Promise.resolve(this.read()),
      log,
      clock: this.clock,
      random: { next: () => 0.99, uuid: () => crypto.randomUUID() },
    })
    await this.turn()
    return this
  }

  async close(): Promise<void> {
    await this.passing(this.engine.stop(0))
    await this.outside.restore()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Saves this as the file and has it taken up. */
  async reload(tree: Tree, env: Readonly<Record<string, string>> = keys): Promise<ReloadAnswer> {
    this.tree = tree
    return await this.reloadText(JSON.stringify(tree, null, 2), env)
  }

  async reloadText(text: string, env: Readonly<Record<string, string>> = keys): Promise<ReloadAnswer> {
    this.text = text
    this.env = env
    return await this.passing(this.engine.reload('api'))
  }

  /**
   * A caller enters the Stasis application: a call that begins now, with its audio path, or why there is none.
   * @param asked for it by arguments of `Stasis()`
   */
  async admit(asked: Partial<Wish> = {}, facts: Partial<RouteFacts> = {}): Promise<KeyCall | string> {
    this.holdStage()
    const { asterisk } = this.outside
    this.admitted += 1
    const id = `caller-${this.admitted}`
    const listeners: DetectionListener[] = []
    this.listening = (listener) => void listeners.push(listener)
    const sessions: StageSession[] = []
    this.opening = (session) => void sessions.push(session)
    const { caller = '', did = '', extension = '100', context = 'default' } = facts
    const channel = ariChannel({
      id,
      caller: { name: '', number: caller },
      channelvars: { ...ariChannel().channelvars, PATCHCORD_DID: did },
      dialplan: { context, exten: extension, priority: 2 },
    })
    asterisk.enters(
      channel,
      Object.entries(asked).map(([name, value]) => `${name}=${value}`),
    )
    await this.turn()
    const refused = asterisk.asked(id, 'variable').find(({ query }) => query.variable === 'PATCHCORD_RESULT')
    const call = this.engine.store.byChannelId(id)
    if (refused !== undefined || call === undefined) return refused?.query.value ?? 'nothing'
    const made = new KeyCall({ world: this, call, asterisk, sessions, listeners })
    this.calls.push(made)
    return made
  }

  /** What becomes of a caller who comes now. */
  async outcome(...asked: Parameters<KeyWorld['admit']>): Promise<string> {
    const admitted = await this.admit(...asked)
    return typeof admitted === 'string' ? admitted : 'admitted'
  }

  /** A call that is up: answered, bridged, with its session open and somebody on the line. */
  async call(...asked: Parameters<KeyWorld['admit']>): Promise<KeyCall> {
    const call = await this.admit(...asked)
    if (typeof call === 'string') throw new Error(`no call: ${call}`)
    call.connect()
    await this.turn()
    return call
  }

  /** Ends what is left of calls and sessions. */
  async hangUp(): Promise<void> {
    for (const { call } of this.calls.splice(0)) await this.passing(call.end('caller'))
    for (const call of this.engine.store.live) await this.passing(call.end('caller'))
    await this.turn()
  }

  /** What each call that is over has left on the disk, newest last. */
  async records(): Promise<Readonly<Record<string, unknown>>[]> {
    await this.engine.records.flushed()
    const lines = readFileSync(this.engine.records.path, 'utf8').trim().split('\n')
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  /** What is due without any time passing runs on. */
  async turn(rounds = 6): Promise<void> {
    for (let round = 0; round < rounds; round += 1) await new Promise<void>((resolve) => setImmediate(resolve))
  }

  /** Time passes in steps, and each has its consequences before the next. */
  async pass(durationMs: number, stepMs = 20): Promise<void> {
    for (let passed = 0; passed < durationMs; passed += stepMs) {
      this.clock.advance(Math.min(stepMs, durationMs - passed))
      await this.turn(2)
    }
  }

  /** Waits for what a socket brings: no time passes. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await this.turn(1)
  }

  /** Time passes until this is so; null: longer than `maxMs`. */
  async after(isSo: () => boolean, maxMs: number): Promise<number | null> {
    const fromMs = this.clock.now()
    while (!isSo()) {
      if (this.clock.now() - fromMs >= maxMs) return null
      await this.pass(100, 100)
    }
    return this.clock.now() - fromMs
  }

  /** Time passes while it is waited for. */
  async passing<Value>(promise: Promise<Value>): Promise<Value> {
    let done = false
    void promise.finally(() => {
      done = true
    })
    await this.turn(3)
    while (!done) {
      this.clock.advance(50)
      await this.turn(2)
    }
    return await promise
  }

  private listening: (listener: DetectionListener) => void = () => {}
  private opening: (session: StageSession) => void = () => {}

  /** What has no ear and no model of its own here: the detector of windows, the judges of pauses and of overlaps. */
  holdStage(): void {
    const { generation } = this.engine
    generation.detection.open = (_rate, listener) => {
      this.listening(listener)
      const push = (samples: Int16Array) => {
        this.heard.push(Math.max(...samples.map(Math.abs)))
        return 'sent' as const
      }
      return { push, close: () => {} }
    }
    Object.assign(generation.world, {
      turnEndModel: this.turnEnd,
      overlapModel: { open: () => (generation.judgesSounds ? this.overlaps : null) },
    })
    const stage = generation.providers.stage as Provider<'agent'> | undefined
    if (stage === undefined) return
    Object.assign(stage, { wordsIn: undefined })
    stage.open = (context: CallContext) => {
      const session = new StageSession(context)
      this.opening(session)
      return Promise.resolve(session)
    }
  }

  private read() {
    const { text, env } = this
    const found = loadConfiguration({ file: 'a.yaml', text, env, vendors: vendorSchemas })
    if (!found.ok) return failed(found.error.map(formatProblem))
    const secrets = secretsNamed(found.value.configuration, (name) => readSecret(name, env))
    return ok({ loaded: { ...found.value, env, secrets }, warnings: found.value.warnings.map(formatProblem) })
  }
}

const keys = { OPENAI_API_KEY: 'sk-one', DEEPGRAM_API_KEY: 'dg-one', OTHER_KEY: 'key-two' }
