import { SystemClock } from '#base/clock.ts'
import { seededRandom } from '#base/random.ts'
import type { StandinOptions } from '../standin/openai-realtime/options.ts'
import { type StandinServer, startStandin } from '../standin/openai-realtime/server.ts'
import { toneCount, toneHz, toneStepMs } from '../standin/tone-pattern.ts'
import type { AriAddress } from './bed-ari.ts'
import { BedEngine } from './engine.ts'
import { StandinBed } from './standin-bed.ts'
import { audibleStretches, cut, toneShare } from './wav-analysis.ts'

/** An engine with a realtime agent, and the stand-in behind it. */
export class RealtimeBed extends StandinBed<StandinServer> {
  /** @param yaml of the provider's section, four spaces deep */
  static async start(
    asterisk: AriAddress,
    application: string,
    options: Partial<StandinOptions>,
    yaml: string,
  ): Promise<RealtimeBed> {
    const clock = new SystemClock()
    const standin = startStandin({ clock, random: seededRandom(1), key: 'sk-bed', keepAudio: false, ...options })
    const engine = await BedEngine.start({
      asterisk,
      application,
      provider: 'openai_realtime',
      env: { OPENAI_API_KEY: 'sk-bed' },
      yaml: `llm:
  initial_greeting: Hello.
on_failure:
  context: elsewhere
  extension: s
providers:
  openai_realtime:
    base_url: ${standin.baseUrl}
    tools: [terminate_call]
${yaml}`,
    })
    return new RealtimeBed(standin, engine)
  }
}

export interface HeardReply {
  /** Which reply of the session it is, by the tone it begins with; the greeting counts as the 39th. */
  readonly reply: number
  /** For how long it was audible, pauses not counted. */
  readonly audibleMs: number
}

/** A pause of a reply that is being talked over is shorter than this, and a caller's turn is longer. */
const withinReplyMs = 900

/** The stand-in's replies in a recording at 8 kHz, in order. */
export function repliesIn(samples: Int16Array): HeardReply[] {
  const sampleRateHz = 8000
  const audible = (joinGapMs: number) => audibleStretches(samples, { sampleRateHz, joinGapMs })
  const pieces = audible(20)
  return audible(withinReplyMs).map(({ startMs, endMs }) => {
    const first = cut(samples, sampleRateHz, { startMs: startMs + 20, endMs: startMs + toneStepMs - 10 })
    const shares = Array.from({ length: toneCount }, (_, reply) => toneShare(first, sampleRateHz, toneHz(reply, 0)))
    const own = pieces.filter((piece) => piece.startMs >= startMs && piece.endMs <= endMs)
    return {
      reply: shares.indexOf(Math.max(...shares)),
      audibleMs: own.reduce((sum, piece) => sum + piece.endMs - piece.startMs, 0),
    }
  })
}
