import { decodeMuLaw, encodeMuLaw } from '#audio/g711.ts'
import { SystemClock } from '#base/clock.ts'
import { seededRandom } from '#base/random.ts'
import type { StandinOptions } from '../standin/deepgram/options.ts'
import { type StandinServer, startStandin } from '../standin/deepgram/server.ts'
import type { AriAddress } from './bed-ari.ts'
import { BedEngine } from './engine.ts'
import { StandinBed } from './standin-bed.ts'

/** An engine with Deepgram's agent, and the stand-in behind it. */
export class DeepgramBed extends StandinBed<StandinServer> {
  /**
   * @param provider YAML of the provider's section, four spaces deep
   * @param further sections
   * @param files what lies beside the engine's records before it starts
   */
  static async start(
    asterisk: AriAddress,
    application: string,
    options: Partial<StandinOptions>,
    provider = '',
    further = '',
    files: Readonly<Record<string, string>> = {},
  ): Promise<DeepgramBed> {
    const clock = new SystemClock()
    const standin = startStandin({ clock, random: seededRandom(1), key: 'dg-bed', ...options })
    const engine = await BedEngine.start({
      asterisk,
      application,
      provider: 'deepgram',
      env: { DEEPGRAM_API_KEY: 'dg-bed' },
      logLevel: 'debug',
      files,
      yaml: `llm:
  initial_greeting: Hello.
on_failure:
  context: elsewhere
  extension: s
${further}providers:
  deepgram:
    ws_url: ${standin.agentUrl}
    base_url: ${standin.baseUrl}
${provider}`,
    })
    return new DeepgramBed(standin, engine)
  }
}

const frameSamples = 160

export interface Likeness {
  /** Frames of what was sent. */
  readonly sent: number
  /** Of those, the ones that were heard, in their order and with the very samples that G.711 makes of them. */
  readonly heard: number
}

/**
 * How much of a sound was heard exactly: µ-law is all that may have happened to it. Frames are looked for in their order; a
 * busy machine may have put a frame of silence between two of them.
 */
export function heardExactly(frames: readonly Int16Array[], sent: Int16Array): Likeness {
  const codes = new Uint8Array(sent.length)
  const expected = new Int16Array(sent.length)
  encodeMuLaw(sent, codes)
  decodeMuLaw(codes, expected)
  const count = Math.floor(expected.length / frameSamples)
  let best = 0
  for (let start = 0; start < frames.length; start += 1) {
    if (!same(frames[start], expected, 0)) continue
    let heard = 0
    let at = start
    for (let frame = 0; frame < count && at < frames.length; frame += 1) {
      // As far ahead as a stumble of the machine goes.
      const found = [0, 1, 2, 3, 4, 5].find((ahead) => same(frames[at + ahead], expected, frame))
      if (found === undefined) continue
      at += found + 1
      heard += 1
    }
    best = Math.max(best, heard)
  }
  return { sent: count, heard: best }
}

function same(frame: Int16Array | undefined, expected: Int16Array, index: number): boolean {
  if (frame === undefined || frame.length !== frameSamples) return false
  const offset = index * frameSamples
  for (let sample = 0; sample < frameSamples; sample += 1) {
    if (frame[sample] !== expected[offset + sample]) return false
  }
  return true
}
