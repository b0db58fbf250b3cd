import type { Arrivals } from './media-arrivals.ts'
import { AudioSocketLine, connected, cycleMessages, sampleRateHz } from './media-audiosocket-lines.ts'
import type { Lines } from './media-load.ts'
import { conversation } from './provider-script.ts'
import type { CallHeard, Stretch } from './provider-wire.ts'

/** Callers of `just bench provider`: they also note when each of their frames leaves. */
export class ConversationLine extends AudioSocketLine {
  private readonly sentMs: number[] = []

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
      const line = new ConversationLine(messages, framesMax)
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
