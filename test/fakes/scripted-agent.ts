import type {
  Accepted,
  AgentEvent,
  AgentInput,
  CallContext,
  Provider,
  SessionOf,
  TurnDetection,
} from '#agent/provider.ts'
import { msToSamples, type SampleRateHz } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'

/**
 * An agent whose replies are timelines: what it sends, and when, is written down beforehand; it listens to nothing but
 * the turns. A timeline is plain data, so that one fits into a seed or an environment variable.
 */
export type ReplyEvent = { readonly atMs: Milliseconds } & (
  | { readonly type: 'reply_started' | 'reply_done' | 'nothing_heard' | 'fault' | 'closed' }
  | { readonly type: 'audio'; readonly samples: number }
)
/** In the order of time, from the moment at which the reply was asked for. */
export type ReplyScript = readonly ReplyEvent[]

/** A chunk that was sent: samples `from` to `from + count` of the reply. */
export interface SentChunk {
  readonly from: number
  readonly count: number
  readonly atMs: Milliseconds
  /** What `AgentWatch.accepted` said when it had been sent. */
  readonly accepted: boolean
  /** The reply's end had been told. */
  readonly late: boolean
}

export interface SentReply {
  /** From 1 on; the greeting is a reply too. */
  readonly number: number
  readonly askedBy: 'say' | 'turn_committed' | 'itself'
  readonly chunks: SentChunk[]
  samples: number
  /** When its end was told, by `reply_done` or by a fault; the first time, where there is more than one. */
  doneMs: Milliseconds | null
  /** Audio came after `reply_done`. */
  late: boolean
  /** The caller broke in, and this is what the engine said was heard; the reply was never sent to its end. */
  interrupted: { readonly atMs: Milliseconds; readonly heardMs: Milliseconds } | null
}

/** Something an agent says beside its replies, so long after what made it say so; only the end of the session stops it. */
export interface Aside {
  readonly afterMs: Milliseconds
  readonly event: AgentEvent
}

/** Looks on: what became of what was sent. */
export interface AgentWatch {
  /** Told of each input before the agent acts on it. */
  took?(input: AgentInput): void
  /** Its first chunk is about to be sent. */
  begins?(reply: SentReply): void
  /** Asked right after each chunk was sent. */
  accepted(reply: SentReply): boolean
  interrupted(reply: SentReply | null): void
}

export interface ScriptedAgentOptions {
  readonly name: string
  readonly turnDetection: TurnDetection
  readonly clock: Clock
  script(reply: number, askedBy: SentReply['askedBy'], context: CallContext): ReplyScript
  /** The sound of a reply, from one of its samples on. */
  sound(reply: number, from: number, count: number, sampleRateHz: SampleRateHz): Int16Array
  /** Before the session is there; it may throw. */
  opening?(context: CallContext): Promise<void>
  asides?(input: AgentInput): readonly Aside[]
  readonly wordsIn?: NonNullable<Provider<'agent'>['wordsIn']>
  readonly watch?: AgentWatch
}

export function createScriptedAgent(
  options: ScriptedAgentOptions,
  opened: (session: ScriptedSession) => void = () => {},
): Provider<'agent'> {
  return {
    name: options.name,
    role: 'agent',
    turnDetection: options.turnDetection,
    readiness: () => ({ ready: true }),
    ...(options.wordsIn === undefined ? {} : { wordsIn: options.wordsIn }),
    start: () => {},
    open: async (context) => {
      await options.opening?.(context)
      const session = new ScriptedSession(options, context)
      opened(session)
      return session
    },
    close: () => Promise.resolve(),
  }
}

export class ScriptedSession implements SessionOf<'agent'> {
  readonly replies: SentReply[] = []
  readonly heard: AgentInput['type'][] = []
  closed = false
  private readonly options: ScriptedAgentOptions
  private readonly context: CallContext
  private listener: (event: AgentEvent) => void = () => {}
  private timer: Disposable | null = null
  // keyed by: a timer that runs
  private readonly asides = new Set<Disposable>()
  /** The reply under way; what was dropped is not it. */
  private current: SentReply | null = null

  constructor(options: ScriptedAgentOptions, context: CallContext) {
    this.options = options
    this.context = context
  }

  onEvent(listener: (event: AgentEvent) => void): void {
    this.listener = listener
  }

  send(input: AgentInput): Accepted {
    if (this.closed) return 'closed'
    this.options.watch?.took?.(input)
    if (input.type === 'audio') return 'sent'
    this.heard.push(input.type)
    for (const aside of this.options.asides?.(input) ?? []) this.sayAside(aside)
    switch (input.type) {
      case 'say':
      case 'turn_committed':
        this.begin(input.type)
        return 'sent'
      case 'interrupted':
        this.interrupted(input.heardMs)
        return 'sent'
      case 'turn_resumed':
        this.drop()
        return 'sent'
      default:
        return 'sent'
    }
  }

  /** Where the agent finds the turns itself: it answers what it has heard. */
  answer(): void {
    if (!this.closed) this.begin('itself')
  }

  emit(event: AgentEvent): void {
    if (!this.closed) this.listener(event)
  }

  close(): Promise<void> {
    this.end()
    return Promise.resolve()
  }

  private sayAside({ afterMs, event }: Aside): void {
    const timer = this.options.clock.after(afterMs, () => {
      this.asides.delete(timer)
      this.emit(event)
    })
    this.asides.add(timer)
  }

  private begin(askedBy: SentReply['askedBy']): void {
    this.drop()
    const number = this.replies.length + 1
    const reply: SentReply = {
      number,
      askedBy,
      chunks: [],
      samples: 0,
      doneMs: null,
      late: false,
      interrupted: null,
    }
    this.replies.push(reply)
    this.current = reply
    this.run(reply, this.options.script(number, askedBy, this.context), 0, this.options.clock.now())
  }

  /** One timer at a time: the next event arms the one after it. */
  private run(reply: SentReply, script: ReplyScript, index: number, startMs: Milliseconds): void {
    const event = script[index]
    this.timer = null
    if (event === undefined) return
    const { clock } = this.options
    this.timer = clock.after(startMs + event.atMs - clock.now(), () => {
      this.perform(reply, event)
      // What was performed may have ended it: an interruption comes back at once.
      if (this.current === reply) this.run(reply, script, index + 1, startMs)
    })
  }

  private perform(reply: SentReply, event: ReplyEvent): void {
    switch (event.type) {
      case 'audio':
        return this.sendAudio(reply, event.samples)
      case 'reply_done':
        reply.doneMs ??= this.options.clock.now()
        return this.emit({ type: 'reply_done' })
      case 'fault':
        reply.doneMs ??= this.options.clock.now()
        return this.emit({ type: 'fault', code: 'scripted', message: 'as the script says', retryable: false })
      case 'closed':
        return this.end()
      default:
        return this.emit({ type: event.type })
    }
  }

  private sendAudio(reply: SentReply, count: number): void {
    const { clock, sound, watch } = this.options
    const { sampleRateHz } = this.context
    const from = reply.samples
    const late = reply.doneMs !== null
    if (late) reply.late = true
    reply.samples += count
    const samples = sound(reply.number, from, count, sampleRateHz)
    if (from === 0) watch?.begins?.(reply)
    this.emit({ type: 'audio', frame: { sampleRateHz, samples } })
    reply.chunks.push({ from, count, atMs: clock.now(), accepted: watch?.accepted(reply) ?? true, late })
  }

  private interrupted(heardMs: Milliseconds): void {
    const reply = this.current ?? this.replies.at(-1) ?? null
    if (reply !== null) reply.interrupted ??= { atMs: this.options.clock.now(), heardMs }
    this.options.watch?.interrupted(reply)
    this.drop()
  }

  private drop(): void {
    this.timer?.[Symbol.dispose]()
    this.timer = null
    this.current = null
  }

  private end(): void {
    if (this.closed) return
    this.drop()
    for (const timer of this.asides) timer[Symbol.dispose]()
    this.closed = true
    this.listener({ type: 'closed' })
  }
}

// ── timelines ─────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Pace {
  readonly replyMs: Milliseconds
  readonly sampleRateHz: SampleRateHz
  /** Audio in each chunk. */
  readonly chunkMs: Milliseconds
  /** How many milliseconds of audio are made in a millisecond: 0.9 is slower than it plays. */
  readonly speed: number
  /** Before the first chunk. */
  readonly delayMs?: Milliseconds
  /** Is the end told, right after the last chunk? */
  readonly ends?: boolean
}

/** A reply at a steady pace: each chunk comes when all of it has been made. */
export function pacedReply({ replyMs, sampleRateHz, chunkMs, speed, delayMs = 0, ends = true }: Pace): ReplyScript {
  const events: ReplyEvent[] = [{ atMs: 0, type: 'reply_started' }]
  let madeMs = 0
  while (madeMs < replyMs) {
    const pieceMs = Math.min(chunkMs, replyMs - madeMs)
    madeMs += pieceMs
    events.push({ atMs: delayMs + madeMs / speed, type: 'audio', samples: msToSamples(pieceMs, sampleRateHz) })
  }
  if (ends) events.push({ atMs: delayMs + madeMs / speed, type: 'reply_done' })
  return events
}
