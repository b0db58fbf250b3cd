import { expect } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'
import type { StandinOptions } from '../../standin/openai-realtime/options.ts'
import { type StandinServer, startStandin } from '../../standin/openai-realtime/server.ts'
import { serverEventFault } from '../../standin/openai-realtime/server-event.ts'
import type { StandinSession } from '../../standin/openai-realtime/session.ts'
import { encodeAudio, type FormatName } from '../../standin/openai-realtime/wire-audio.ts'
import { type Seen, StandinClient } from './standin-client.ts'

export class RealtimeClient extends StandinClient {
  readonly raw: string[] = []

  constructor(
    url: string,
    headers: Record<string, string> = { authorization: 'Bearer any' },
    protocols: string[] = [],
  ) {
    super(url, headers, protocols)
  }

  get events(): Seen[] {
    return this.messages
  }

  protected received(data: string | ArrayBuffer): void {
    this.raw.push(String(data))
    try {
      this.messages.push(JSON.parse(String(data)))
    } catch {
      // Kept as it came.
    }
  }

  ping(): void {
    this.socket.ping()
  }

  append(samples: Int16Array, format: FormatName = 'audio/pcm'): void {
    this.send({ type: 'input_audio_buffer.append', audio: encodeAudio(samples, format).toBase64() })
  }

  /** All that was sent so far has been handled when an event that is surely answered has been answered. */
  async settled(): Promise<void> {
    this.send({ type: 'conversation.item.delete', item_id: 'settled' })
    for (;;) {
      const error = await this.next('error')
      if (error.error.code === 'item_delete_invalid_item_id') return
    }
  }
}

export interface World {
  readonly clock: ManualClock
  readonly server: StandinServer
  readonly client: RealtimeClient
  readonly session: StandinSession
  [Symbol.asyncDispose](): Promise<void>
}

/** A server on a clock that stands still, and a client whose session has begun. */
export async function open(options: Partial<StandinOptions> = {}): Promise<World> {
  const clock = new ManualClock()
  const server = startStandin({ clock, random: seededRandom(7), pace: 0, ...options })
  const client = new RealtimeClient(`${server.realtimeUrl}?model=gpt-realtime`)
  const session = await server.nextSession()
  if (options.silentFromStart !== true) await client.next('session.created')
  return {
    clock,
    server,
    client,
    session,
    [Symbol.asyncDispose]: async () => {
      client.close()
      await server.close()
      expect(clock.pending).toBe(0)
      if ((options.names ?? 'ga') !== 'ga' || options.unknownEvents === true) return
      for (const event of client.events) expect([event.type, serverEventFault(event)]).toEqual([event.type, null])
    },
  }
}

export function update(audioInput: object, audioOutput: object = {}): object {
  return { type: 'session.update', session: { type: 'realtime', audio: { input: audioInput, output: audioOutput } } }
}
