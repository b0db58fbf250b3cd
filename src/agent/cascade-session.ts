import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { BrokenReply } from './broken-reply.ts'
import type { CreateRunner, FunctionCall } from './functions.ts'
import { History } from './history.ts'
import type {
  Accepted,
  AgentEvent,
  AgentInput,
  CallContext,
  Fault,
  LlmEvent,
  Session,
  SessionOf,
  SttEvent,
  TtsEvent,
} from './provider.ts'
import { ReplyFunctions } from './reply-functions.ts'
import { SentenceSplitter } from './sentences.ts'
import { SpokenReply } from './spoken-reply.ts'
import { StageTimes } from './stage-times.ts'
import type { Tally } from './tally.ts'

/**
 * One call of a cascade. Our coordinator decides the turns; the cascade turns a committed turn into a reply:
 *
 *   finalize → final transcript → model → sentences → voice → audio
 *
 * Text is spoken sentence by sentence while the model still writes. Whatever cancels a reply (the caller went on, the
 * caller broke in, a fault, the end of the call) cancels model and voice, and nothing of that reply is emitted after.
 */
export interface CascadeOptions {
  /** No first audio by then is a fault: the caller must not wait for ever on a part that hangs. */
  readonly replyMaxMs?: Milliseconds
  /** What the model may do beside speaking. */
  readonly functions?: { readonly create: CreateRunner; readonly log: Log }
}

const replyMaxMsDefault: Milliseconds = 20_000

type Phase = 'idle' | 'transcribing' | 'thinking' | 'speaking'

export class CascadeSession implements Session<AgentInput, AgentEvent> {
  private readonly clock: Clock
  private readonly stt: SessionOf<'stt'>
  private readonly llm: SessionOf<'llm'>
  private readonly tts: SessionOf<'tts'>
  private readonly replyMaxMs: Milliseconds
  private readonly history: History
  /** Null where the model may only speak. */
  private readonly functions: ReplyFunctions | null
  private readonly splitter = new SentenceSplitter()
  private listener: (event: AgentEvent) => void = () => {}
  private phase: Phase = 'idle'
  private closed: Promise<void> | null = null
  /** Final transcripts that were asked for and have not come. */
  private finalsAwaited = 0
  private heardWords: string[] = []
  private readonly stages: StageTimes
  private deadline: Disposable | null = null
  private modelDone = false
  private readonly reply = new SpokenReply()
  /** The newest reply, once its words have been told. */
  private told = ''
  /** The newest message of the history, where it is what was heard of the newest reply; else empty. */
  private remembered = ''
  private readonly broken: BrokenReply
  /** The reply's first sentence has gone to the voice. */
  private announced = false
  private audible = false
  /** What the model asks for in the answer that is being made, and what it has said in it. */
  private asked: readonly FunctionCall[] = []
  private answer = ''

  constructor(
    options: CascadeOptions,
    tally: Tally,
    context: CallContext,
    stt: SessionOf<'stt'>,
    llm: SessionOf<'llm'>,
    tts: SessionOf<'tts'>,
  ) {
    const { clock } = context
    const { functions, replyMaxMs = replyMaxMsDefault } = options
    this.clock = clock
    this.replyMaxMs = replyMaxMs
    this.history = new History(context.prompt)
    this.broken = new BrokenReply(context)
    this.stages = new StageTimes(clock, (stage, durationMs) => this.listener({ type: 'stage', stage, durationMs }))
    const runner = functions?.create(clock, context.tools)
    this.functions =
      functions === undefined || runner === undefined || runner.declarations.length === 0
        ? null
        : new ReplyFunctions({
            clock,
            log: functions.log.with({ call: context.callId }),
            tally,
            runner,
            context,
            history: this.history,
            emit: (event) => this.listener(event),
          })
    this.stt = stt
    this.llm = llm
    this.tts = tts
    stt.onEvent((event) => this.onStt(event))
    llm.onEvent((event) => this.onLlm(event))
    tts.onEvent((event) => this.onTts(event))
  }

  onEvent(listener: (event: AgentEvent) => void): void {
    this.listener = listener
  }

  send(input: AgentInput): Accepted {
    if (this.closed !== null) return 'closed'
    switch (input.type) {
      case 'audio':
      case 'speech_started':
      case 'speech_stopped':
        return this.stt.send(input)
      case 'turn_committed':
        return this.commit(input.forGood === true)
      case 'turn_resumed':
        return this.resume(input.forGood === true)
      case 'interrupted':
        return this.interrupted(input.heardMs, input.forGood === true)
      case 'say':
        return this.say(input.text)
      case 'not_interrupted':
      case 'reply_heard':
      case 'caller_sounds':
        return 'sent'
    }
  }

  close(): Promise<void> {
    this.closed ??= this.closeParts()
    return this.closed
  }

  private async closeParts(): Promise<void> {
    this.cancelReply()
    await Promise.all([this.stt.close(), this.llm.close(), this.tts.close()])
    this.listener({ type: 'closed' })
  }

  private commit(forGood: boolean): Accepted {
    this.cancelReply()
    if (forGood) this.history.user(this.broken.forget())
    this.phase = 'transcribing'
    this.stages.restart()
    this.finalsAwaited += 1
    this.arm()
    return this.stt.send({ type: 'finalize' })
  }

  /** What was said stays said: it is the beginning of the turn that goes on. */
  private resume(forGood: boolean): Accepted {
    if (this.isMakingReply) {
      const words = this.broken.takeBack(forGood) ?? this.history.takeBackUser()
      if (words !== '') this.heardWords = [words]
    }
    this.cancelReply()
    if (forGood) this.broken.forget()
    return 'sent'
  }

  private interrupted(heardMs: Milliseconds, forGood: boolean): Accepted {
    // What the model had not written, and what it was about to do, can only be asked for anew.
    const whole = this.modelDone && (this.functions?.departure ?? null) === null
    this.broken.brokenOff(whole ? this.reply.remainder(heardMs) : 'unfinished')
    const words = this.reply.heard(heardMs)
    if (this.reply.sounds || this.remembered === '') this.remember(words)
    this.cancelReply()
    this.reply.restart()
    const transcript = this.broken.transcript(words, this.told)
    if (forGood) this.history.user(this.broken.forget())
    this.told = ''
    this.listener(transcript)
    return 'sent'
  }

  private say(text: string): Accepted {
    this.cancelReply()
    this.history.user(this.broken.forget())
    this.remembered = ''
    this.sayAll([text])
    return 'sent'
  }

  private sayAll(texts: readonly string[]): void {
    this.beginReply()
    this.arm()
    this.modelDone = true
    for (const text of texts) if (!this.speak(text)) return
  }

  /** What was heard of a reply takes the place of what stands of it in the history. */
  private remember(words: string): void {
    const whole = this.broken.with(words)
    if (this.remembered !== '') this.history.takeBackAssistant()
    this.history.assistant(whole)
    this.remembered = whole
  }

  private onStt(event: SttEvent): void {
    if (event.type === 'usage') return this.listener(event)
    if (event.type === 'closed' || this.closed !== null) return
    if (event.type === 'fault') return this.fault(event)
    if (event.type === 'turn_end' || event.type === 'incident') return this.listener(event)
    if (!event.final) return this.listener({ type: 'transcript', side: 'caller', final: false, text: event.text })
    this.finalsAwaited = Math.max(0, this.finalsAwaited - 1)
    if (event.text !== '') this.heardWords.push(event.text)
    if (this.phase !== 'transcribing' || this.finalsAwaited > 0) return
    this.stages.reached('stt')
    const words = this.heardWords.join(' ')
    this.heardWords = []
    if (words !== '') this.listener({ type: 'transcript', side: 'caller', final: true, text: words })
    const rest = this.broken.takeUp(this.remembered, words)
    if (rest !== null || words === '') return this.takeUp(rest)
    this.history.user(this.broken.forget())
    this.remembered = ''
    this.history.user(words)
    this.beginReply()
    this.generate()
  }

  /** Nobody has said anything that wants an answer. @param rest of the reply that was broken off, if one was */
  private takeUp(rest: readonly string[] | 'anew' | null): void {
    this.cancelReply()
    if (rest === null) return this.listener({ type: 'nothing_heard' })
    this.listener({ type: 'taken_up' })
    this.stages.stop()
    if (rest !== 'anew') return this.sayAll(rest)
    if (this.remembered !== '') this.history.takeBackAssistant()
    this.remembered = ''
    this.beginReply()
    this.arm()
    this.generate()
  }

  private generate(): void {
    const functions = this.functions?.offered ?? []
    const messages = this.history.forModel()
    this.asked = []
    this.answer = ''
    this.llm.send({ type: 'generate', messages, ...(functions.length === 0 ? {} : { functions }) })
  }

  private beginReply(): void {
    this.phase = 'thinking'
    this.modelDone = false
    this.reply.restart()
    this.told = ''
    this.announced = false
    this.audible = false
    this.splitter.flush()
    this.functions?.restart()
  }

  private onLlm(event: LlmEvent): void {
    if (event.type === 'closed') return
    if (event.type === 'incident' || event.type === 'usage') return this.listener(event)
    if (!this.isMakingReply) return
    if (event.type === 'fault') return this.fault(event)
    if (event.type === 'text') {
      this.stages.reached('llm_first_token')
      this.answer += event.delta
      for (const piece of this.splitter.push(event.delta)) if (!this.speak(piece)) break
      return
    }
    if (event.type === 'function_calls') {
      this.asked = event.calls
      return
    }
    const rest = this.splitter.flush()
    if (rest === null || this.speak(rest)) this.answered()
  }

  private get isMakingReply(): boolean {
    return this.phase === 'thinking' || this.phase === 'speaking'
  }

  /** The model has said all it has to say, and may have asked for functions. */
  private answered(): void {
    const { asked, functions } = this
    if (asked.length > 0 && functions !== null) void this.runFunctions(functions, asked)
    else this.modelEnds()
  }

  private modelEnds(): void {
    this.modelDone = true
    if (this.reply.done) this.finishReply()
  }

  private async runFunctions(functions: ReplyFunctions, asked: readonly FunctionCall[]): Promise<void> {
    const spoke = this.announced
    const next = await functions.run(asked, this.answer.trim())
    if (next === 'void' || this.closed !== null) return
    if (next === 'loop') {
      const message = 'the model asks for functions again and again'
      return this.fault({ type: 'fault', code: 'tool_loop', message, retryable: true })
    }
    if (next === 'leave' && spoke) return this.modelEnds()
    this.generate()
  }

  /** False where the voice takes no more: the reply is over then, and another may have begun. */
  private speak(text: string): boolean {
    this.stages.reached('llm_first_sentence')
    this.phase = 'speaking'
    if (!this.announced) this.listener({ type: 'reply_started' })
    this.announced = true
    this.reply.give(text)
    if (this.tts.send({ type: 'speak', text }) === 'sent') return true
    this.fault({ type: 'fault', code: 'overloaded', message: 'the voice takes no more sentences', retryable: true })
    return false
  }

  private onTts(event: TtsEvent): void {
    if (event.type === 'closed') return
    if (event.type === 'incident' || event.type === 'usage') return this.listener(event)
    if (this.phase !== 'speaking') return
    switch (event.type) {
      case 'fault':
        return this.fault(event)
      case 'audio':
        if (!this.audible) {
          this.audible = true
          this.disarm()
          this.stages.reached('tts_first_audio')
        }
        this.reply.made((event.frame.samples.length * 1000) / event.frame.sampleRateHz)
        return this.listener(event)
      case 'spoken':
        this.reply.spoken(event.text)
        if (this.modelDone && this.reply.done) this.finishReply()
        return
    }
  }

  private finishReply(): void {
    const { text } = this.reply
    this.disarm()
    this.phase = 'idle'
    this.remember(text)
    this.broken.saidWhole()
    this.told = text
    if (text !== '') this.listener(this.broken.transcript(text))
    this.listener({ type: 'reply_done' })
    this.leave()
  }

  private leave(): void {
    const how = this.functions?.departure ?? null
    if (how === null) return
    this.functions?.left()
    this.listener({ type: 'leave', how })
  }

  private cancelReply(): void {
    if (this.isMakingReply) this.functions?.restart()
    this.stopParts()
  }

  private stopParts(): void {
    this.disarm()
    if (this.isMakingReply) for (const part of [this.llm, this.tts]) part.send({ type: 'cancel' })
    this.reply.stop()
    this.phase = 'idle'
  }

  private fault(fault: Fault): void {
    if (this.closed !== null) return
    // What was spoken before the fault was heard, and the model must know that it said it.
    if (this.phase === 'speaking') this.remember(this.reply.text)
    this.broken.failed()
    if ((this.functions?.departure ?? null) === null) {
      this.cancelReply()
      return this.listener(fault)
    }
    // The farewell was the last of this call: without the rest of it the agent leaves all the same.
    this.listener({ type: 'incident', code: fault.code, message: fault.message })
    this.stopParts()
    this.listener({ type: 'reply_done' })
    this.leave()
  }

  private arm(): void {
    this.deadline = this.clock.after(this.replyMaxMs, () =>
      this.fault({ type: 'fault', code: 'timeout', message: `no reply within ${this.replyMaxMs} ms`, retryable: true }),
    )
  }

  private disarm(): void {
    this.deadline?.[Symbol.dispose]()
    this.deadline = null
  }
}
