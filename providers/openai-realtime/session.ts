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
import type { Tool } from '#tools/tool.ts'
import type { Account } from './account.ts'
import type { WireAudio } from './client-wire.ts'
import type { OpenAiRealtimeOptions } from './options.ts'
import { putBack, tellHeard } from './put-back.ts'
import { createSessionParts, type SessionParts } from './session-parts.ts'
import { usageOf } from './usage-wire.ts'
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
  private readonly log: Log
  private readonly life: SessionLife
  private readonly parts: SessionParts
  private listener: (event: AgentEvent) => void = () => {}
  /** The call has begun to talk to us: before that nobody is there who could hear that we failed. */
  private engaged = false
  /** Our own detector hears the caller. */
  private callerSpeaks = false
  private readonly orders = new Orders(() => this.life.over)
  /** Why no session will open; null while there is hope. */
  private hopeless: { readonly code: string; readonly why: string } | null = null

  constructor(deps: SessionDeps, context: CallContext) {
    this.deps = deps
    this.context = context
    this.log = deps.log.with({ part: 'openai_realtime', call: context.callId })
    this.parts = createSessionParts(deps, context, this.log, {
      emit: (event) => this.listener(event),
      later: (action) => this.orders.later(action),
      playFiller: () => this.playFiller(),
      ready: (audio, again) => this.ready(audio, again),
      event: (event) => this.received(event),
      lost: (code, why) => this.lost(code, why),
      refused: (code, why, hopeless) => this.refused(code, why, hopeless),
      quiet: () => this.quiet,
      renew: () => this.renew(),
      unlikelyFormat: () => this.unlikelyFormat(),
      unheard: () => this.unheard(),
      wait: () => this.outageLasts(),
      giveUp: () => this.parts.replies.giveUp('no_session', 'there is no session, and none could be opened in time'),
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
        this.parts.callerAudio.push(input.frame)
        return 'sent'
      case 'say':
        this.say(input.text)
        return 'sent'
      case 'interrupted':
        this.interrupted(input.heardMs)
        return 'sent'
      case 'not_interrupted':
        this.parts.speech.vetoed()
        return 'sent'
      case 'reply_heard':
        this.heard()
        return 'sent'
      case 'speech_started':
      case 'speech_stopped':
        this.callerSpeaks = input.type === 'speech_started'
        if (!this.callerSpeaks) this.parts.hearing.sounds(false)
        return 'sent'
      case 'caller_sounds':
        this.parts.hearing.sounds(input.sounds)
        return 'sent'
      case 'turn_resumed':
        this.begin(!this.serverTurns || !this.deps.interruptsItself)
        return 'sent'
      case 'turn_committed':
        if (this.serverTurns) this.neverEnds()
        else this.committed()
        return 'sent'
    }
  }

  close(): Promise<void> {
    return this.life.close()
  }

  private async end(): Promise<void> {
    const { link, age, hearing, outage, replies, conversation, invocations } = this.parts
    link.close()
    invocations.close()
    hearing.end()
    age.end()
    outage.ends()
    replies.close()
    conversation.close()
    const { listener } = this
    this.listener = () => {}
    listener({ type: 'closed' })
  }

  private engage(): void {
    this.engaged = true
    this.watchOutage()
    this.failIfHopeless()
  }

  /** The server finds the turns. */
  private get serverTurns(): boolean {
    return this.deps.options.turn_detection.type !== 'none'
  }

  private get quiet(): boolean {
    const { speech, sounding, replies, invocations } = this.parts
    return !this.callerSpeaks && !speech.sounds && !sounding.active && !replies.busy && !invocations.running
  }

  // ── what the engine says ──────────────────────────────────────────────────────────────────────────────────────

  private say(text: string): void {
    this.orders.given()
    const { options, recorded } = this.deps
    const { replies, own } = this.parts
    const { sampleRateHz, greeting } = this.context
    const isGreeting = text === greeting && options.greeting_audio === 'cached' && this.hopeless === null
    const ofOwn = isGreeting || !replies.healthy ? recorded(text, sampleRateHz) : null
    const samples = ofOwn ?? (replies.gaveUp ? failureSound(sampleRateHz) : null)
    if (samples !== null) {
      replies.drop(true)
      return own.play(samples, text)
    }
    replies.request({ kind: 'say', text })
    this.failIfHopeless()
  }

  private playFiller(): void {
    const { options, recorded } = this.deps
    const { sampleRateHz } = this.context
    this.parts.own.play(recorded(options.filler, sampleRateHz) ?? momentSound(sampleRateHz), '')
  }

  private interrupted(heardMs: Milliseconds): void {
    const { speech, own, hearing } = this.parts
    hearing.sounds(true)
    // The server has cancelled it already where it has heard the caller itself. What is held answers them.
    this.drop(!this.deps.interruptsItself || !speech.sounds, true)
    own.heard(heardMs)
    this.truncate(heardMs)
    this.watchOutage()
    speech.believed(true)
  }

  /** A reply that nobody has heard yet is void: what comes now belongs to the turn before. */
  private begin(cancel: boolean): void {
    this.drop(cancel)
    this.truncate(0)
  }

  private drop(cancel: boolean, keepHeld = false): void {
    this.orders.given()
    this.parts.invocations.interrupt()
    this.parts.replies.drop(cancel, keepHeld)
  }

  private truncate(heardMs: Milliseconds): void {
    const { sounding, link, conversation } = this.parts
    for (const cut of sounding.cut(heardMs)) tellHeard(cut, conversation, (event) => link.send(event))
  }

  /** The caller's turn lasts longer than any, as the server has it. */
  private neverEnds(): void {
    const { speech, replies } = this.parts
    replies.expect(speech.sounds ? { kind: 'missed' } : null)
  }

  /** Our own detector has heard them, and the server has not. */
  private unheard(): void {
    const { link, sounding, replies } = this.parts
    if (link.ready && !sounding.active) replies.expect({ kind: 'missed' })
  }

  private heard(): void {
    const { own, sounding, speech, replies } = this.parts
    own.heard(Number.POSITIVE_INFINITY)
    sounding.heard()
    replies.heard()
    this.watchOutage()
    speech.believed(false)
  }

  private committed(): void {
    const { link, replies } = this.parts
    this.callerSpeaks = false
    this.begin(true)
    // Else it goes when there is a session, with all that has waited.
    if (link.ready && !this.commit()) return this.orders.later(() => this.listener({ type: 'nothing_heard' }))
    replies.request({ kind: 'turn' })
    this.failIfHopeless()
  }

  private commit(): boolean {
    const { callerAudio, link } = this.parts
    if (!callerAudio.complete(this.deps.options.commit_threshold_ms)) return false
    return link.send({ type: 'input_audio_buffer.commit' })
  }

  // ── what the server says ──────────────────────────────────────────────────────────────────────────────────────

  private received(event: ServerEvent): void {
    const { speech, conversation, replies, sounding, hearing } = this.parts
    if (event.type === 'response_done') for (const usage of usageOf(event.response)) this.listener(usage)
    switch (event.type) {
      case 'speech_started':
        this.acknowledged('input_audio_buffer.speech_started')
        hearing.serverSays()
        if (!sounding.active) this.begin(!this.deps.interruptsItself)
        return speech.started()
      case 'speech_stopped':
        this.acknowledged('input_audio_buffer.speech_stopped')
        hearing.serverSays()
        return speech.stopped()
      case 'committed':
        this.acknowledged('input_audio_buffer.committed')
        this.parts.callerAudio.acknowledged()
        return speech.committed(event.itemId, event.previousItemId)
      case 'item':
        return this.item(event.item.id, event.item.role, event.previousItemId)
      case 'caller_words':
        return this.callerWords(event.itemId, event.whole, event.text)
      case 'caller_words_failed':
        return conversation.callerFailed(event.itemId)
      case 'response_created':
        this.parts.callerAudio.answered()
        return replies.created(event.responseId, event.ask)
      case 'error':
        return this.serverRefuses(event.error)
      case 'rate_limits':
        return replies.limits(Math.max(0, ...event.limits.map((each) => (each.remaining > 0 ? 0 : each.resetMs))))
      case 'acknowledged':
        return this.acknowledged(event.what)
      case 'session':
        return
      default:
        return replies.event(event)
    }
  }

  private acknowledged(what: string): void {
    // What the pieces of a reply are, its audio and its words tell.
    if (!what.startsWith('response.')) this.deps.tally.count(`acknowledged_${what.replaceAll('.', '_')}`)
    this.log.debug('acknowledged', { what })
  }

  private item(id: string, role: 'user' | 'assistant' | 'system' | null, previousId: string | null): void {
    if (role === 'user') this.parts.conversation.add(id, role, previousId, this.context.clock.now())
  }

  private callerWords(itemId: string, whole: boolean, text: string): void {
    const words = this.parts.conversation.callerSaid(itemId, whole, text)
    if (words === null || whole) return
    const spokenAtMs = this.parts.conversation.spokenAtMs(itemId)
    this.listener({ type: 'transcript', side: 'caller', final: false, text: words, spokenAtMs })
  }

  private serverRefuses({ code, param, causedBy }: ServerError): void {
    const { replies } = this.parts
    // `input_audio_buffer-commit_12` → `input_audio_buffer-commit`
    const what = causedBy.replace(/_\d+$/, '')
    this.log.debug('the server refuses a message', { code, param, what })
    // It was done with the one before our word came, or has never kept what was made for nobody.
    if (/cancel_not_active|item_delete_invalid/.test(code)) return
    if (what === 'input_audio_buffer-commit' || /commit_empty/.test(code)) this.parts.callerAudio.acknowledged()
    if (/commit_empty/.test(code)) {
      this.drop(true)
      return this.listener({ type: 'nothing_heard' })
    }
    const ours = what === 'response-create'
    if (ours || /active_response/.test(code)) return replies.refused(code, ours)
    const message = `the server refused ${what === '' ? 'a message' : what}: ${code} ${param}`.trim()
    this.listener({ type: 'incident', code: 'server_error', message })
    // Without a cause it may be the reply that is due: who waits for it is not to wait for the deadline.
    if (what === '') replies.refused(code, false)
  }

  // ── the connection ────────────────────────────────────────────────────────────────────────────────────────────

  private ready(audio: WireAudio, again: boolean): void {
    const { age, agentAudio, callerAudio, conversation, invocations, link, outage, replies, sounding, speech } =
      this.parts
    this.hopeless = null
    outage.ends()
    age.begins()
    agentAudio.ready(audio)
    const ids = putBack(conversation, invocations.results, again, (event) => link.send(event))
    sounding.rename(ids)
    speech.rename(ids)
    callerAudio.ready(audio)
    // A turn of ours that ended while there was no session.
    const committed = !this.serverTurns && replies.turnIsDue && this.commit()
    replies.ready(committed)
  }

  private lost(code: string, why: string): void {
    this.log.warn('the session is lost, and is made anew', { code, why })
    this.listener({ type: 'incident', code, message: why })
    this.left()
  }

  private renew(): void {
    this.log.info('the session is made anew before it expires')
    this.deps.tally.count('session_renewed')
    this.left()
    this.parts.link.renew()
  }

  /** Nothing more will come of the session that there was. */
  private left(): void {
    const { age, callerAudio, replies, speech } = this.parts
    age.end()
    callerAudio.lost()
    replies.lost()
    speech.lost()
    this.watchOutage()
  }

  /** While something is heard nobody is left in silence. */
  private watchOutage(): void {
    const { link, outage, sounding } = this.parts
    if (this.engaged && !link.ready && !sounding.active) outage.begins()
  }

  private refused(code: string, why: string, hopeless: boolean): void {
    this.log.warn('no session could be opened', { code, why })
    this.listener({ type: 'incident', code, message: why })
    this.hopeless = hopeless ? { code, why } : null
    if (hopeless && this.engaged) this.parts.replies.giveUp(code, why)
  }

  private failIfHopeless(): void {
    const { hopeless } = this
    if (hopeless !== null) this.orders.later(() => this.parts.replies.giveUp(hopeless.code, hopeless.why))
  }

  /** What is due has a deadline of its own. */
  private outageLasts(): void {
    if (!this.parts.replies.isDue && !this.parts.replies.gaveUp) this.playFiller()
  }

  private unlikelyFormat(): void {
    this.deps.tally.count('format_mismatch')
    this.log.error('the agent’s audio does not look like the format that was agreed')
    this.listener({
      type: 'incident',
      code: 'format_mismatch',
      message: 'the audio does not look like what was agreed',
    })
  }
}
