import { BrokenReply } from '#agent/broken-reply.ts'
import type { AgentEvent, AgentInput, CallContext, Provider, SessionOf } from '#agent/provider.ts'
import { joined, voicedSound } from '../../test/bed/sounds.ts'
import { type ReplyKind, replyKindOf, replyMs, type TurnsEvent } from './turns-wire.ts'

/**
 * A partner that answers every turn at once with all of a reply: what passes between the end of a turn and the first
 * frame is the engine's own. A tone of one loudness lets a caller see where it is soft and where it is silent; a voice
 * is what an echo is made of.
 */
const toneDbfs = -18

export interface TurnsAgentOptions {
  readonly voices: () => readonly Int16Array[]
  readonly told: (callId: string, event: TurnsEvent) => void
  readonly wordsIn: NonNullable<Provider<'agent'>['wordsIn']> | null
  /** The words of a whole turn, as a pipeline's recogniser finds them; null where it finds out nothing. */
  readonly wordsOf: ((samples: Int16Array<ArrayBuffer>) => Promise<string | null>) | null
}

export function createTurnsAgent(options: TurnsAgentOptions): Provider<'agent'> {
  const tones = new Map<ReplyKind, Int16Array>()
  const tone = (kind: ReplyKind): Int16Array => {
    const made = tones.get(kind) ?? voicedSound(replyMs[kind], toneDbfs, 8000)
    tones.set(kind, made)
    return made
  }
  let next = 0
  return {
    name: 'bench',
    role: 'agent',
    turnDetection: 'engine',
    readiness: () => ({ ready: true }),
    ...(options.wordsIn === null ? {} : { wordsIn: options.wordsIn }),
    start: () => {},
    open: (context) => {
      const kind = replyKindOf(context.callId)
      return Promise.resolve(
        new TurnsSession(context, options, () => {
          const voices = options.voices()
          next += 1
          return kind === 'voice' ? (voices[next % voices.length] ?? tone('tone_short')) : tone(kind)
        }),
      )
    },
    close: () => Promise.resolve(),
  }
}

class TurnsSession implements SessionOf<'agent'> {
  private readonly context: CallContext
  private readonly options: TurnsAgentOptions
  private readonly reply: () => Int16Array
  private listener: (event: AgentEvent) => void = () => {}
  /** The caller's turn, as far as it was heard, and the one before, which may go on. */
  private turn: Int16Array[] = []
  private before: Int16Array[] = []
  /** The turn has broken off a reply; the one before it had. */
  private brokenOff = false
  private hadBrokenOff = false

  constructor(context: CallContext, options: TurnsAgentOptions, reply: () => Int16Array) {
    this.context = context
    this.options = options
    this.reply = reply
  }

  onEvent(listener: (event: AgentEvent) => void): void {
    this.listener = listener
  }

  send(input: AgentInput) {
    const { callId, sampleRateHz } = this.context
    if (input.type === 'audio') this.turn.push(input.frame.samples.slice())
    if (input.type === 'turn_resumed') {
      this.turn.unshift(...this.before)
      this.brokenOff ||= this.hadBrokenOff
    }
    if (input.type === 'interrupted') {
      this.options.told(callId, 'interrupted')
      this.brokenOff = true
    }
    if (input.type === 'turn_committed') {
      this.options.told(callId, 'committed')
      this.listener({ type: 'reply_started' })
      this.listener({ type: 'audio', frame: { sampleRateHz, samples: this.reply() } })
      this.listener({ type: 'reply_done' })
      if (this.brokenOff) void this.tellWhatBecomesOfIt(this.turn)
      this.hadBrokenOff = this.brokenOff
      this.brokenOff = false
      this.before = this.turn
      this.turn = []
    }
    return 'sent' as const
  }

  /** What a pipeline would do with a reply that was broken off: one of two sentences, that asked nothing. */
  private async tellWhatBecomesOfIt(turn: readonly Int16Array[]): Promise<void> {
    const words = await this.options.wordsOf?.(joined(turn))
    const broken = new BrokenReply(this.context)
    broken.brokenOff({ heard: 'One.', rest: ['Two.'] })
    const isTakenUp = typeof words === 'string' && broken.takeUp('One.', words) !== null
    this.options.told(this.context.callId, isTakenUp ? 'taken_up' : 'lost')
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
