// Callers by the hundred who hang up whenever they like, some at once, and what must be as before when they are gone.
// With cuts, the connection to Asterisk breaks meanwhile; then a caller through each door stays through all of it.

import { seededRandom } from '#base/random.ts'
import { AriProxy } from './ari-proxy.ts'
import { type Asterisk, startAsterisk } from './asterisk.ts'
import { type ChurnCaller, LocalCaller, LoopbackCaller } from './churn-callers.ts'
import { doorExtensions, doors, type PlannedCall, planCalls } from './churn-plan.ts'
import { engineCallFrom } from './conversation.ts'
import { BedEngine, type EngineMemory } from './engine.ts'
import { differences, type Holdings, holdings, type Tolerance } from './leftovers.ts'
import type { PlacedCall } from './placed-call.ts'
import { freeTcpPort } from './ports.ts'
import { digitStrings } from './speech.ts'

export interface ChurnOptions {
  readonly provider: 'loopback' | 'local'
  readonly atOnce: number
  readonly seed: number
  /** One after the other in the same engine; each is compared with what was before all of them. */
  readonly phases: readonly ChurnPhase[]
  /** Calls before the first look, which make what is made once; default twice `atOnce`, and 12 at least. */
  readonly warmUpCalls?: number
  /** Wait until no connection is kept for further requests; else as many may be as there may be requests at once. */
  readonly patient?: boolean
  /** False: memory is shown and not judged, where the calls before the first look are too few for the models' own. */
  readonly judgesMemory?: boolean
  readonly onProgress?: (line: string) => void
}

export interface ChurnPhase {
  readonly calls: number
  /** How often the connection to Asterisk breaks meanwhile. */
  readonly cuts: number
}

export interface ChurnReport {
  readonly before: Holdings
  readonly after: Holdings
  readonly memory: { readonly before: EngineMemory; readonly after: EngineMemory }
  /** From the end of the last call until all was as before. */
  readonly settledMs: number
  readonly served: number
  /** Callers whom the dialplan turned away while the connection was broken. */
  readonly turnedAway: number
  /** Ended calls of the engine by hangup cause. */
  readonly causes: Readonly<Record<string, number>>
  /** From the order until the hang-up of those who hung up right after the INVITE. */
  readonly afterInviteMs: readonly number[]
  readonly orphansRemoved: number
  /** What is not as it should be. Empty: all is well. */
  readonly findings: readonly string[]
}

export const memoryGrowthMaxBytes = 10 * 1024 * 1024
/** A broken connection is tried again within a second, and so the outage is noticed at both ends. */
const awayMs = { from: 100, to: 1200 } as const
/** What a cut has left is found by the sweep at the next connection, else by the next one of each minute. */
const settleMaxMs = { plain: 30_000, cut: 90_000 } as const
/** A connection to Asterisk has a timer for its first five seconds; a goodbye on a socket takes up to two. */
const rest = { sinceStartMs: 6000, unchangedMs: 2500, maxMs: 120_000 } as const
/** The start of the local language model is watched for a minute, by a timer. */
const modelStartMs = 62_000
const silence = { waitMs: 60_000 }
const attemptsMax = 5
/** Of the engine, to Asterisk. */
const requestsAtOnce = 6
const objectsPerCall = ['Call', 'AriCall', 'MediaChannel', 'MediaPath', 'Playout', 'Coordinator']
const legs = ['AudioSocketLeg', 'RtpLeg', 'MediaWebSocketLeg']

/** A report for each phase. */
export async function churn(options: ChurnOptions): Promise<readonly ChurnReport[]> {
  const bed = await ChurnBed.start(options)
  try {
    return await bed.run()
  } finally {
    await bed.stop()
  }
}

export class ChurnBed {
  readonly asterisk: Asterisk
  readonly engine: BedEngine
  private readonly options: ChurnOptions
  private readonly proxy: AriProxy
  private readonly caller: ChurnCaller
  private readonly speech: string
  private readonly random
  private number = 5_550_000
  private visited = 0
  private afterInviteMs: number[] = []
  private turnedAway = 0

  private constructor(
    options: ChurnOptions,
    parts: { asterisk: Asterisk; engine: BedEngine; proxy: AriProxy; speech: string },
  ) {
    this.options = options
    this.asterisk = parts.asterisk
    this.engine = parts.engine
    this.proxy = parts.proxy
    this.speech = parts.speech
    this.random = seededRandom(options.seed)
    this.caller =
      options.provider === 'local'
        ? new LocalCaller(parts.asterisk, parts.engine, parts.speech)
        : new LoopbackCaller(parts.asterisk, parts.speech)
  }

  static async start(options: ChurnOptions): Promise<ChurnBed> {
    const audioSocketPort = await freeTcpPort()
    const asterisk = await startAsterisk({ configuration: { 'extensions.conf': doorExtensions } })
    const proxy = await AriProxy.open(asterisk.ari)
    try {
      const engine = await BedEngine.start({
        asterisk: proxy.address,
        audioSocketPort,
        provider: options.provider,
        collector: true,
        // A machine that is busy otherwise must not turn callers away: this is about what they leave.
        yaml: `limits:\n  calls: ${options.atOnce * 4}\n  loop_lag_ms: 1000\n  pacing_lateness_ms: 1000\nvad:\n  end_silence_ms: 500\nllm:\n  initial_greeting: Hello, how can I help?\n`,
      })
      const [utterance] = await digitStrings(1, 3)
      return new ChurnBed(options, { asterisk, engine, proxy, speech: utterance?.path ?? '' })
    } catch (error) {
      proxy.close()
      await asterisk.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    await this.engine.stop()
    this.proxy.close()
    await this.asterisk.stop()
  }

  async run(): Promise<readonly ChurnReport[]> {
    const { options, engine } = this
    const startedMs = performance.now()
    await this.visits({ calls: options.warmUpCalls ?? Math.max(12, options.atOnce * 2), cuts: 0 })
    await engine.untilIdle(10_000)
    await this.asterisk.untilQuiet(10_000)
    await this.rested(startedMs)
    const memory = await engine.collect()
    const before = await this.look()
    const reports: ChurnReport[] = []
    for (const phase of options.phases) reports.push(await this.phase(phase, before, memory))
    const last = reports.pop()
    if (last === undefined) throw new Error('a churn needs a phase')
    return [...reports, { ...last, findings: [...last.findings, ...(await this.heldObjects())] }]
  }

  private async phase(phase: ChurnPhase, before: Holdings, memoryBefore: EngineMemory): Promise<ChurnReport> {
    const { engine } = this
    const [linesBefore, recordsBefore] = [engine.log.length, engine.records().length]
    const orphansBefore = await this.orphans()
    this.afterInviteMs = []
    this.turnedAway = 0

    const stayers = phase.cuts === 0 ? [] : await this.stayers()
    const cutting = this.cutting(phase)
    await this.visits(phase)
    await cutting
    for (const stayer of stayers) await stayer.call.hangup()
    await Promise.all(stayers.map(({ call }) => call.ended))

    const { after, settledMs, left } = await this.settle(before, phase)
    const orphansRemoved = (await this.orphans()) - orphansBefore
    const memoryAfter = await engine.collect()
    const grown = memoryAfter.residentBytes - memoryBefore.residentBytes
    const isTooMuch = this.options.judgesMemory !== false && grown > memoryGrowthMaxBytes
    const findings = isTooMuch ? [`resident memory grew by ${(grown / 2 ** 20).toFixed(1)} MiB`] : []

    const records = engine.records().slice(recordsBefore)
    const causes: Record<string, number> = {}
    for (const { cause } of records) causes[String(cause)] = (causes[String(cause)] ?? 0) + 1
    return {
      before,
      after,
      memory: { before: memoryBefore, after: memoryAfter },
      settledMs,
      served: records.length,
      turnedAway: this.turnedAway,
      causes,
      afterInviteMs: this.afterInviteMs,
      orphansRemoved,
      findings: [...left, ...findings, ...this.flaws(phase, { linesBefore, records, stayers, orphansRemoved })],
    }
  }

  /** So many calls, `atOnce` of them at a time. Resolves when the last one's channel is gone. */
  private async visits(phase: ChurnPhase): Promise<void> {
    const plan = planCalls(this.random, phase.calls)
    this.visited = 0
    const next = async (): Promise<void> => {
      for (let call = plan.shift(); call !== undefined; call = plan.shift()) {
        await this.visit(call, phase.cuts > 0)
        this.visited += 1
        if (this.visited % 50 === 0) this.options.onProgress?.(`${this.visited} of ${phase.calls} callers have hung up`)
      }
    }
    await Promise.all(Array.from({ length: this.options.atOnce }, next))
  }

  /** While the connection is broken the dialplan turns callers away; such a one calls again. */
  private async visit(planned: PlannedCall, mayBeTurnedAway: boolean): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const number = this.nextNumber()
      const orderedMs = performance.now()
      const call = await this.caller.call(planned, number)
      await this.caller.live(call, planned, { number, orderedMs })
      if (planned.moment === 'invite') this.afterInviteMs.push(performance.now() - orderedMs)
      await call.hangup()
      await call.ended
      if (!mayBeTurnedAway || attempt === attemptsMax || this.wasAdmitted(number)) return
      this.turnedAway += 1
      await Bun.sleep(500)
    }
  }

  private wasAdmitted(number: string): boolean {
    return this.engine.log.some((line) => line.step === 'admitted' && String(line.detail).includes(`from ${number}`))
  }

  private nextNumber(): string {
    this.number += 1
    return String(this.number)
  }

  /** Breaks the connection at even distances, and waits each time until it stands again. */
  private async cutting({ calls, cuts }: ChurnPhase): Promise<void> {
    const { onProgress } = this.options
    let fromCall = 0
    for (let cut = 0; cut < cuts; cut += 1) {
      const due = Math.max(fromCall, ((cut + 0.5) * calls) / cuts)
      while (this.visited < Math.min(due, calls)) await Bun.sleep(10)
      const away = awayMs.from + this.random.next() * (awayMs.to - awayMs.from)
      onProgress?.(`cut ${cut + 1} for ${Math.round(away)} ms`)
      await this.proxy.cut(away)
      await this.engine.until('connected again', 20_000, async () => (await this.engine.health()).ari_connected)
      // Some calls get through between two cuts, also where an outage has turned many away.
      fromCall = this.visited + calls / cuts / 2
    }
  }

  /** A caller through each door who talks from before the first cut until after the last. */
  private async stayers(): Promise<Stayer[]> {
    const steps = Array.from({ length: 30 }, () => [{ play: this.speech }, { waitMs: 500 }]).flat()
    const started = await Promise.all(
      Object.entries(doors).map(async ([door, extension]): Promise<Stayer> => {
        const number = this.nextNumber()
        const call = await this.asterisk.call({ extension, callerId: number, steps: [...steps, silence] })
        return { call, number, door }
      }),
    )
    for (const { number } of started) {
      const id = await engineCallFrom(this.engine, number)
      await this.engine.until(`the caller who stays is heard`, 20_000, () =>
        this.engine.steps(id).includes('first_caller_audio'),
      )
    }
    return started
  }

  private get tolerance(): Tolerance {
    const { patient, provider, atOnce } = this.options
    const isLocal = provider === 'local'
    return {
      toAsterisk: patient === true ? 0 : requestsAtOnce,
      toModel: isLocal ? atOnce : 0,
      fewerTimers: isLocal && patient !== true,
    }
  }

  private async look(): Promise<Holdings> {
    return await holdings(this.engine, this.asterisk, this.proxy.address.port)
  }

  private async orphans(): Promise<number> {
    const kinds = ['caller', 'media', 'bridge'] as const
    const counts = await Promise.all(
      kinds.map((kind) => this.engine.metric(`ai_agent_orphans_removed_total{orphan="${kind}"}`)),
    )
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** Resolves when nothing has changed for a while. */
  private async rested(startedMs: number): Promise<void> {
    let [last, sinceMs] = [await this.look(), performance.now()]
    const deadline = sinceMs + rest.maxMs
    const { provider, patient } = this.options
    const sinceStartMs = provider === 'local' && patient === true ? modelStartMs : rest.sinceStartMs
    for (;;) {
      await Bun.sleep(100)
      const [now, nowMs] = [await this.look(), performance.now()]
      if (differences(last, now, this.tolerance).length > 0) [last, sinceMs] = [now, nowMs]
      if (nowMs - sinceMs > rest.unchangedMs && nowMs - startedMs > sinceStartMs) return
      if (nowMs > deadline) throw new Error('the engine does not come to rest before the calls have begun')
    }
  }

  private async settle(
    before: Holdings,
    { cuts }: ChurnPhase,
  ): Promise<{ after: Holdings; settledMs: number; left: string[] }> {
    const sinceMs = performance.now()
    const limitMs = cuts > 0 ? settleMaxMs.cut : settleMaxMs.plain
    for (;;) {
      const after = await this.look()
      const settledMs = performance.now() - sinceMs
      const left = differences(before, after, this.tolerance)
      if (left.length === 0 || settledMs > limitMs) return { after, settledMs, left }
      await Bun.sleep(200)
    }
  }

  /** Objects that belong to one call. A collector that reads the stack may take a number for a reference: one is chance. */
  private async heldObjects(): Promise<string[]> {
    const counts = await this.engine.countObjects()
    return [...objectsPerCall, ...legs].flatMap((name) => {
      const held = counts[name] ?? 0
      return held > 1 ? [`${held} objects ${name} are held in memory`] : []
    })
  }

  private flaws({ cuts }: ChurnPhase, { linesBefore, records, stayers, orphansRemoved }: PhaseFacts): string[] {
    const lines = this.engine.log.slice(linesBefore)
    const isCut = cuts > 0
    const admitted = lines.filter((line) => line.step === 'admitted').length
    const causes = isCut ? ['caller', 'setup_failed'] : ['caller']
    // Without Asterisk at the other end some requests cannot succeed; the sweep does what they should have.
    const expected = isCut ? ['could not remove what belonged to a call', 'cannot tell which calls have ended'] : []
    const found = [
      ...lines
        .filter((line) => line.level === 'error' && !expected.includes(line.message))
        .map((line) => `error in the log: ${line.message} ${String(line.why ?? '')} ${line.call ?? ''}`),
      ...records
        .filter((record) => !causes.includes(String(record.cause)))
        .map((record) => `ended by ${String(record.cause)}: ${JSON.stringify(record)}`),
      ...stayers.flatMap((stayer) => stayerFlaws(stayer, records)),
    ]
    if (admitted !== records.length) found.push(`${admitted} calls were admitted, ${records.length} left a record`)
    if (!isCut && orphansRemoved > 0) found.push(`${orphansRemoved} things were left to the sweep`)
    return found
  }
}

interface PhaseFacts {
  readonly linesBefore: number
  readonly records: readonly Record<string, unknown>[]
  readonly stayers: readonly Stayer[]
  readonly orphansRemoved: number
}

interface Stayer {
  readonly call: PlacedCall
  readonly number: string
  readonly door: string
}

/** One whose audio went on: both ways, without a new media path. */
function stayerFlaws({ number, door }: Stayer, records: readonly Record<string, unknown>[]): string[] {
  const record = records.find((each) => each.caller_number === number)
  if (record === undefined) return [`the ${door} caller who stayed left no record`]
  const { restarts = 0, frames_in: framesIn = 0, frames_out: framesOut = 0 } = record.audio as Record<string, number>
  const frames = Number(record.duration_ms) / 20
  const found: string[] = []
  if (record.cause !== 'caller') found.push(`the ${door} caller who stayed was ended by ${String(record.cause)}`)
  if (restarts > 0) found.push(`the media path of the ${door} caller who stayed was made anew ${restarts} times`)
  // Set-up and the runtime's pauses cost some frames, an outage would cost tens of them.
  for (const [way, count] of [
    ['in', framesIn],
    ['out', framesOut],
  ] as const) {
    if (count < frames * 0.9) found.push(`${door}: ${count} frames ${way} in a call of ${Math.round(frames)}`)
  }
  return found
}
