import { expect } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import { ManualClock } from '../../../fakes/manual-clock.ts'
import { type SocketKind, serverMessageFault } from '../../../standin/deepgram/client-message.ts'
import type { StandinOptions } from '../../../standin/deepgram/options.ts'
import { type SessionOfKind, type StandinServer, startStandin } from '../../../standin/deepgram/server.ts'
import { encodeAudio, type WireAudio } from '../../../standin/deepgram/wire-audio.ts'
import { tonePattern } from '../../../standin/tone-pattern.ts'
import { StandinClient } from '../standin-client.ts'

export class DeepgramClient extends StandinClient {
  readonly audio: Uint8Array[] = []

  constructor(url: string, headers: Record<string, string> = { authorization: 'Token any' }, protocols: string[] = []) {
    super(url, headers, protocols)
  }

  protected received(data: string | ArrayBuffer): void {
    if (typeof data === 'string') this.messages.push(JSON.parse(data))
    else this.audio.push(new Uint8Array(data))
  }

  get audioBytes(): number {
    return this.audio.reduce((sum, part) => sum + part.length, 0)
  }
}

export interface World<Kind extends SocketKind> {
  readonly clock: ManualClock
  readonly server: StandinServer
  readonly client: DeepgramClient
  readonly session: SessionOfKind<Kind>
  /** All that was sent so far has been handled. */
  settled(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export const paths: Readonly<Record<SocketKind, string>> = {
  agent: '/v1/agent/converse',
  listen: '/v1/listen?encoding=linear16&sample_rate=8000',
  flux: '/v2/listen?model=flux-general-en&encoding=linear16&sample_rate=8000',
  speak: '/v1/speak?model=aura-2-thalia-en&encoding=linear16&sample_rate=8000',
}

/** A server on a clock that stands still, and a client whose session has begun. @param query what follows its path */
export async function open<Kind extends SocketKind>(
  kind: Kind,
  options: Partial<StandinOptions> = {},
  query = '',
): Promise<World<Kind>> {
  const clock = new ManualClock()
  const server = startStandin({ clock, random: seededRandom(7), pace: 0, ...options })
  const client = new DeepgramClient(`${server.baseUrl.replace('http', 'ws')}${paths[kind]}${query}`)
  const session = await server.nextSession(kind)
  await client.opened
  const handled = () => Object.values(session.record.counts).reduce((sum, each) => sum + each, 0)
  return {
    clock,
    server,
    client,
    session,
    settled: async () => {
      for (let seen = -1; ; ) {
        const now = handled() + session.record.binaryMessages
        if (now === seen) return
        seen = now
        await Bun.sleep(15)
      }
    },
    [Symbol.asyncDispose]: async () => {
      client.close()
      await server.close()
      expect(clock.pending).toBe(0)
      if (options.unknownMessages === true) return
      for (const message of client.messages) {
        expect([message.type, serverMessageFault(kind, message)]).toEqual([message.type, null])
      }
    },
  }
}

const rate = 8000
export const linear8: WireAudio = { encoding: 'linear16', sampleRateHz: rate }

/** A voice, or a silence, of so many milliseconds, in messages of 20 ms. */
export function speak(client: DeepgramClient, ms: number, audio: WireAudio = linear8): void {
  send(client, tonePattern(0, ms, audio.sampleRateHz), audio)
}

export function silence(client: DeepgramClient, ms: number, audio: WireAudio = linear8): void {
  send(client, new Int16Array((ms * audio.sampleRateHz) / 1000), audio)
}

function send(client: DeepgramClient, samples: Int16Array, audio: WireAudio): void {
  const perMessage = audio.sampleRateHz / 50
  for (let start = 0; start < samples.length; start += perMessage) {
    client.sendRaw(new Uint8Array(encodeAudio(samples.subarray(start, start + perMessage), audio)))
  }
}

/** The least that a telephone needs. */
export function settings(agent: object = {}, more: object = {}): object {
  return {
    type: 'Settings',
    audio: {
      input: { encoding: 'linear16', sample_rate: 8000 },
      output: { encoding: 'linear16', sample_rate: 8000, container: 'none' },
    },
    agent: {
      listen: { provider: { type: 'deepgram', version: 'v1', model: 'nova-3' } },
      think: { provider: { type: 'open_ai', model: 'gpt-4o-mini' }, prompt: 'Be short.' },
      speak: { provider: { type: 'deepgram', model: 'aura-2-thalia-en' } },
      ...agent,
    },
    ...more,
  }
}
