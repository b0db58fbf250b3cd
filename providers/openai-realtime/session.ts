import type { Accepted, AgentEvent, AgentInput, CallContext, Departure, SessionOf } from '#agent/provider.ts'
import { SessionLife } from '#agent/session-life.ts'
import { type SampleRateHz, samplesToMs } from '#audio/format.ts'
import { momentSound } from '#audio/tones.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { Tool } from '#tools/tool.ts'
import { ToolRunner } from '#tools/tool-runner.ts'
import type { Account } from './account.ts'
import { AgentAudio } from './agent-audio.ts'
import { CallerAudio } from './caller-audio.ts'
import { fateOfAnswer, newSpeech, type Speech } from './caller-speech.ts'
import { messageItem, sessionUpdate, type WireAudio } from './client-wire.ts'
import { Conversation } from './conversation.ts'
import { Invocations } from './invocations.ts'
import { Link } from './link.ts'
import type { OpenAiRealtimeOptions } from './options.ts'
import { ReplyMaker } from './reply-maker.ts'
import { SessionAge } from './session-age.ts'
import type { OpenSocket } from './socket.ts'
import { Sounding } from './sounding.ts'
import type { Tally } from './tally.ts'
import type { ServerError, ServerEvent } from './wire.ts'

/**
 * The agent of one call: what the engine tells it becomes messages, what the server says becomes events. It is there at
 * once, while its connection is still being made, so that what is said about that reaches the caller, too.
 *
 * Where the server finds the turns (`server_vad`, `semantic_vad`) it answers by itself; a reply that sounds is broken off
 * only where the coordinator confirms it, unless that leaves it to the server (`interruptsItself`). With `none` the engine
 * says when a turn begins and ends, and each end is a commit and a request.
 */
export interface SessionDeps {
  readonly options: OpenAiRealtimeOptions
  readonly account: Account
  readonly openSocket: OpenSocket
  readonly random: Random
  readonly log: Log
  readonly tally: Tally
  readonly tools: readonly Tool[]
  readonly interruptsItself: boolean
  /** What the engine has of a text in its own voice, or a sign for it; null where it has neither. */
  readonly recorded: (text: string, sampleRateHz: SampleRateHz) => Int16Array | null
}

export class RealtimeSession implements SessionOf<'agent'> {
  private readonly deps: SessionDeps
  private readonly context: CallContext
  private readonly clock: Clock
  private readonly log: Log
  private readonly life: SessionLife
  private readonly link: Link
  private readonly caller: CallerAudio
  private readonly audio: AgentAudio
  private readonly conversation: Conversation
  private readonly sounding = new Sounding()
  private readonly replies: ReplyMaker
  private readonly invocations: Invocations
  private readonly age: SessionAge
  private listener: (event: AgentEvent) => void = () => {}
  private speech: Speech | null = null
  /** Somebody's speech is going on, by whoever finds the turns. */
  private callerSpeaks = false
  /** Without the server: what was said in our own voice, until it is known how much of it was heard. */
  private ownWords = ''
  private recordingMs: Milliseconds = 0
  /** Counts what makes a recording void that has not begun. */
  private orders = 0
  /** Why no session will open; null while there is hope. */
  private hopeless: { readonly code: string; readonly why: string } | null = null

  constructor(deps: SessionDeps, context: CallContext) {
    const { options, log, tally, account, openSocket, random, interruptsItself } = deps
    const { clock, sampleRateHz: legHz, signal } = context
    this.deps = deps
    this.context = context
    this.clock = clock
    this.log = log.with({ part: 'openai_realtime', call: context.callId })
    const formats = wireFormats(options.format, legHz)
    const first = formats[0] ?? 'pcm24'
    const emit = (event: AgentEvent) => this.emit(event)
    const runner = new ToolRunner(deps.tools, clock)
    this.link = new Link(
      {
        clock,
        random,
        log: this.log,
        account,
        openSocket,
        tally,
        timeoutMs: options.connect_timeout_ms,
        formats,
        sessionOf: (audio) =>
          sessionUpdate({
            options,
            audio,
            instructions: context.prompt,
            language: context.language,
            tools: runner.declarations,
            interruptsItself,
          }),
      },
      {
        ready: (audio, again) => this.ready(audio, again),
        event: (event) => this.received(event),
        lost: (code, why) => this.lost(code, why),
        refused: (code, why, hopeless) => this.refused(code, why, hopeless),
      },
    )
    const send = this.link.send.bind(this.link)
    this.caller = new CallerAudio(
      {
        legHz,
        appendMs: options.append_ms,
        append: (base64) => this.link.append(base64),
        dropped: () => tally.count('caller_audio_dropped'),
      },
      first,
    )
    this.audio = new AgentAudio(legHz, first, () => this.unlikelyFormat())
    this.conversation = new Conversation(clock, options.input_audio_transcription.model !== '', (side, text, at) =>
      emit({ type: 'transcript', side, final: true, text, spokenAtMs: at }),
    )
    this.replies = new ReplyMaker({
      clock,
      legHz,
      tally,
      conversation: this.conversation,
      sounding: this.sounding,
      audio: () => this.audio,
      emit,
      prompt: context.prompt,
      timeoutMs: options.reply_timeout_ms,
      send,
      playFiller: () => this.playFiller(),
      invoke: (invocations, spoke) => this.invocations.run(invocations, spoke),
      leave: (departure) => this.leave(departure),
    })
    this.invocations = new Invocations({
      clock,
      log: this.log,
      tally,
      runner,
      context: { callId: context.callId, canTransfer: context.canTransfer === true, signal },
      emit,
      send,
      request: (ask) => this.replies.request(ask),
      leave: (departure) => this.leave(departure),
    })
    this.age = new SessionAge(clock, options.renew_after_ms, {
      quiet: () => !this.callerSpeaks && !this.sounding.active && !this.replies.busy,
      renew: () => this.renew(),
    })
    this.life = new SessionLife(signal, () => this.end())
    this.link.open()
  }

  onEvent(listener: (event: AgentEvent) => void): void {
    this.listener = listener
  }

  send(input: AgentInput): Accepted {
    if (this.life.over) return 'closed'
    switch (input.type) {
      case 'audio':
        this.caller.push(input.frame)
        return 'sent'
      case 'say':
        this.say(input.text)
        return 'sent'
      case 'interrupted':
        this.interrupted(input.heardMs)
        return 'sent'
      case 'not_interrupted':
        this.vetoed()
        return 'sent'
      case 'reply_heard':
        this.heard()
        return 'sent'
      case 'speech_started':
        this.callerSpeaks = true
        return 'sent'
      case 'speech_stopped':
        this.callerSpeaks = false
        return 'sent'
      case 'turn_resumed':
        this.resumed()
        return 'sent'
      case 'turn_committed':
        this.committed()
        return 'sent'
    }
  }

  close(): Promise<void> {
    return this.life.close()
  }

  private async end(): Promise<void> {
    this.link.close()
    this.age.end()
    this.replies.close()
    this.conversation.close()
    const { listener } = this
    this.listener = () => {}
    listener({ type: 'closed' })
  }

  private emit(event: AgentEvent): void {
    this.listener(event)
  }

  /** The server finds the turns. */
  private get serverTurns(): boolean {
    return this.deps.options.turn_detection.type !== 'none'
  }

  // ── what the engine says ──────────────────────────────────────────────────────────────────────────────────────

  private say(text: string): void {
    this.orders += 1
    const { options, recorded } = this.deps
    const isGreeting = text === this.context.greeting && options.greeting_audio === 'cached'
    const needsOwn = !this.replies.healthy || this.hopeless !== null
    const samples = isGreeting || needsOwn ? recorded(text, this.context.sampleRateHz) : null
    if (samples === null) {
      this.replies.request({ kind: 'say', text })
      return this.failIfHopeless()
    }
    this.replies.drop(true)
    this.ownWords = text
    this.play(samples)
  }

  private playFiller(): void {
    const { options, recorded } = this.deps
    const { sampleRateHz } = this.context
    this.play(recorded(options.filler, sampleRateHz) ?? momentSound(sampleRateHz))
  }

  /** In our own voice. Not from within the order to do so: whoever gave it hears nothing of it before it returns. */
  private play(samples: Int16Array): void {
    const order = this.orders
    void Promise.resolve().then(() => {
      if (this.life.over || order !== this.orders) return
      const { sampleRateHz } = this.context
      this.recordingMs = samplesToMs(samples.length, sampleRateHz)
      this.sounding.add(null, this.recordingMs)
      this.emit({ type: 'reply_started' })
      this.emit({ type: 'audio', frame: { sampleRateHz, samples } })
      this.emit({ type: 'reply_done' })
    })
  }

  private interrupted(heardMs: Milliseconds): void {
    this.orders += 1
    this.invocations.interrupt()
    this.replies.drop(!this.deps.interruptsItself || this.speech === null)
    this.keepOwnWords(heardMs)
    for (const { itemId, heardMs: endMs, totalMs } of this.sounding.cut(heardMs)) {
      this.link.send({ type: 'conversation.item.truncate', item_id: itemId, content_index: 0, audio_end_ms: endMs })
      this.conversation.cut(itemId, endMs, totalMs)
    }
    this.settleSpeech()
  }

  /** What the server heard over the reply was nothing: what it made of it is taken back. */
  private vetoed(): void {
    const { speech } = this
    if (speech === null || !speech.over || speech.verdict === 'confirmed') return
    speech.verdict = 'vetoed'
    this.replies.dropHeld()
    if (speech.committed) this.takeBack(speech)
  }

  private takeBack({ itemId }: Speech): void {
    this.link.send({ type: 'conversation.item.delete', item_id: itemId })
    this.conversation.remove(itemId)
  }

  /** The reply has sounded to its end; what the server has heard over its last words is believed. */
  private heard(): void {
    this.keepOwnWords(Number.POSITIVE_INFINITY)
    this.sounding.heard()
    if (this.speech?.verdict === 'open') this.settleSpeech()
  }

  /** What the server has heard last is the caller's turn. */
  private settleSpeech(): void {
    const { speech, replies } = this
    if (speech === null) return
    const wasOver = speech.over
    speech.over = false
    speech.verdict = 'confirmed'
    if (!speech.committed || !wasOver) return
    replies.expect()
    const { orders } = this
    // The coordinator is still at work on what brought this about.
    void Promise.resolve().then(() => {
      if (this.life.over || orders !== this.orders) return
      if (replies.holds) replies.release()
      else if (speech.unanswered && this.speech === speech) replies.request({ kind: 'turn' })
    })
  }

  private resumed(): void {
    this.orders += 1
    this.invocations.interrupt()
    this.replies.drop(!this.deps.interruptsItself || !this.serverTurns)
    this.silence()
  }

  /** What was made and never sounded: the server forgets it. */
  private silence(): void {
    for (const { itemId, totalMs } of this.sounding.cut(0)) {
      this.link.send({ type: 'conversation.item.truncate', item_id: itemId, content_index: 0, audio_end_ms: 0 })
      this.conversation.cut(itemId, 0, totalMs)
    }
  }

  private committed(): void {
    if (this.serverTurns) return
    this.orders += 1
    this.invocations.interrupt()
    this.callerSpeaks = false
    this.replies.drop(true)
    this.silence()
    // Else it goes when there is a session, with all that has waited.
    if (this.link.ready && !this.commit()) return this.emitLater({ type: 'nothing_heard' })
    this.replies.request({ kind: 'turn' })
    this.failIfHopeless()
  }

  private commit(): boolean {
    if (!this.caller.complete(this.deps.options.commit_threshold_ms)) return false
    return this.link.send({ type: 'input_audio_buffer.commit' })
  }

  private emitLater(event: AgentEvent): void {
    const { orders } = this
    void Promise.resolve().then(() => {
      if (!this.life.over && orders === this.orders) this.emit(event)
    })
  }

  /** What we said ourselves becomes part of the conversation once it is known how much of it was heard. */
  private keepOwnWords(heardMs: Milliseconds): void {
    const { ownWords, recordingMs } = this
    if (ownWords === '' || !this.sounding.active) return
    this.ownWords = ''
    const id = this.conversation.makeId()
    this.conversation.put(id, 'assistant', ownWords)
    if (heardMs < recordingMs) this.conversation.cut(id, heardMs, recordingMs)
    const text = this.conversation.textOf(id)
    if (text !== '')
      this.link.send({ type: 'conversation.item.create', item: { ...messageItem('assistant', text), id } })
  }

  // ── what the server says ──────────────────────────────────────────────────────────────────────────────────────

  private received(event: ServerEvent): void {
    switch (event.type) {
      case 'speech_started':
        return this.serverHears(event.itemId)
      case 'speech_stopped':
        return this.serverHeard()
      case 'committed':
        return this.serverCommitted(event.itemId, event.previousItemId)
      case 'item':
        if (event.item.role === 'user' || event.item.role === 'assistant')
          this.conversation.add(event.item.id, event.item.role, event.previousItemId, this.clock.now())
        return
      case 'caller_words':
        return this.callerWords(event.itemId, event.whole, event.text)
      case 'caller_words_failed':
        return this.conversation.callerFailed(event.itemId)
      case 'response_created':
        return this.replies.created(event.responseId, this.replies.awaitsOwn ? 'live' : fateOfAnswer(this.speech))
      case 'error':
        return this.serverRefuses(event.error)
      case 'rate_limits':
        return this.replies.limits(
          Math.max(0, ...event.limits.map(({ remaining, resetMs }) => (remaining > 0 ? 0 : resetMs))),
        )
      case 'acknowledged':
        this.acknowledged(event.what)
        return
      case 'session':
        return
      default:
        return this.replies.event(event)
    }
  }

  private acknowledged(what: string): void {
    this.deps.tally.count(`acknowledged_${what.replaceAll('.', '_')}`)
    this.log.debug('acknowledged', { what })
  }

  private serverHears(itemId: string): void {
    this.acknowledged('input_audio_buffer.speech_started')
    const over = this.sounding.active && !this.deps.interruptsItself
    this.callerSpeaks = true
    this.speech = newSpeech(itemId, over)
    // A reply that nobody has heard yet is void: what comes now belongs to the turn before.
    if (!this.sounding.active) {
      this.orders += 1
      this.invocations.interrupt()
      this.replies.drop(!this.deps.interruptsItself)
    }
    this.emit({ type: 'speech_started' })
  }

  private serverHeard(): void {
    this.acknowledged('input_audio_buffer.speech_stopped')
    this.callerSpeaks = false
    const { speech } = this
    if (speech !== null) speech.stoppedMs = this.clock.now()
    this.emit({ type: 'speech_stopped' })
    if (speech !== null && !speech.over) this.replies.expect()
  }

  private serverCommitted(itemId: string, previousItemId: string | null): void {
    this.acknowledged('input_audio_buffer.committed')
    const { speech } = this
    this.conversation.add(itemId, 'user', previousItemId, speech?.stoppedMs ?? this.clock.now())
    if (speech === null || !this.serverTurns) return
    speech.committed = true
    speech.unanswered = this.replies.isMaking
    if (speech.over && speech.verdict === 'vetoed') this.takeBack({ ...speech, itemId })
    else if (!speech.over && speech.unanswered) this.replies.request({ kind: 'turn' })
  }

  private callerWords(itemId: string, whole: boolean, text: string): void {
    const words = this.conversation.callerSaid(itemId, whole, text)
    if (words !== null && !whole) this.emit({ type: 'transcript', side: 'caller', final: false, text: words })
  }

  private serverRefuses({ code, param, causedBy }: ServerError): void {
    // `input_audio_buffer-commit_12` → `input_audio_buffer-commit`
    const what = causedBy.replace(/_\d+$/, '')
    this.log.debug('the server refuses a message', { code, param, what })
    if (/cancel_not_active/.test(code)) return
    if (/commit_empty/.test(code)) {
      this.replies.drop(true)
      return this.emit({ type: 'nothing_heard' })
    }
    if (what === 'response-create' || /active_response/.test(code)) return this.replies.refused(code)
    const message = `the server refused ${what === '' ? 'a message' : what}: ${code} ${param}`.trim()
    this.emit({ type: 'incident', code: 'server_error', message })
  }

  // ── the connection ────────────────────────────────────────────────────────────────────────────────────────────

  private ready(audio: WireAudio, again: boolean): void {
    this.hopeless = null
    this.age.begins()
    this.audio.ready(audio)
    if (again) this.putBack()
    this.caller.ready(audio)
    // A turn of ours that ended while there was no session.
    if (!this.serverTurns && this.replies.isDue) this.commit()
    this.replies.ready()
  }

  private putBack(): void {
    const items = this.conversation.carryOver()
    if (items.length === 0) return
    const note =
      'The line to you was interrupted and is there again. This is the conversation so far; parts may be missing.'
    this.link.send({ type: 'conversation.item.create', item: messageItem('system', note) })
    for (const { id, role, text } of items)
      this.link.send({ type: 'conversation.item.create', item: { ...messageItem(role, text), id } })
  }

  private lost(code: string, why: string): void {
    this.log.warn('the session is lost, and is made anew', { code, why })
    this.emit({ type: 'incident', code, message: why })
    this.left()
  }

  private renew(): void {
    this.log.info('the session is made anew before it expires')
    this.deps.tally.count('session_renewed')
    this.left()
    this.link.renew()
  }

  /** Nothing more will come of the session that there was. */
  private left(): void {
    const { speech } = this
    this.age.end()
    this.caller.lost()
    this.speech = null
    this.replies.lost()
    if (!this.serverTurns || speech === null) return
    // What the caller was saying went with it.
    if (this.callerSpeaks) this.emit({ type: 'speech_stopped' })
    if (this.callerSpeaks && !speech.over) this.replies.expect()
    this.callerSpeaks = false
  }

  private refused(code: string, why: string, hopeless: boolean): void {
    this.log.warn('no session could be opened', { code, why })
    this.emit({ type: 'incident', code, message: why })
    this.hopeless = hopeless ? { code, why } : null
    this.failIfHopeless()
  }

  private failIfHopeless(): void {
    const { hopeless, orders } = this
    if (hopeless === null || !this.replies.isDue) return
    void Promise.resolve().then(() => {
      if (!this.life.over && orders === this.orders) this.replies.giveUp(hopeless.code, hopeless.why)
    })
  }

  private leave(departure: Departure): void {
    this.emit({ type: 'leave', how: departure })
  }

  private unlikelyFormat(): void {
    this.deps.tally.count('format_mismatch')
    this.log.error('the agent’s audio does not look like the format that was agreed')
    this.emit({ type: 'incident', code: 'format_mismatch', message: 'the audio does not look like the format agreed' })
  }
}

/** What is asked for, best first. */
function wireFormats(format: OpenAiRealtimeOptions['format'], legHz: SampleRateHz): readonly WireAudio[] {
  if (format !== 'auto') return [format]
  return legHz === 8000 ? ['pcmu', 'pcm24'] : ['pcm24']
}
