import type { AgentEvent, CallContext } from '#agent/provider.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { Call } from '#call/call.ts'
import type { OverlapScore } from '#call/overlap-model.ts'
import type { DetectionListener } from '#speech/detector.ts'
import { FakeAgentSession } from './agent.ts'
import { FakeLeg } from './leg.ts'
import type { ManualClock } from './manual-clock.ts'
import type { MemoryAsterisk } from './memory-asterisk.ts'
import type { FakeOverlapModel } from './turn-models.ts'

/** The agent's session of a call of the stage: knows when it was told what. */
export class StageSession extends FakeAgentSession {
  readonly told: { readonly type: string; readonly atMs: Milliseconds; readonly text: string }[] = []
  readonly context: CallContext

  constructor(context: CallContext) {
    super()
    this.context = context
  }

  override send(input: Parameters<FakeAgentSession['send']>[0]) {
    const text = input.type === 'say' ? input.text : ''
    if (input.type !== 'audio') this.told.push({ type: input.type, atMs: this.context.clock.now(), text })
    return super.send(input)
  }
}

export interface KeyCallParts {
  readonly world: {
    readonly clock: ManualClock
    readonly overlaps: FakeOverlapModel
    turn(rounds?: number): Promise<void>
  }
  readonly call: Call
  readonly asterisk: MemoryAsterisk
  readonly sessions: readonly StageSession[]
  readonly listeners: readonly DetectionListener[]
}

const frameMs = 20
const frameSamples = 160

/** A call of a probe: its caller, its line, and what lies at both ends of it. */
export class KeyCall {
  readonly call: Call
  readonly leg = new FakeLeg(8000)
  private readonly parts: KeyCallParts
  private windows = 0
  private readonly known: number[] = []

  constructor(parts: KeyCallParts) {
    this.parts = parts
    this.call = parts.call
  }

  get nowMs(): Milliseconds {
    return this.parts.world.clock.now()
  }

  /** Of a call of the stage. */
  get session(): StageSession {
    const session = this.parts.sessions[0]
    if (session === undefined) throw new Error('the agent of this call is no probe')
    return session
  }

  /** What the judge of overlaps makes of the sound that began last. */
  soundsLike(score: OverlapScore): void {
    this.parts.world.overlaps.score = score
  }

  /** The connection for its audio is there. */
  connect(): void {
    this.call.attachLeg(this.leg)
  }

  /**
   * Time passes, with the caller's line as it is said.
   * @param voice how sure the detector is that it hears one, 0 to 1
   */
  async pass(durationMs: Milliseconds, voice = 0, line: (frame: number) => Int16Array = hum(voice)): Promise<void> {
    for (let passed = 0; passed < durationMs; passed += frameMs) {
      this.parts.world.clock.advance(frameMs)
      this.windows += 1
      this.leg.audio(line(this.windows))
      for (const judge of this.parts.listeners) judge(voice, this.windows * frameSamples)
      await this.parts.world.turn(1)
    }
  }

  /** How long it takes until this is so; null: longer than `maxMs`. */
  async until(isSo: () => boolean, maxMs: Milliseconds, voice = 0): Promise<Milliseconds | null> {
    const fromMs = this.nowMs
    while (!isSo()) {
      if (this.nowMs - fromMs >= maxMs) return null
      await this.pass(frameMs, voice)
    }
    return this.nowMs - fromMs
  }

  /** From now on to when the agent is told this; null: it is not, within `maxMs`. */
  async toldAfter(type: string, maxMs: Milliseconds, voice = 0): Promise<Milliseconds | null> {
    const before = this.count(type)
    return await this.until(() => this.count(type) > before, maxMs, voice)
  }

  /** When it was told this last, on the clock. */
  toldAtMs(type: string): Milliseconds {
    return this.session.told.findLast((each) => each.type === type)?.atMs ?? 0
  }

  count(type: string): number {
    return this.session.told.filter((each) => each.type === type).length
  }

  /** What the agent was last asked to say. */
  get said(): string {
    return this.session.told.findLast(({ type }) => type === 'say')?.text ?? ''
  }

  emit(event: AgentEvent): void {
    this.session.emit(event)
  }

  /** The agent says so much at once, and is done. */
  reply(durationMs: Milliseconds, value = 1000): void {
    this.session.reply(durationMs, value)
    this.emit({ type: 'reply_done' })
  }

  /** The greeting has been heard, and the caller's turn has come. */
  async greeted(): Promise<this> {
    await this.until(() => this.count('say') > 0, 200)
    if (this.count('say') > 0) this.reply(100)
    await this.pass(700)
    return this
  }

  /** The agent speaks, and goes on: the reply to a turn, of which so much has been heard. */
  async replying(heardMs: Milliseconds = 0, durationMs: Milliseconds = 30_000): Promise<this> {
    await this.greeted()
    await this.speak()
    this.session.reply(durationMs)
    await this.until(() => this.levels.at(-1) !== 0, 1000)
    await this.pass(heardMs)
    return this
  }

  /** A turn of the caller's that is over. */
  async speak(durationMs = 400): Promise<void> {
    await this.pass(durationMs, 1)
    await this.toldAfter('turn_committed', 3000)
  }

  /** The loudest sample of each frame that has left. */
  get levels(): readonly number[] {
    const { written } = this.leg
    while (this.known.length < written.length)
      this.known.push(written[this.known.length]?.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0) ?? 0)
    return this.known
  }

  /** How long, from now on, until a frame with sound leaves. */
  async soundsAfter(maxMs: Milliseconds): Promise<Milliseconds | null> {
    const before = this.leg.written.length
    return await this.until(() => this.soundsSince(before), maxMs)
  }

  /** Of the frames from this one on, one has sound. */
  soundsSince(frame: number): boolean {
    return this.levels.slice(frame).some((level) => level > 0)
  }

  /** Where in the dialplan Asterisk was asked to let the caller go on, `hang_up`, or null: nothing has been asked. */
  get place(): Readonly<Record<string, string>> | 'hang_up' | null {
    const { asterisk } = this.parts
    const continued = asterisk.asked(this.call.id, 'continue').at(-1)
    if (continued !== undefined) return continued.query
    return asterisk.requests.some(({ what }) => what === `DELETE /channels/${this.call.id}`) ? 'hang_up' : null
  }

  /** How many files Asterisk was asked to play to the caller. */
  get filesPlayed(): number {
    const { requests } = this.parts.asterisk
    const own = requests
      .filter(({ what }) => what === `POST /channels/${this.call.id}/snoop`)
      .map(({ query }) => query.snoopId)
    return requests.filter(({ what }) => own.some((id) => what === `POST /channels/${id}/play`)).length
  }

  get isOver(): boolean {
    return this.call.ended
  }
}

/** A voice as a tone, or silence. */
function hum(voice: number): (frame: number) => Int16Array {
  return (frame) =>
    Int16Array.from({ length: frameSamples }, (_, index) =>
      voice === 0 ? 0 : 6000 * Math.sin((2 * Math.PI * 200 * (frame * frameSamples + index)) / 8000),
    )
}
