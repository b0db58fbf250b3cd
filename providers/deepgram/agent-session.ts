import { Orders } from '#agent/orders.ts'
import type { Accepted, AgentEvent, AgentInput, CallContext, SessionOf } from '#agent/provider.ts'
import { SessionLife } from '#agent/session-life.ts'
import type { Tally } from '#agent/tally.ts'
import type { OpenSocket } from '#agent/wire-socket.ts'
import type { SampleRateHz } from '#audio/format.ts'
import { failureSound, momentSound } from '#audio/tones.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { Secrets } from '#config/secrets.ts'
import type { Tool } from '#tools/tool.ts'
import type { Account } from './account.ts'
import { type AgentParts, createAgentParts } from './agent-parts.ts'
import type { DeepgramOptions } from './options.ts'
import { SessionChange } from './session-change.ts'
import { readServerMessage, type ServerMessage } from './wire.ts'

/**
 * The Voice Agent of one call: what the engine tells it becomes messages, what the server says becomes events. It is there
 * at once, while its connection is still being made, so that what is said about that reaches the caller, too.
 *
 * The server finds the turns, answers them, and breaks its own replies off when it hears the caller. It cannot be told how
 * much of a reply was heard; what sounds ends only where the coordinator says so.
 */
export interface AgentDeps {
  readonly options: DeepgramOptions
  readonly account: Account
  readonly openSocket: OpenSocket
  readonly random: Random
  readonly log: Log
  readonly tally: Tally
  readonly secrets: Secrets
  readonly tools: readonly Tool[]
  /** What the engine has of a text in its own voice; null where it has nothing. */
  readonly recorded: (text: string, sampleRateHz: SampleRateHz) => Int16Array | null
}

export class AgentSession implements SessionOf<'agent'> {
  private readonly deps: AgentDeps
  private readonly context: CallContext
  private readonly log: Log
  private readonly life: SessionLife
  private readonly parts: AgentParts
  private readonly change: SessionChange
  private listener: (event: AgentEvent) => void = () => {}
  /** The call has begun to talk to us: before that nobody is there who could hear us. */
  private engaged = false
  /** Something has been given to the caller's ear since the last reply was heard to its end. */
  private sounding = false
  /** Of a reply that the server broke off, what is to be said if that was for nothing. */
  private unsaid = ''
  private readonly orders = new Orders(() => this.life.over)

  constructor(deps: AgentDeps, context: CallContext) {
    this.deps = deps
    this.context = context
    this.log = deps.log.with({ part: 'deepgram', call: context.callId })
    this.change = new SessionChange({
      log: this.log,
      tally: deps.tally,
      parts: () => this.parts,
      emit: (event) => this.emit(event),
      later: (action) => this.orders.later(action),
      engaged: () => this.engaged,
      sounding: () => this.sounding,
    })
    this.parts = createAgentParts(deps, context, this.log, {
      emit: (event) => this.emit(event),
      later: (action) => this.orders.later(action),
      // The server speaks first: `Welcome`.
      opened: () => {},
      ready: () => this.change.ready(),
      message: (text) => this.received(text),
      audio: (bytes) => this.audio(bytes),
      lost: (code, why) => this.change.lost(code, why),
      refused: (code, why, hopeless) => this.parts.refusals.refused(code, why, hopeless, this.engaged),
      quiet: () => this.quiet,
      renew: () => this.change.renew('the session is made anew before it expires'),
      startAnew: () => this.change.renew('the server does not answer: another session is asked'),
      wait: () => this.outageLasts(),
      giveUp: () => this.parts.replies.giveUp('no_session', 'there is no session, and none could be opened in time'),
      sounding: () => this.sounding,
      fate: (words) => this.fate(words),
      playFiller: () => this.playFiller(),
      unheard: () => this.change.unheard(),
      missed: () => this.change.missed('connection_lost', 'the session was lost before its words came'),
    })
    this.life = new SessionLife(context.signal, () => this.end())
    this.parts.link.open()
  }

  onEvent(listener: (event: AgentEvent) => void): void {
    this.listener = listener
  }

  send(input: AgentInput): Accepted {
    if (this.life.over) return 'closed'
    if (!this.engaged) this.engage()
    switch (input.type) {
      case 'audio':
        this.parts.ear.push(input.frame.samples)
        this.parts.callerAudio.push(input.frame)
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
      case 'turn_resumed':
        this.drop()
        this.silenced()
        this.parts.turn.voided()
        return 'sent'
      case 'caller_sounds':
        this.parts.hearing.sounds(input.sounds)
        return 'sent'
      // A turn that lasts longer than any is taken for one that has ended here.
      case 'speech_stopped':
      case 'turn_committed':
        this.parts.hearing.sounds(false)
        return 'sent'
      // The server knows of turns by itself.
      case 'speech_started':
        return 'sent'
    }
  }

  close(): Promise<void> {
    return this.life.close()
  }

  private async end(): Promise<void> {
    const { link, age, outage, replies, turn, hearing, keepAlive, functions } = this.parts
    link.close()
    functions.close()
    for (const part of [age, outage, turn, hearing, keepAlive]) 'ends' in part ? part.ends() : part.end()
    replies.close()
    const { listener } = this
    this.listener = () => {}
    listener({ type: 'closed' })
  }

  private emit(event: AgentEvent): void {
    if (event.type === 'reply_started') this.sounding = true
    this.listener(event)
  }

  private engage(): void {
    this.engaged = true
    this.change.watchOutage()
    this.parts.refusals.failIfHopeless()
  }

  private get quiet(): boolean {
    const { turn, replies, functions, hearing } = this.parts
    return turn.silent && !hearing.hears && !this.sounding && !replies.busy && !functions.running
  }

  // ── what the engine says ──────────────────────────────────────────────────────────────────────────────────────

  private say(text: string): void {
    this.orders.given()
    const { options, recorded } = this.deps
    const { replies, own } = this.parts
    const { sampleRateHz, greeting } = this.context
    const isCached = text === greeting && options.greeting_audio === 'cached' && !this.parts.refusals.hopeless
    const ofOwn = isCached || !replies.healthy ? recorded(text, sampleRateHz) : null
    const samples = ofOwn ?? (replies.gaveUp ? failureSound(sampleRateHz) : null)
    if (samples !== null) {
      replies.drop()
      return own.play(samples, text)
    }
    if (text === greeting && (this.parts.asking.greeting || replies.holds)) {
      // It is on its way, or here already.
      replies.expect({ kind: 'say', text })
      this.orders.later(() => replies.release())
    } else replies.request({ kind: 'say', text })
    this.parts.refusals.failIfHopeless()
  }

  private playFiller(): void {
    const { options, recorded } = this.deps
    const { sampleRateHz } = this.context
    this.parts.own.play(recorded(options.filler, sampleRateHz) ?? momentSound(sampleRateHz), '')
  }

  private interrupted(heardMs: Milliseconds): void {
    this.orders.given()
    const { functions, replies, dialogue, turn, hearing } = this.parts
    hearing.sounds(true)
    functions.interrupt()
    // What is held answers the interruption.
    replies.drop(true)
    dialogue.cut(heardMs)
    this.silenced()
    this.change.watchOutage()
    turn.voided()
    turn.believed(true)
  }

  private vetoed(): void {
    const { unsaid } = this
    this.unsaid = ''
    this.parts.turn.vetoed()
    if (unsaid !== '') this.parts.replies.request({ kind: 'rest', text: unsaid })
  }

  private heard(): void {
    const { dialogue, turn, own, replies } = this.parts
    dialogue.heard()
    own.heard()
    this.silenced()
    replies.heard()
    this.change.watchOutage()
    turn.believed(false)
  }

  /** Nothing sounds any more. */
  private silenced(): void {
    this.sounding = false
    this.unsaid = ''
    this.parts.own.silenced()
    this.parts.dialogue.forget()
  }

  /** A reply that nobody has heard yet is void: what comes now belongs to the turn before. */
  private drop(): void {
    this.orders.given()
    this.parts.functions.interrupt()
    this.parts.replies.drop()
    this.parts.dialogue.forget()
  }

  // ── what the server says ──────────────────────────────────────────────────────────────────────────────────────

  private received(text: string): void {
    const { tally } = this.deps
    const message = readServerMessage(text)
    if (message === 'unknown' || message === 'malformed') {
      this.log.debug('a message of the server that is passed over', { why: message })
      return tally.count(`${message}_message`)
    }
    this.handle(message)
  }

  private handle(message: ServerMessage): void {
    const { replies, functions, link, complaints } = this.parts
    switch (message.type) {
      case 'welcome':
        this.log.debug('a session', { request: message.requestId })
        return this.parts.asking.agree(!this.engaged && this.deps.options.greeting_audio === 'agent')
      case 'settings_applied':
        return link.agreed()
      case 'caller_speaks':
        return this.callerSpeaks()
      case 'words':
        return message.side === 'agent' ? replies.words(message.text) : this.callerSaid(message.text)
      case 'audio_done':
        this.parts.decoder.reset()
        return replies.audioDone()
      case 'calls':
        return functions.run(message.calls, this.parts.departing.spoke)
      case 'calls_cancelled':
        return functions.cancel(message.ids)
      case 'injection_refused':
        return this.injectionRefused()
      case 'latency':
        return this.latency(message.sttMs, message.llmMs)
      case 'warning':
        return complaints.warned(message.code)
      case 'error':
        return complaints.failed(message.code)
      case 'thinking':
        return this.acknowledged('AgentThinking')
      case 'acknowledged':
        return this.acknowledged(message.what)
    }
  }

  private acknowledged(what: string): void {
    this.deps.tally.count(`acknowledged_${what}`)
    this.log.debug('acknowledged', { what })
  }

  private audio(bytes: Uint8Array<ArrayBuffer>): void {
    const { decoder, check, complaints, replies } = this.parts
    const samples = decoder.decode(bytes)
    if (samples.length === 0) return
    check.push(samples)
    complaints.voiceHeard()
    replies.audio(samples)
  }

  private callerSpeaks(): void {
    this.acknowledged('UserStartedSpeaking')
    this.parts.decoder.reset()
    const { asking, departing, hearing, replies, turn } = this.parts
    hearing.serverSays()
    if (departing.left) return replies.goOnSaying()
    const due = replies.dueAsk
    const isWaiting = !this.sounding && (due?.kind === 'turn' || due?.kind === 'results')
    asking.forget()
    if (!this.sounding) this.drop()
    this.unsaid = replies.brokenOff()
    turn.started(isWaiting ? due : null)
  }

  private callerSaid(text: string): void {
    if (this.parts.asking.knows(text)) return
    this.parts.departing.spoke = false
    // It has heard them; a breath that it hears behind the words, and makes none of, is another matter.
    this.parts.hearing.end()
    this.parts.turn.said(text)
  }

  /** What a reply that begins now is to be. */
  private fate(words: string | null): 'live' | 'held' | 'dropped' {
    const { departing, asking, turn } = this.parts
    if (departing.left) return 'dropped'
    if (asking.begins(words, turn.answerDue)) return this.engaged ? 'live' : 'held'
    return turn.fateOfReply()
  }

  private latency(sttMs: Milliseconds | null, llmMs: Milliseconds | null): void {
    if (!this.engaged) return
    if (sttMs !== null) this.emit({ type: 'stage', stage: 'stt', durationMs: sttMs })
    if (llmMs !== null) this.emit({ type: 'stage', stage: 'llm_first_token', durationMs: llmMs })
  }

  private injectionRefused(): void {
    this.deps.tally.count('injection_refused')
    this.parts.asking.forget()
    // It believes that a turn is going on which is none.
    if (this.parts.replies.isDue) this.change.renew('the server takes no words: another session is asked')
  }

  /** What is due has a deadline of its own. */
  private outageLasts(): void {
    if (!this.parts.replies.isDue && !this.parts.replies.gaveUp) this.playFiller()
  }
}
