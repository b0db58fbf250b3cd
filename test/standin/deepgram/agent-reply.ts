import type { AgentSession } from './agent-session.ts'
import type { FunctionCall, Reply } from './options.ts'
import type { EncodedSpeech } from './reply-audio.ts'
import { Speech } from './speech.ts'

/** One reply: thinking, words and sound side by side, then the functions that it calls. */
export interface ReplyPlan {
  readonly reply: Reply
  /** Which of the session's. */
  readonly number: number
  readonly text: string
  readonly encoded: EncodedSpeech
  readonly experimental: boolean
  readonly pace: number
  readonly firstChunkAfterMs: number
}

const slowEveryMs = 5000

export class AgentReply {
  private readonly session: AgentSession
  private readonly plan: ReplyPlan
  private readonly timers: Disposable[] = []
  private speech: Speech | null = null
  private sentences: string[]

  constructor(session: AgentSession, plan: ReplyPlan) {
    this.session = session
    this.plan = plan
    this.sentences = plan.text.match(/[^.?!]+[.?!]*\s*/g)?.map((each) => each.trim()) ?? []
  }

  start(): void {
    const { reply } = this.plan
    const { fault } = reply
    if (reply.thinking !== undefined) this.session.send({ type: 'AgentThinking', content: reply.thinking })
    switch (fault?.kind) {
      case 'silence':
        return
      case 'error': {
        const { code = 'FAILED_TO_THINK', description = 'The language model could not be reached.' } = fault
        this.session.fail(code, description)
        return
      }
      case 'warning': {
        const { code = 'THINK_REQUEST_FAILED', description = 'A request to the language model failed.' } = fault
        this.session.warn(code, description)
        this.session.replied(this)
        return
      }
      case 'slow_think':
        for (let atMs = slowEveryMs; atMs < fault.ms; atMs += slowEveryMs) {
          this.after(atMs, () => this.session.warn('SLOW_THINK_REQUEST', `A think request takes ${atMs / 1000} s.`))
        }
        this.after(fault.ms, () => this.speak())
        return
      default:
        this.speak()
    }
  }

  stop(late = 0): void {
    for (const timer of this.timers) timer[Symbol.dispose]()
    this.speech?.stop(late)
  }

  private after(ms: number, action: () => void): void {
    this.timers.push(this.session.clock.after(ms, action))
  }

  private speak(): void {
    const { encoded, number, pace, firstChunkAfterMs, reply } = this.plan
    const { fault } = reply
    if (encoded.chunks.length === 0 && (reply.calls?.length ?? 0) > 0) {
      this.callFunctions(reply.calls ?? [])
      return
    }
    this.speech = new Speech(this.session, {
      number,
      encoded,
      pace,
      firstChunkAfterMs,
      begins: () => this.begins(),
      before: (index) => this.sayWords(index, encoded.chunks.length),
      ...(fault !== undefined && 'afterMs' in fault ? { stopsAfterMs: fault.afterMs } : {}),
      done: () => this.done(),
    })
    this.speech.start()
  }

  private begins(): void {
    const [ttt, tts] = [0.35, 0.18]
    const total = { total_latency: ttt + tts, tts_latency: tts }
    this.session.send({ type: 'LatencyReport', ttt_text_latency: ttt })
    this.session.send({ type: 'LatencyReport', ...total })
    if (this.plan.experimental) this.session.send({ type: 'AgentStartedSpeaking', ...total, ttt_latency: ttt })
  }

  /** A sentence is told before its sound. */
  private sayWords(index: number, chunks: number): void {
    const { length } = this.plan.text
    let told = this.plan.text.length - this.sentences.reduce((sum, each) => sum + each.length, 0)
    while (this.sentences.length > 0 && told <= Math.ceil((index / chunks) * length)) {
      const sentence = this.sentences.shift() ?? ''
      told += sentence.length + 1
      this.session.text('assistant', sentence)
    }
  }

  private done(): void {
    const { fault, calls = [] } = this.plan.reply
    if (fault?.kind === 'stall') return
    if (fault?.kind === 'cut') {
      this.session.cut()
      return
    }
    this.session.send({ type: 'AgentAudioDone' })
    if (calls.length > 0) this.callFunctions(calls)
    else this.session.replied(this)
  }

  private callFunctions(calls: readonly FunctionCall[]): void {
    const functions = calls.map(({ name, arguments: given, id = this.session.newId('call'), clientSide = true }) => ({
      id,
      name,
      arguments: typeof given === 'string' ? given : JSON.stringify(given),
      client_side: clientSide,
    }))
    this.session.ask(functions.filter(({ client_side: mine }) => mine).map(({ id }) => id))
    this.session.send({ type: 'FunctionCallRequest', functions })
    for (const { id, name, client_side: mine } of functions) {
      if (!mine) this.session.send({ type: 'FunctionCallResponse', id, name, content: '{}' })
    }
    this.session.replied(this)
    if (functions.every(({ client_side: mine }) => !mine)) this.session.answeredItself()
  }
}
