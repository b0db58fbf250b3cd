import type { KeyCall } from '../../../fakes/key-call.ts'
import type { KeyWorld, Tree } from '../../../fakes/key-world.ts'
import type { SeenSpeech, SeenTranscription } from '../../../fakes/openai-compatible-audio.ts'
import type { SeenRequest } from '../../../fakes/openai-compatible-server.ts'
import type { Begin, Probe } from './probe.ts'

/** A call with a pipeline whose parts are servers with OpenAI-compatible HTTP: what these are asked in a turn of it. */
export interface Asked {
  readonly stt: SeenTranscription
  readonly llm: SeenRequest
  readonly tts: SeenSpeech
  /** Of all requests, the newest that has this in its address. */
  at(part: string): { readonly url: string; readonly headers: Headers }
  readonly up: KeyCall
  readonly world: KeyWorld
}

/** The greeting has been heard. */
export async function settled(up: KeyCall): Promise<void> {
  await up.pass(1400)
}

/** One turn of the caller's, answered and heard. */
export async function spoken(up: KeyCall): Promise<void> {
  await up.pass(500, 1)
  await up.pass(2400)
}

/** Begins a call now; a turn of it shows this. */
export function turnShows(
  look: (asked: Asked) => unknown,
  asked: Parameters<KeyWorld['call']>[0] = {},
  turns = 1,
): Begin {
  return async (world) => {
    const up = await world.call(asked)
    await settled(up)
    return async () => {
      const { openai } = world.outside
      for (let turn = 0; turn < turns; turn += 1) await spoken(up)
      const newest = <Seen>(list: readonly Seen[]): Seen => {
        const last = list.at(-1)
        if (last === undefined) throw new Error(`a part was not asked: ${JSON.stringify(openai.problems)}`)
        return last
      }
      return look({
        get stt() {
          return newest(openai.transcriptions)
        },
        get llm() {
          return newest(openai.requests)
        },
        get tts() {
          return newest(openai.speeches)
        },
        at: (part) => newest(world.outside.requests.filter(({ url }) => url.includes(part))),
        up,
        world,
      })
    }
  }
}

/** What a turn over the pipeline `front` puts on the wire. */
export function front(
  values: readonly [unknown, unknown],
  look: (asked: Asked) => unknown,
  { around = {}, ...rest }: Partial<Probe> = {},
): Probe {
  return {
    values,
    seen: 'wire',
    around: { active_pipeline: 'front', ...around } as Tree,
    begin: turnShows(look),
    ...rest,
  }
}
