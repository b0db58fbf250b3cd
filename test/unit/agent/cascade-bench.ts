import { createCascade } from '#agent/cascade.ts'
import type { AgentEvent, AgentInput, SessionOf } from '#agent/provider.ts'
import { type FakePart, fakePart } from '../../fakes/cascade-parts.ts'
import { callContext } from '../../fakes/context.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

/** A cascade of three fakes, opened; what it says is written down in short words. */
export class CascadeBench {
  readonly clock = new ManualClock()
  readonly stt: FakePart<'stt'> = fakePart('stt')
  readonly llm: FakePart<'llm'> = fakePart('llm')
  readonly tts: FakePart<'tts'> = fakePart('tts')
  readonly provider = createCascade({ name: 'fake', stt: this.stt, llm: this.llm, tts: this.tts })
  private readonly said: string[] = []
  private session: SessionOf<'agent'> | null = null

  static async open(): Promise<CascadeBench> {
    const bench = new CascadeBench()
    bench.session = await bench.provider.open(callContext(bench.clock))
    bench.session.onEvent((event) => bench.said.push(inWords(event)))
    return bench
  }

  send(input: AgentInput) {
    return this.opened.send(input)
  }

  close(): Promise<void> {
    return this.opened.close()
  }

  /** What the cascade has said since the last look. */
  events(): string[] {
    return this.said.splice(0)
  }

  /** A committed turn whose words are these: the model has been asked. */
  ask(words: string): void {
    this.send({ type: 'turn_committed' })
    this.final(words)
  }

  final(text: string): void {
    this.stt.session.emit({ type: 'transcript', final: true, text })
  }

  text(delta: string): void {
    this.llm.session.emit({ type: 'text', delta })
  }

  done(): void {
    this.llm.session.emit({ type: 'done' })
  }

  /** The voice brings so much audio. */
  audio(durationMs: number): void {
    this.tts.session.emit({ type: 'audio', frame: { sampleRateHz: 8000, samples: new Int16Array(durationMs * 8) } })
  }

  spoken(text: string): void {
    this.tts.session.emit({ type: 'spoken', text })
  }

  /** The model's whole answer in one go, spoken whole. */
  answer(text: string, durationMs: number): void {
    this.text(text)
    this.done()
    this.audio(durationMs)
    this.spoken(text)
  }

  /** The messages of the newest question to the model. */
  get question(): string[] {
    const asked = this.llm.session.inputs.findLast((input) => input.type === 'generate')
    return asked?.type === 'generate' ? asked.messages.map(({ role, content }) => `${role}: ${content}`) : []
  }

  /** What the voice was told since the last look. */
  spokenTexts(): string[] {
    return this.tts.session.taken().map((input) => (input.type === 'speak' ? input.text : `(${input.type})`))
  }

  private get opened(): SessionOf<'agent'> {
    if (this.session === null) throw new Error('not opened')
    return this.session
  }
}

function inWords(event: AgentEvent): string {
  switch (event.type) {
    case 'audio':
      return `audio ${(event.frame.samples.length * 1000) / event.frame.sampleRateHz}`
    case 'transcript':
      return `${event.side}${event.final ? '' : ' …'}: ${event.text}`
    case 'stage':
      return `${event.stage} ${event.durationMs}`
    case 'fault':
      return `fault ${event.code}`
    default:
      return event.type
  }
}
