import type { AgentEvent } from '#agent/provider.ts'
import { type SampleRateHz, samplesToMs } from '#audio/format.ts'
import type { Dialogue } from './dialogue.ts'

/**
 * What is said without the server: the greeting while its session opens, fillers and apologies where it does not answer.
 * The model learns of it by its prompt, since there is no message for it, once it has been heard.
 */
export interface OwnVoiceDeps {
  readonly legHz: SampleRateHz
  readonly dialogue: Dialogue
  readonly emit: (event: AgentEvent) => void
  /** Runs it when whoever is at work now has finished, unless something else has been ordered by then. */
  readonly later: (action: () => void) => void
  /** False: there is no session, and the next one is told with all the rest. */
  readonly tellModel: (note: string) => boolean
}

export class OwnVoice {
  /** What sounds of it is nothing but a word to wait. */
  filling = false
  private readonly deps: OwnVoiceDeps
  private words = ''

  constructor(deps: OwnVoiceDeps) {
    this.deps = deps
  }

  /** @param words empty where they belong to no conversation */
  play(samples: Int16Array, words: string): void {
    const { legHz, dialogue, emit, later } = this.deps
    later(() => {
      this.words = words
      this.filling = words === ''
      dialogue.sentence(words)
      emit({ type: 'reply_started' })
      dialogue.audio(samplesToMs(samples.length, legHz))
      emit({ type: 'audio', frame: { sampleRateHz: legHz, samples } })
      dialogue.replyDone()
      emit({ type: 'reply_done' })
    })
  }

  /** It was heard to its end. */
  heard(): void {
    const { words } = this
    this.words = ''
    this.filling = false
    if (words !== '') this.deps.tellModel(`You have just said to the caller: ${JSON.stringify(words)}`)
  }

  /** It was not. */
  silenced(): void {
    this.words = ''
    this.filling = false
  }
}
