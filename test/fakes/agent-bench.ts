import type { AgentEvent, AgentInput, CallContext, Provider, SessionOf } from '#agent/provider.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Phrases } from '#speech/recorded-phrases.ts'
import { CallerLine } from './caller-line.ts'
import { callContext } from './context.ts'
import { ManualClock, settle } from './manual-clock.ts'

/** An agent's provider and one session of it, with a caller who is silent, hums or keeps still. */
export abstract class VendorAgentBench {
  abstract readonly provider: Provider<'agent'>
  readonly events: AgentEvent[] = []
  session: SessionOf<'agent'> | null = null
  private readonly manual: ManualClock | null
  private readonly context: Partial<CallContext>
  private readonly caller = new CallerLine()

  constructor(clock: Clock, context: Partial<CallContext> = {}) {
    this.manual = clock instanceof ManualClock ? clock : null
    this.context = context
  }

  get clock(): ManualClock {
    if (this.manual === null) throw new Error('this bench has a clock of somebody else')
    return this.manual
  }

  /** The session is there when this resolves, and has agreed where the server lets it. */
  async open(): Promise<this> {
    this.session = await this.provider.open(callContext(this.clock, this.context))
    this.session.onEvent((event) => this.events.push(event))
    await settle(60)
    return this
  }

  send(input: AgentInput): void {
    this.session?.send(input)
  }

  /** Time passes, with the line quiet, or humming as a caller who speaks. */
  async pass(durationMs: Milliseconds, line: 'still' | 'quiet' | 'hum' = 'still'): Promise<void> {
    for (let passed = 0; passed < durationMs; passed += 20) {
      this.clock.advance(Math.min(20, durationMs - passed))
      if (line !== 'still')
        this.send({ type: 'audio', frame: { sampleRateHz: 8000, samples: this.caller.frame(line) } })
      await settle(30)
    }
  }

  of<Type extends AgentEvent['type']>(type: Type): Extract<AgentEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<AgentEvent, { type: Type }> => event.type === type)
  }

  get audioMs(): Milliseconds {
    return this.of('audio').reduce((sum, { frame }) => sum + (frame.samples.length * 1000) / frame.sampleRateHz, 0)
  }
}

/** The caller says something and falls silent until the server has heard that. */
export async function turn(bench: VendorAgentBench, speechMs: Milliseconds = 800): Promise<void> {
  await bench.pass(speechMs, 'hum')
  await bench.pass(700, 'quiet')
}

/** Phrases in the engine's own voice, by their length in milliseconds. */
export function phrasesOf(lengths: Readonly<Record<string, number>> = {}): Phrases {
  return {
    start: () => {},
    get(text, sampleRateHz) {
      const ms = lengths[text]
      return ms === undefined ? null : new Int16Array((ms * sampleRateHz) / 1000).fill(1000)
    },
    close: () => Promise.resolve(),
  }
}
