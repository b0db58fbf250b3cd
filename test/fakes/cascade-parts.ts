import type { Accepted, CallContext, Provider, Readiness, Role, Roles, SessionOf } from '#agent/provider.ts'

type Part = Exclude<Role, 'agent'>

/** A session of one part: writes down what it is sent, says what the test scripts. */
export class FakePartSession<R extends Part> {
  readonly inputs: Roles[R]['input'][] = []
  closes = 0
  /** What it says to each input. */
  answer: Accepted = 'sent'
  closing: () => Promise<void> = () => Promise.resolve()
  /** Called for each input, before the session answers: where a script lives. */
  script: (input: Roles[R]['input']) => void = () => {}
  private listener: (event: Roles[R]['event']) => void = () => {}

  onEvent(listener: (event: Roles[R]['event']) => void): void {
    this.listener = listener
  }

  send(input: Roles[R]['input']): Accepted {
    this.inputs.push(input)
    this.script(input)
    return this.closes > 0 ? 'closed' : this.answer
  }

  async close(): Promise<void> {
    this.closes += 1
    await this.closing()
  }

  emit(event: Roles[R]['event']): void {
    this.listener(event)
  }

  /** What was sent since the last look. */
  taken(): Roles[R]['input'][] {
    return this.inputs.splice(0)
  }
}

export interface FakePart<R extends Part> extends Provider<R> {
  readonly session: FakePartSession<R>
  ready: Readiness
  fails: Error | null
  starts: number
  closes: number
}

export function fakePart<R extends Part>(role: R): FakePart<R> {
  const session = new FakePartSession<R>()
  return {
    name: `fake-${role}`,
    role,
    turnDetection: 'none',
    session,
    ready: { ready: true },
    fails: null,
    starts: 0,
    closes: 0,
    readiness() {
      return this.ready
    },
    start() {
      this.starts += 1
    },
    async open(_context: CallContext): Promise<SessionOf<R>> {
      if (this.fails !== null) throw this.fails
      return session
    },
    async close() {
      this.closes += 1
    },
  }
}
