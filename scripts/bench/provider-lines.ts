import { type Arrivals, frameMs } from './media-arrivals.ts'
import { AudioSocketLine, connected, cycleMessages, sampleRateHz } from './media-audiosocket-lines.ts'
import type { Lines } from './media-load.ts'
import { conversation, noiseUntilMs, placeOf, utterances } from './provider-script.ts'
import type { CallHeard, Stretch } from './provider-wire.ts'

/**
 * Callers of `just bench provider`: they also note when each of their frames leaves. One who begins in the middle of an
 * utterance is silent until it is over.
 */
export class ConversationLine extends AudioSocketLine {
  private readonly sentMs: number[] = []
  private silentFrames: number

  constructor(messages: readonly Uint8Array[], framesMax: number, nth: number) {
    const { fromMs, uuid } = placeOf(nth, crypto.randomUUID())
    super(messages, framesMax, uuid)
    this.next = Math.floor(fromMs / frameMs)
    const cut = utterances.find(({ atMs, durationMs }) => fromMs > atMs && fromMs < atMs + durationMs)
    this.silentFrames = cut === undefined ? 0 : Math.ceil((cut.atMs + cut.durationMs - fromMs) / frameMs)
  }

  protected override messageNow(): Uint8Array {
    if (this.silentFrames === 0) return super.messageNow()
    this.silentFrames -= 1
    return this.messages[this.silentFrames % (noiseUntilMs / frameMs)] as Uint8Array
  }

  protected override sending(): void {
    if (this.arrivals.recording) this.sentMs.push(performance.now())
  }

  /** On the common clock. */
  heard(): CallHeard {
    const { timeOrigin } = performance
    return {
      call: this.uuid,
      sent: this.sentMs.map((atMs) => timeOrigin + atMs),
      audible: stretches(this.arrivals, timeOrigin),
    }
  }
}

export async function conversationLines(port: number): Promise<Lines & { readonly lines: ConversationLine[] }> {
  const messages = cycleMessages(await conversation(sampleRateHz))
  const lines: ConversationLine[] = []
  return {
    lines,
    open(framesMax) {
      const line = new ConversationLine(messages, framesMax, lines.length)
      lines.push(line)
      return connected(port, line)
    },
  }
}

function stretches({ times, audible, count }: Arrivals, originMs: number): Stretch[] {
  const found: { fromMs: number; untilMs: number }[] = []
  for (let index = 0; index < count; index += 1) {
    if (audible[index] === 0) continue
    const atMs = originMs + (times[index] as number)
    const last = found.at(-1)
    if (last === undefined || audible[index - 1] === 0) found.push({ fromMs: atMs, untilMs: atMs })
    else last.untilMs = atMs
  }
  return found
}
