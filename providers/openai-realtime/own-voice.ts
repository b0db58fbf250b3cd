import type { AgentEvent } from '#agent/provider.ts'
import { type SampleRateHz, samplesToMs } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'
import { messageItem } from './client-wire.ts'
import type { Conversation } from './conversation.ts'
import type { Sendable } from './link.ts'
import type { Sounding } from './sounding.ts'

/**
 * What is said without the server: the greeting while its session opens, fillers and apologies where it does not answer.
 * Words become part of the conversation once it is known how much of them was heard.
 */
export interface OwnVoiceDeps {
  readonly legHz: SampleRateHz
  readonly sounding: Sounding
  readonly conversation: Conversation
  readonly emit: (event: AgentEvent) => void
  readonly send: (event: Sendable) => boolean
  /** Runs it when whoever is at work now has finished, unless something else has been ordered by then. */
  readonly later: (action: () => void) => void
}

export class OwnVoice {
  private readonly deps: OwnVoiceDeps
  private words = ''
  private durationMs: Milliseconds = 0

  constructor(deps: OwnVoiceDeps) {
    this.deps = deps
  }

  /** @param words empty where they belong to no conversation */
  play(samples: Int16Array, words: string): void {
    const { legHz, sounding, emit, later } = this.deps
    // Whoever has ordered it hears nothing of it before the order returns.
    later(() => {
      this.words = words
      this.durationMs = samplesToMs(samples.length, legHz)
      sounding.add(null, this.durationMs, 0)
      emit({ type: 'reply_started' })
      emit({ type: 'audio', frame: { sampleRateHz: legHz, samples } })
      emit({ type: 'reply_done' })
    })
  }

  /** So much of what sounds has been heard. */
  heard(heardMs: Milliseconds): void {
    const { words, durationMs } = this
    const { conversation, send } = this.deps
    this.words = ''
    if (words === '') return
    const id = conversation.makeId()
    conversation.put(id, 'assistant', words)
    if (heardMs < durationMs) conversation.cut(id, heardMs, durationMs)
    const text = conversation.textOf(id)
    if (text !== '') send({ type: 'conversation.item.create', item: { ...messageItem('assistant', text), id } })
  }
}
