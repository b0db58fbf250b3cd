import { createCascade } from '#agent/cascade.ts'
import type { FunctionOutcome, FunctionRunner } from '#agent/functions.ts'
import type { AgentEvent, AgentInput, Provider, SessionOf } from '#agent/provider.ts'
import { silentLog } from '#base/log.ts'
import { isListening } from '#call/listening.ts'
import { type FakePart, fakePart } from '../../fakes/cascade-parts.ts'
import { callContext } from '../../fakes/context.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

export type FakeFunction = (text: string) => FunctionOutcome | Promise<FunctionOutcome>

/** A cascade of three fakes, opened; what it says is written down in short words. */
export class CascadeBench {
  readonly clock = new ManualClock()
  readonly stt: FakePart<'stt'> = fakePart('stt')
  readonly llm: FakePart<'llm'> = fakePart('llm')
  readonly tts: FakePart<'tts'> = fakePart('tts')
  readonly provider: Provider<'agent'>
  /** The functions that ran, with their arguments. */
  readonly ran: string[] = []
  private readonly said: string[] = []
  private faulted: () => void = () => {}
  private session: SessionOf<'agent'> | null = null

  constructor(functions: Readonly<Record<string, FakeFunction>> = {}) {
    const { stt, llm, tts } = this
    const runner: FunctionRunner = {
      declarations: Object.keys(functions).map((name) => ({ name, description: name, parameters: {} })),
      run: async (name, text) => {
        this.ran.push(`${name} ${text}`)
        return (await functions[name]?.(text)) ?? { output: '{}', departure: null, failure: 'unknown_tool' }
      },
    }
    const tools = Object.keys(functions).length === 0 ? {} : { functions: { create: () => runner, log: silentLog } }
    this.provider = createCascade({ name: 'fake', stt, llm, tts, ...tools })
  }

  /** @param functions that the model may ask for, by name */
  static async open(functions: Readonly<Record<string, FakeFunction>> = {}): Promise<CascadeBench> {
    const bench = new CascadeBench(functions)
    bench.session = await bench.provider.open(
      callContext(bench.clock, { isListening: (turn) => isListening(turn, []) }),
    )
    bench.session.onEvent((event) => {
      bench.said.push(inWords(event))
      if (event.type === 'fault') bench.faulted()
    })
    return bench
  }

  /** What is done at once when the cascade tells of a fault. */
  onFault(action: () => void): void {
    this.faulted = action
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

  /** The model asks for a function. */
  calls(name: string, text: string): void {
    this.llm.session.emit({ type: 'function_calls', calls: [{ id: 'call_1', name, text }] })
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

  /** What the model may ask for in its newest answer. */
  get offered(): string[] {
    const asked = this.llm.session.inputs.findLast((input) => input.type === 'generate')
    return asked?.type === 'generate' ? (asked.functions ?? []).map(({ name }) => name) : []
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

const insteadOf = (words?: string) => (words === undefined ? '' : `, instead of: ${words}`)
const behind = (words?: string) => (words === undefined ? '' : `, behind: ${words}`)

function inWords(event: AgentEvent): string {
  switch (event.type) {
    case 'audio':
      return `audio ${(event.frame.samples.length * 1000) / event.frame.sampleRateHz}`
    case 'transcript':
      return `${event.side}${event.final ? '' : ' …'}: ${event.text}${insteadOf(event.corrects)}${behind(event.follows)}`
    case 'stage':
      return `${event.stage} ${event.durationMs}`
    case 'fault':
      return `fault ${event.code}`
    default:
      return event.type
  }
}
