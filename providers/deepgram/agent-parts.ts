import { HearingWatch } from '#agent/hearing-watch.ts'
import { Outage, type OutageListener } from '#agent/outage.ts'
import type { AgentEvent, CallContext } from '#agent/provider.ts'
import { SessionAge, type SessionAgeListener } from '#agent/session-age.ts'
import { FormatCheck } from '#audio/format-check.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { Invocations, resultInWords } from '#tools/invocations.ts'
import { ToolRunner } from '#tools/tool-runner.ts'
import type { AgentDeps } from './agent-session.ts'
import { Asking } from './asking.ts'
import { CallerAudio } from './caller-audio.ts'
import { CallerEar } from './caller-ear.ts'
import { CallerTurn } from './caller-turn.ts'
import { type ClientMessage, settings } from './client-wire.ts'
import { Complaints } from './complaints.ts'
import { Departing } from './departing.ts'
import { Dialogue } from './dialogue.ts'
import { KeepAlive } from './keep-alive.ts'
import { Link, type LinkListener } from './link.ts'
import { isFlux } from './listen-url.ts'
import type { DeepgramOptions } from './options.ts'
import { OwnVoice } from './own-voice.ts'
import { Refusals } from './refusals.ts'
import { Replies } from './replies.ts'
import { Decoder, wireAudio } from './wire-audio.ts'

/** What a session is made of: each part has one thing to know, and `agent-session.ts` lets them work together. */
export interface AgentParts {
  readonly link: Link
  readonly callerAudio: CallerAudio
  readonly ear: CallerEar
  readonly decoder: Decoder
  readonly check: FormatCheck
  readonly dialogue: Dialogue
  readonly replies: Replies
  readonly refusals: Refusals
  readonly asking: Asking
  readonly departing: Departing
  readonly complaints: Complaints
  readonly turn: CallerTurn
  readonly hearing: HearingWatch
  readonly own: OwnVoice
  readonly functions: Invocations
  readonly age: SessionAge
  readonly outage: Outage
  readonly keepAlive: KeepAlive
  readonly send: (message: ClientMessage) => boolean
}

export interface AgentPartsListener extends LinkListener, SessionAgeListener, OutageListener {
  emit(event: AgentEvent): void
  later(action: () => void): void
  sounding(): boolean
  fate(words: string | null): 'live' | 'held' | 'dropped'
  startAnew(): void
  playFiller(): void
  /** Our detector has heard the caller, and the server has not. */
  unheard(): void
  /** Nobody knows what the caller has said. */
  missed(): void
}

/** A turn without words: so long after the voice. nova ends one by its own silence, Flux may think for longer. */
const wordsMaxMs: Milliseconds = 4000
/** Who has spoken for so long has said words; that none have come is noticed so long before the turn is forgotten. */
const wordlessVoiceMinMs: Milliseconds = 1000
const wordsMarginMs: Milliseconds = 2000

export function createAgentParts(
  deps: AgentDeps,
  context: CallContext,
  log: Log,
  listener: AgentPartsListener,
): AgentParts {
  const { options, account, openSocket, random, tally, tools, secrets } = deps
  const { clock, sampleRateHz: legHz, prompt, language, callId, signal } = context
  const audio = wireAudio(options.encoding, context)
  const runner = new ToolRunner(tools, clock)
  const emit = (event: AgentEvent) => listener.emit(event)
  const later = (action: () => void) => listener.later(action)
  const timeoutMs = options.connect_timeout_ms
  const link = new Link({ clock, random, account, openSocket, tally, timeoutMs, url: options.ws_url }, listener)
  const send = (message: ClientMessage) => link.send(message)
  const keepAlive = new KeepAlive(clock, () => send({ type: 'KeepAlive' }))
  const callerAudio = new CallerAudio({
    audio,
    chunkMs: options.chunk_ms,
    send: (bytes) => {
      keepAlive.sent()
      return link.audio(bytes)
    },
    dropped: () => tally.count('caller_audio_dropped'),
    repeats: false,
  })
  const ear = new CallerEar(clock)
  const dialogue = new Dialogue(clock, {
    tell: (side, text, spokenAtMs, corrects) =>
      emit({
        type: 'transcript',
        side,
        final: true,
        text,
        spokenAtMs,
        ...(corrects === undefined ? {} : { corrects }),
      }),
  })
  const unlikely = () => {
    tally.count('format_mismatch')
    log.error('the agent’s audio does not look like the format that was agreed')
    emit({ type: 'incident', code: 'format_mismatch', message: 'the audio does not look like what was agreed' })
  }
  const departing = new Departing({
    replies: () => replies,
    leave(how) {
      functions.left()
      emit({ type: 'leave', how })
    },
  })
  const note = (text: string) => send({ type: 'UpdatePrompt', prompt: text })
  const wishes = { options, audio, prompt, language, tools: runner.declarations, secrets }
  const asking = new Asking({
    context,
    dialogue,
    replies: () => replies,
    ready: () => link.ready,
    works: () => functions.running,
    send,
    settings: (greeting) =>
      settings({ ...wishes, greeting, history: dialogue.carryOver(), results: functions.results }),
  })
  const replies: Replies = new Replies({
    clock,
    legHz,
    tally,
    dialogue,
    timeoutMs: options.reply_timeout_ms,
    emit(event) {
      if (event.type === 'reply_started') departing.spoke = true
      emit(event)
    },
    fate: (words) => listener.fate(words),
    ordered: (words) => !departing.left && asking.expects(words),
    occupied: () => listener.sounding() && !own.filling,
    works: () => functions.running,
    ask: (ask, again) => asking.ask(ask, again),
    startAnew: () => listener.startAnew(),
    playFiller: () => listener.playFiller(),
    leave: (departure) => departing.leave(departure),
  })
  const own = new OwnVoice({ legHz, dialogue, emit, later, tellModel: note })
  const functions: Invocations = new Invocations({
    clock,
    log,
    tally,
    runner,
    context: { callId, canTransfer: context.canTransfer === true, signal },
    emit,
    session: () => link.sessions,
    timeoutMs: options.reply_timeout_ms,
    wait() {
      // What is due has a deadline of its own.
      if (!listener.sounding() && !replies.isDue) listener.playFiller()
    },
    tell(result, asked) {
      const { id, name, output } = result
      if (asked) send({ type: 'FunctionCallResponse', id, name, content: output })
      else note(resultInWords(result))
    },
    note,
    // The server waits for an answer that it has had.
    goOn: null,
    follow(departure, _, asked) {
      if (departure !== null) return departing.decided(departure, asked)
      if (asked) replies.expect({ kind: 'results' })
      else replies.askAnew({ kind: 'results' })
      return false
    },
  })
  const turn = new CallerTurn({
    clock,
    ear,
    dialogue,
    replies,
    sounding: () => listener.sounding(),
    emit,
    later,
    missed: () => listener.missed(),
    wordsMaxMs: longestPauseMs(options),
  })
  return {
    link,
    callerAudio,
    ear,
    decoder: new Decoder(audio),
    check: new FormatCheck(unlikely),
    dialogue,
    replies,
    refusals: new Refusals({ log, emit, later, giveUp: (code, why) => replies.giveUp(code, why) }),
    asking,
    departing,
    complaints: new Complaints({
      log,
      tally,
      link,
      replies,
      emit,
      send,
      replaceable: options.speak.provider !== 'deepgram',
    }),
    turn,
    hearing: new HearingWatch({
      clock,
      endMaxMs: longestPauseMs(options) - wordsMarginMs,
      // Of a short sound it may rightly make no words.
      serverHears: (voiceMs) => voiceMs >= wordlessVoiceMinMs && !turn.silent,
      unheard: () => listener.unheard(),
    }),
    own,
    functions,
    age: new SessionAge(clock, options.renew_after_ms, listener),
    outage: new Outage(clock, options.reply_timeout_ms, listener),
    keepAlive,
    send,
  }
}

function longestPauseMs({ listen }: DeepgramOptions): Milliseconds {
  return isFlux(listen.model) ? Math.max(wordsMaxMs, listen.eot_timeout_ms + 1000) : wordsMaxMs
}
