import type { AgentEvent } from '#agent/provider.ts'
import type { Tally } from '#agent/tally.ts'
import type { Log } from '#base/log.ts'
import { auraVoice, type ClientMessage } from './client-wire.ts'
import type { Link } from './link.ts'
import type { Replies } from './replies.ts'

/** What the server says of what went wrong: a warning, after which the session goes on, or an error, which ends it. */
export interface ComplaintsDeps {
  readonly log: Log
  readonly tally: Tally
  readonly link: Link
  readonly replies: Replies
  /** The voice is another maker's, whom Aura can stand in for. */
  readonly replaceable: boolean
  readonly emit: (event: AgentEvent) => void
  readonly send: (message: ClientMessage) => boolean
}

/** What no other attempt would change; the rest may pass. */
const hopelessErrors = /SETTINGS|UNPARSABLE|AGENT_ID|USER_AUDIO_FORMAT/
/** A voice that has failed so many times in a row will not be heard in this call. */
const voiceFailuresMax = 2

export class Complaints {
  private readonly deps: ComplaintsDeps
  private voiceFailures = 0

  constructor(deps: ComplaintsDeps) {
    this.deps = deps
  }

  warned(code: string): void {
    const { tally, log, replies } = this.deps
    tally.count(`warning_${code}`)
    log.warn('the server warns', { code })
    if (code.startsWith('SLOW_')) return replies.modelIsSlow()
    if (code === 'SPEAK_REQUEST_FAILED') this.voiceFailed()
    if (/^(THINK|SPEAK)_REQUEST_FAILED$/.test(code)) replies.failed(code.toLowerCase())
  }

  failed(code: string): void {
    const { tally, link } = this.deps
    tally.count(`error_${code}`)
    const isHopeless = hopelessErrors.test(code)
    const what = isHopeless ? 'session_refused' : 'server_error'
    link.fail(what, `the server ended the session: ${code}`, isHopeless)
  }

  voiceHeard(): void {
    this.voiceFailures = 0
  }

  /** It is replaced, once. */
  private voiceFailed(): void {
    const { replaceable, emit, send } = this.deps
    this.voiceFailures += 1
    if (this.voiceFailures !== voiceFailuresMax || !replaceable) return
    emit({ type: 'incident', code: 'voice_replaced', message: 'the voice does not answer: Aura speaks on' })
    send({ type: 'UpdateSpeak', speak: auraVoice() })
  }
}
