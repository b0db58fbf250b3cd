import type { Provider } from '#agent/provider.ts'
import type { Engine } from '#app'
import type { WireFormat } from '#audio/format.ts'
import type { Log } from '#base/log.ts'
import type { LoadLimits } from '#call/load-meter.ts'
import type { SpeechDetectorSession } from '#call/speech-detector.ts'
import { openRunLog } from '#cli/run-log.ts'
import type { DetectionListener } from '#speech/detector.ts'
import { callFacts } from './call-facts.ts'
import { FakeLeg } from './leg.ts'
import { ManualClock } from './manual-clock.ts'

/** What a call and a connection that came now would find in an engine, as text that can be compared. */
export function viewOf(engine: Engine, logged: readonly string[]): string {
  const { generation } = engine
  const { settings, provider, warmUps } = generation
  return JSON.stringify({
    settings,
    warmUps,
    answering: provider.name,
    providers: Object.entries(engine.providers).map(([name, each]) => [name, numberOf(each)]),
    models: [generation.asksTurnEnd, generation.judgesOverlaps],
    hearing: hearing(engine),
    transcripts: saysWords(engine, logged),
    doors: doors(engine),
    load: (engine as unknown as { load: { limits: () => LoadLimits } }).load.limits(),
    callsMax: engine.status().callsMax,
    log: logLines(engine),
    cost: costOfCall(engine),
    access: engine.apiAccess.rules,
    // Read when the engine is asked to stop.
    drain: engine.configuration.drain,
  })
}

// keyed by: provider
const numbers = new WeakMap<Provider<'agent'>, number>()
let made = 0

/** Which object it is. */
function numberOf(provider: Provider<'agent'>): number {
  made += numbers.has(provider) ? 0 : 1
  numbers.set(provider, numbers.get(provider) ?? made)
  return numbers.get(provider) ?? 0
}

/** When a voice that slowly rises and falls is heard to start and to stop, in the agent's silence and over its speech. */
function hearing(engine: Engine): unknown[] {
  const { detection } = engine
  const real = detection.open
  let judge: DetectionListener = () => {}
  detection.open = (_rate, listener) => {
    judge = listener
    return { push: () => 'sent', close: () => {} }
  }
  const events: unknown[] = []
  let heard = 0
  const session = engine.generation.world.detector.open(8000, (event) => events.push([heard, event]))
  detection.open = real
  for (let window = 0; window < 400; window += 1) {
    session?.agentSpeaks(window >= 200)
    heard = window + 1
    hear(session, judge, heard, Math.min(window % 200, 200 - (window % 200)) / 100)
  }
  session?.close()
  return events
}

function hear(session: SpeechDetectorSession | null, judge: DetectionListener, window: number, probability: number) {
  session?.push(new Int16Array(256))
  judge(probability, window * 256)
}

function saysWords(engine: Engine, logged: readonly string[]): boolean {
  const before = logged.length
  engine.generation.world.observer.transcript('call', 'caller', 'words')
  return logged.length > before
}

/** What the record of a call says that it has cost. */
function costOfCall({ generation, records }: Engine): unknown {
  const { append } = records
  let cost: unknown = null
  records.append = (line) => {
    const { cost: sum = null, currency = null } = JSON.parse(line) as Record<string, unknown>
    cost = { sum, currency }
  }
  generation.world.observer.finished(callFacts({ provider: 'deepgram', sessionMs: 60_000, spokenCharacters: 1000 }))
  records.append = append
  return cost
}

interface DoorView {
  readonly options: Readonly<Record<string, unknown>> & {
    readonly allowList?: { allows(address: string): boolean }
    readonly connection?: { readonly allowList?: { allows(address: string): boolean } }
  }
}

let visits = 0

/** The options of a door as it reads them at a connection. */
function doors(engine: Engine): unknown {
  const { audioSocket, rtp, webSocket, doors: all } = engine.media
  const limits = [audioSocket, rtp, webSocket].map((door) => {
    const { options } = door as unknown as DoorView
    const { uuidTimeoutMs, silentPeerTimeoutMs, connectionsMax, advertiseHost, lockRemote } = options
    const { jitterBufferMaxMs, startTimeoutMs, allowList = options.connection?.allowList } = options
    const read = { uuidTimeoutMs, silentPeerTimeoutMs, connectionsMax, advertiseHost, lockRemote }
    return { ...read, jitterBufferMaxMs, startTimeoutMs, allows: allowList?.allows('10.9.9.9') }
  })
  const { accept } = (audioSocket as unknown as { options: { accept: (uuid: string, leg: FakeLeg) => string } }).options
  const formats = (['audiosocket', 'externalmedia', 'websocket'] as const).map((each): WireFormat => all.formatOf(each))
  // Where it becomes a call, that is what was to be found out.
  visits += 1
  const unannounced = accept(`visit-${visits}`, new FakeLeg(8000))
  for (const call of engine.store.live) void call.end('shutdown')
  return {
    limits,
    transport: all.transport,
    auto: all.auto,
    unannounced,
    formats,
  }
}

function logLines(engine: Engine): string[] {
  const lines: string[] = []
  const io = { stdout: () => {}, stderr: (line: string) => void lines.push(line), env: {}, cwd: '/' }
  const { log } = openRunLog(io, undefined, new ManualClock(), () => engine.configuration.logging)
  for (const level of ['debug', 'info', 'warn', 'error'] satisfies (keyof Log)[]) log[level]('a line')
  return lines
}
