import { msToSamples } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { LlmEvent, LlmInput, Role, Roles, SttEvent, SttInput, TtsEvent, TtsInput } from './provider.ts'

/**
 * What a part of a cascade has been asked for and has not given: by this another session takes over, and the turn is not
 * lost. Pure; one for each role.
 */
export type PartRole = Exclude<Role, 'agent'>

export interface PartMemory<R extends PartRole> {
  sent(input: Roles[R]['input']): void
  came(event: Roles[R]['event']): void
  /** Something is waited for. */
  readonly isDue: boolean
  /** Nothing of it has been given that would be given twice. */
  readonly isRepeatable: boolean
  /** With this event what was asked for has been given. */
  completes(event: Roles[R]['event']): boolean
  /** What another session is told. */
  readonly again: readonly Roles[R]['input'][]
  /** Nobody else can give it. @returns what is owed all the same */
  giveUp(): readonly Roles[R]['event'][]
}

const memories: { readonly [R in PartRole]: () => PartMemory<R> } = {
  stt: () => new SttMemory(),
  llm: () => new LlmMemory(),
  tts: () => new TtsMemory(),
}

export function createMemory<R extends PartRole>(role: R): PartMemory<R> {
  return memories[role]()
}

/** The longest turn (`vad.max_turn_ms`) has 30 s as it comes; of one that is longer the newest is kept. */
const turnMsMax: Milliseconds = 40_000

/** The audio of the turn. Interims do not matter: the final that comes in the end has all of the turn's words. */
class SttMemory implements PartMemory<'stt'> {
  readonly isRepeatable = true
  private inputs: SttInput[] = []
  private audioMs: Milliseconds = 0

  sent(input: SttInput): void {
    if (input.type !== 'audio') {
      this.inputs.push(input)
      return
    }
    const { frame } = input
    // A frame is a view on what is overwritten.
    this.inputs.push({ type: 'audio', frame: { ...frame, samples: frame.samples.slice() } })
    this.audioMs += durationMs(input)
    while (this.audioMs > turnMsMax) this.forgetOldest()
  }

  came(event: SttEvent): void {
    if (!this.completes(event)) return
    const end = this.inputs.findIndex(({ type }) => type === 'finalize')
    this.keepFrom(end + 1)
  }

  get isDue(): boolean {
    return this.inputs.some(({ type }) => type === 'finalize')
  }

  completes(event: SttEvent): boolean {
    return event.type === 'transcript' && event.final
  }

  get again(): readonly SttInput[] {
    return this.inputs
  }

  /** One final for each turn that is over. */
  giveUp(): readonly SttEvent[] {
    const owed = this.inputs.filter(({ type }) => type === 'finalize')
    this.keepFrom(this.inputs.findLastIndex(({ type }) => type === 'finalize') + 1)
    return owed.map(() => ({ type: 'transcript', final: true, text: '' }))
  }

  private keepFrom(index: number): void {
    this.inputs = this.inputs.slice(index)
    this.audioMs = this.inputs.reduce((sum, input) => sum + durationMs(input), 0)
  }

  private forgetOldest(): void {
    const oldest = this.inputs.findIndex(({ type }) => type === 'audio')
    const [forgotten] = this.inputs.splice(oldest, 1)
    this.audioMs -= forgotten === undefined ? 0 : durationMs(forgotten)
  }
}

function durationMs(input: SttInput): Milliseconds {
  if (input.type !== 'audio') return 0
  const { samples, sampleRateHz } = input.frame
  return samples.length / msToSamples(1, sampleRateHz)
}

/** The question. Once a word of the answer is out it may have been spoken. */
class LlmMemory implements PartMemory<'llm'> {
  private question: LlmInput | null = null
  private gave: boolean = false

  sent(input: LlmInput): void {
    this.question = input.type === 'generate' ? input : null
    this.gave = false
  }

  came(event: LlmEvent): void {
    if (event.type === 'text' || event.type === 'function_calls') this.gave = true
    if (this.completes(event)) this.question = null
  }

  get isDue(): boolean {
    return this.question !== null
  }

  completes(event: LlmEvent): boolean {
    return event.type === 'done'
  }

  get isRepeatable(): boolean {
    return this.question === null || !this.gave
  }

  get again(): readonly LlmInput[] {
    return this.question === null ? [] : [this.question]
  }

  giveUp(): readonly LlmEvent[] {
    this.question = null
    return []
  }
}

/** The sentences that have not been spoken. One that sounds already would be heard twice. */
class TtsMemory implements PartMemory<'tts'> {
  private sentences: TtsInput[] = []
  private sounds: boolean = false

  sent(input: TtsInput): void {
    if (input.type === 'speak') this.sentences.push(input)
    else this.giveUp()
  }

  came(event: TtsEvent): void {
    if (event.type === 'audio') this.sounds = true
    if (!this.completes(event)) return
    this.sentences.shift()
    this.sounds = false
  }

  get isDue(): boolean {
    return this.sentences.length > 0
  }

  completes(event: TtsEvent): boolean {
    return event.type === 'spoken'
  }

  get isRepeatable(): boolean {
    return !this.sounds
  }

  get again(): readonly TtsInput[] {
    return this.sentences
  }

  giveUp(): readonly TtsEvent[] {
    this.sentences = []
    this.sounds = false
    return []
  }
}
