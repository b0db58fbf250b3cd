import type { AgentEvent } from '#agent/provider.ts'
import type { Tally } from '#agent/tally.ts'
import { type SampleRateHz, samplesToMs } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { AgentAudio } from './agent-audio.ts'
import type { Conversation } from './conversation.ts'
import { noteInvocation, type Response } from './response.ts'
import type { Sounding } from './sounding.ts'
import type { ServerEvent } from './wire.ts'

/** What a reply that is wanted consists of, on its way to the caller: audio, words, and the functions it asks for. */
export interface ReplyContentDeps {
  readonly clock: Clock
  readonly legHz: SampleRateHz
  readonly tally: Tally
  readonly conversation: Conversation
  readonly sounding: Sounding
  readonly audio: () => AgentAudio
  readonly emit: (event: AgentEvent) => void
  readonly timeoutMs: Milliseconds
}

export interface ReplyContentListener {
  /** Its first audio is there; told before that is passed on. */
  begins(response: Response): void
  /** That has been passed on. */
  begun(): void
  /** Its audio has stopped coming. */
  stalled(response: Response): void
}

/** Audio that stops coming for so long in mid-reply will not go on; where replies have less time, this has as well. */
const stallMaxMs: Milliseconds = 5000

export class ReplyContent {
  private readonly deps: ReplyContentDeps
  private readonly listener: ReplyContentListener
  private readonly stallMs: Milliseconds
  private stall: Disposable | null = null

  constructor(deps: ReplyContentDeps, listener: ReplyContentListener) {
    this.deps = deps
    this.listener = listener
    this.stallMs = Math.min(stallMaxMs, deps.timeoutMs)
  }

  event(response: Response, event: ServerEvent): void {
    switch (event.type) {
      case 'audio':
        return this.heard(response, event.itemId, event.base64)
      case 'audio_done':
        if (response.audible) this.sound(event.itemId, this.deps.audio().finish(), 0)
        return this.deps.sounding.complete(event.itemId)
      case 'agent_words':
        this.note(response, event.itemId)
        return this.deps.conversation.agentSaid(event.itemId, event.whole, event.text)
      case 'output_item':
        if (event.item.invocation !== null) noteInvocation(response, event.item.invocation)
        else if (event.item.kind === 'message') this.note(response, event.item.id)
        return
      case 'invocation':
        return noteInvocation(response, event.invocation)
    }
  }

  /** No more of it will come, or is wanted. */
  end(response: Response): void {
    this.stall?.[Symbol.dispose]()
    this.stall = null
    for (const id of response.itemIds) this.deps.conversation.settle(id)
  }

  private note(response: Response, itemId: string): void {
    if (response.itemIds.includes(itemId)) return
    response.itemIds.push(itemId)
    this.deps.conversation.add(itemId, 'assistant', null, this.deps.clock.now())
  }

  private heard(response: Response, itemId: string, base64: string): void {
    const audio = this.deps.audio()
    const samples = audio.decode(base64)
    if (samples === null) return this.deps.tally.count('bad_audio')
    this.note(response, itemId)
    response.lastAudioMs = this.deps.clock.now()
    const first = !response.audible
    if (first) {
      response.audible = true
      this.listener.begins(response)
      this.watch(response)
    }
    this.sound(itemId, samples, audio.lastMs)
    if (first) this.listener.begun()
  }

  private sound(itemId: string, samples: Int16Array, receivedMs: Milliseconds): void {
    const { legHz, sounding, emit } = this.deps
    if (samples.length === 0 && receivedMs === 0) return
    sounding.add(itemId, samplesToMs(samples.length, legHz), receivedMs)
    if (samples.length === 0) return
    emit({ type: 'audio', frame: { sampleRateHz: legHz, samples } })
  }

  private watch(response: Response): void {
    const { stallMs } = this
    const { clock } = this.deps
    this.stall = clock.after(stallMs - (clock.now() - response.lastAudioMs), () => {
      if (clock.now() - response.lastAudioMs >= stallMs) this.listener.stalled(response)
      else this.watch(response)
    })
  }
}
