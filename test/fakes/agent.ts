import type {
  Accepted,
  AgentEvent,
  AgentInput,
  CallContext,
  Provider,
  Readiness,
  SessionOf,
  TurnDetection,
} from '#agent/provider.ts'

/** An agent session that writes down what it is sent and says what the test makes it say. */
export class FakeAgentSession implements SessionOf<'agent'> {
  /** Everything but audio, in order. */
  readonly inputs: Exclude<AgentInput, { type: 'audio' }>[] = []
  /** Copies of the samples, chunk by chunk. */
  readonly audio: Int16Array[] = []
  readonly order: string[] = []
  closes = 0
  /** Thrown by the next `send` of this type. */
  throwOn: AgentInput['type'] | null = null
  answer: Accepted = 'sent'
  closing: () => Promise<void> = () => Promise.resolve()
  private listener: (event: AgentEvent) => void = () => {}

  onEvent(listener: (event: AgentEvent) => void): void {
    this.listener = listener
  }

  send(input: AgentInput): Accepted {
    if (input.type === this.throwOn) throw new Error(`a bug in ${input.type}`)
    this.order.push(input.type)
    if (input.type === 'audio') this.audio.push(input.frame.samples.slice())
    else this.inputs.push(input)
    return this.answer
  }

  close(): Promise<void> {
    this.closes += 1
    return this.closing()
  }

  emit(event: AgentEvent): void {
    this.listener(event)
  }

  /** Reply audio of so many milliseconds, each sample `value`. */
  reply(durationMs: number, value = 1000, sampleRateHz: 8000 | 16000 = 8000): void {
    const samples = new Int16Array((durationMs * sampleRateHz) / 1000).fill(value)
    this.emit({ type: 'audio', frame: { sampleRateHz, samples } })
  }

  /** What was sent since the last look, audio left out, and that a reply was heard: each one is, in the end. */
  taken(): string[] {
    return this.inputs.splice(0).flatMap(({ type }) => (type === 'reply_heard' ? [] : [type]))
  }
}

export interface FakeAgent extends Provider<'agent'> {
  readonly session: FakeAgentSession
  readonly contexts: CallContext[]
  opening: (session: FakeAgentSession, context: CallContext) => Promise<SessionOf<'agent'>>
  ready: Readiness
}

export function fakeAgent(turnDetection: TurnDetection = 'engine'): FakeAgent {
  const session = new FakeAgentSession()
  const contexts: CallContext[] = []
  return {
    name: 'fake',
    role: 'agent',
    turnDetection,
    session,
    contexts,
    ready: { ready: true },
    opening: (made) => Promise.resolve(made),
    readiness() {
      return this.ready
    },
    start: () => {},
    open(context) {
      contexts.push(context)
      return this.opening(session, context)
    },
    close: () => Promise.resolve(),
  }
}
