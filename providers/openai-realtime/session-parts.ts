import { HearingWatch } from '#agent/hearing-watch.ts'
import { Outage, type OutageListener } from '#agent/outage.ts'
import type { AgentEvent, CallContext } from '#agent/provider.ts'
import { SessionAge, type SessionAgeListener } from '#agent/session-age.ts'
import type { SampleRateHz } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { Invocations, resultInWords } from '#tools/invocations.ts'
import { ToolRunner } from '#tools/tool-runner.ts'
import { AgentAudio } from './agent-audio.ts'
import { CallerAudio } from './caller-audio.ts'
import { CallerSpeech } from './caller-speech.ts'
import { messageItem, sessionUpdate, type WireAudio } from './client-wire.ts'
import { Conversation } from './conversation.ts'
import { Link, type LinkListener } from './link.ts'
import type { OpenAiRealtimeOptions } from './options.ts'
import { OwnVoice } from './own-voice.ts'
import { ReplyMaker } from './reply-maker.ts'
import type { SessionDeps } from './session.ts'
import { Sounding } from './sounding.ts'

/** What a session is made of: each part has one thing to know, and `session.ts` lets them work together. */
export interface SessionParts {
  readonly link: Link
  readonly callerAudio: CallerAudio
  readonly agentAudio: AgentAudio
  readonly conversation: Conversation
  readonly sounding: Sounding
  readonly replies: ReplyMaker
  readonly speech: CallerSpeech
  readonly hearing: HearingWatch
  readonly own: OwnVoice
  readonly invocations: Invocations
  readonly age: SessionAge
  readonly outage: Outage
}

export interface SessionPartsListener extends LinkListener, SessionAgeListener, OutageListener {
  emit(event: AgentEvent): void
  later(action: () => void): void
  playFiller(): void
  unlikelyFormat(): void
  /** Our detector has heard the caller, and the server has not. */
  unheard(): void
}

export function createSessionParts(
  deps: SessionDeps,
  context: CallContext,
  log: Log,
  listener: SessionPartsListener,
): SessionParts {
  const { options, tally, account, openSocket, random, interruptsItself } = deps
  const { clock, sampleRateHz: legHz, signal, prompt, language, callId } = context
  const formats = wireFormats(options.format, legHz)
  const first = formats[0] ?? 'pcm24'
  const runner = new ToolRunner(deps.tools, clock)
  const emit = (event: AgentEvent) => listener.emit(event)
  const later = (action: () => void) => listener.later(action)
  const own = context.voice === undefined ? options : { ...options, voice: context.voice }
  const wishes = { options: own, instructions: prompt, language, tools: runner.declarations, interruptsItself }
  const link = new Link(
    {
      clock,
      random,
      log,
      account,
      openSocket,
      tally,
      timeoutMs: options.connect_timeout_ms,
      formats,
      sessionOf: (audio) => sessionUpdate({ ...wishes, audio }),
    },
    listener,
  )
  const send = link.send.bind(link)
  const note = (text: string) => {
    send({ type: 'conversation.item.create', item: messageItem('system', text) })
  }
  const append = (base64: string) => link.append(base64)
  const dropped = () => tally.count('caller_audio_dropped')
  const again = options.turn_detection.type === 'none'
  const callerAudio = new CallerAudio({ legHz, appendMs: options.append_ms, again, append, dropped }, first)
  const agentAudio = new AgentAudio(legHz, first, () => listener.unlikelyFormat())
  const writesDown = options.input_audio_transcription.model !== ''
  const conversation = new Conversation(clock, writesDown, (side, text, spokenAtMs, corrects) =>
    emit({ type: 'transcript', side, final: true, text, spokenAtMs, ...(corrects === undefined ? {} : { corrects }) }),
  )
  const sounding = new Sounding()
  const leave = (departure: Extract<AgentEvent, { type: 'leave' }>['how']) => {
    invocations.left()
    emit({ type: 'leave', how: departure })
  }
  const replies: ReplyMaker = new ReplyMaker({
    clock,
    legHz,
    tally,
    conversation,
    sounding,
    audio: () => agentAudio,
    emit,
    prompt,
    timeoutMs: options.reply_timeout_ms,
    send,
    playFiller: () => listener.playFiller(),
    invoke: (wanted, spoke) => invocations.run(wanted, spoke),
    leave,
    fateOfAnswer: () => speech.answer(),
  })
  const invocations: Invocations = new Invocations({
    clock,
    log,
    tally,
    runner,
    context: { callId, canTransfer: context.canTransfer === true, signal },
    emit,
    session: () => link.sessions,
    timeoutMs: options.reply_timeout_ms,
    wait: () => {
      if (!sounding.active) listener.playFiller()
    },
    tell(result, asked) {
      if (!asked) return note(resultInWords(result))
      const item = { type: 'function_call_output' as const, call_id: result.id, output: result.output }
      send({ type: 'conversation.item.create', item })
    },
    note,
    goOn: () => replies.request({ kind: 'results' }),
    follow(departure, spoke) {
      if (departure === null) replies.request({ kind: 'results' })
      else if (spoke) leave(departure)
      else replies.request({ kind: 'farewell', departure })
      return departure !== null && !spoke
    },
  })
  const speech = new CallerSpeech({ clock, conversation, sounding, replies, interruptsItself, emit, send, later })
  return {
    link,
    callerAudio,
    agentAudio,
    conversation,
    sounding,
    replies,
    speech,
    hearing: new HearingWatch({
      clock,
      endMaxMs: endMaxMs(options),
      serverHears: () => speech.sounds,
      unheard: () => listener.unheard(),
    }),
    own: new OwnVoice({ legHz, sounding, conversation, emit, send, later }),
    invocations,
    age: new SessionAge(clock, options.renew_after_ms, listener),
    outage: new Outage(clock, options.reply_timeout_ms, listener),
  }
}

/** What is asked for, best first. */
function wireFormats(format: OpenAiRealtimeOptions['format'], legHz: SampleRateHz): readonly WireAudio[] {
  if (format !== 'auto') return [format]
  return legHz === 8000 ? ['pcmu', 'pcm24'] : ['pcm24']
}

/** The server's own silence: as long as each eagerness waits at most, by the documentation. */
const eagernessMs = { low: 8000, medium: 4000, auto: 4000, high: 2000 } as const

function endMaxMs({ turn_detection: turns }: OpenAiRealtimeOptions): Milliseconds {
  return turns.type === 'semantic_vad' ? eagernessMs[turns.eagerness] : turns.silence_duration_ms
}
