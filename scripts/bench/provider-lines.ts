import { AudioSocketLine, connected, cycleMessages, sampleRateHz } from './media-audiosocket-lines.ts'
import type { Lines } from './media-load.ts'
import { cyclePayloads, joined, RtpLine } from './media-rtp-lines.ts'
import { conversation } from './provider-script.ts'
import { Talk } from './provider-talk.ts'
import type { CallHeard, ProviderDoor } from './provider-wire.ts'

/** Callers of `just bench provider`. */
export interface Conversations extends Lines {
  readonly lines: readonly { heard(): CallHeard }[]
}

class AudioSocketConversation extends AudioSocketLine {
  private readonly talk: Talk

  constructor(messages: readonly Uint8Array[], framesMax: number, talk: Talk) {
    super(messages, framesMax, talk.uuid)
    this.talk = talk
    this.next = talk.from
  }

  protected override messageNow(): Uint8Array {
    return this.messages[this.talk.placeOf(this.next)] as Uint8Array
  }

  protected override sending(): void {
    this.talk.sending(this.arrivals)
  }

  heard(): CallHeard {
    return this.talk.heard(this.arrivals)
  }
}

class RtpConversation extends RtpLine {
  private readonly talk: Talk

  constructor(switchboardPort: number, payloads: readonly Uint8Array[], framesMax: number, talk: Talk) {
    super(switchboardPort, payloads, framesMax, talk.uuid)
    this.talk = talk
  }

  protected override payloadOf(frame: number): Uint8Array {
    return super.payloadOf(this.talk.placeOf(this.talk.from + frame))
  }

  protected override sending(): void {
    this.talk.sending(this.arrivals)
  }

  heard(): CallHeard {
    return this.talk.heard(this.arrivals)
  }
}

/** @param port of the door, or of the switchboard where the door must be told of a call beforehand */
export async function conversationLines(door: ProviderDoor, port: number): Promise<Conversations> {
  const samples = await conversation(sampleRateHz)
  const lines: (AudioSocketConversation | RtpConversation)[] = []
  if (door === 'externalmedia') {
    const payloads = cyclePayloads(samples)
    return {
      lines,
      open(framesMax) {
        const line = new RtpConversation(port, payloads, framesMax, new Talk(lines.length))
        lines.push(line)
        return joined(line)
      },
    }
  }
  const messages = cycleMessages(samples)
  return {
    lines,
    open(framesMax) {
      const line = new AudioSocketConversation(messages, framesMax, new Talk(lines.length))
      lines.push(line)
      return connected(port, line)
    },
  }
}
