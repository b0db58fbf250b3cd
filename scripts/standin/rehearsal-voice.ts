import type { Clock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { Voice } from '#speech/voice.ts'
import type { ReplyAudio } from '../../test/standin/openai-realtime/options.ts'

const voiceModel = 'piper-en-us-joe-medium'
const phonemizer = 'phonemizer'
const sampleRateHz = 24_000
const loadMaxMs = 30_000

/** The sentences in the engine's own local voice; null where its models are not here. */
export async function spoken(
  texts: readonly string[],
  clock: Clock,
  random: Random,
): Promise<readonly ReplyAudio[] | null> {
  const store = new ModelStore({ folder: modelsFolder(process.env), clock, log: silentLog, env: process.env })
  if ((await store.missing([voiceModel, phonemizer])) !== null) return null
  const model = store.path(voiceModel, 'en_US-joe-medium.onnx')
  const voice = new Voice({ clock, log: silentLog, random, model, phonemizerFolder: store.path(phonemizer) })
  const giveUp = new AbortController()
  const timer = clock.after(loadMaxMs, () => giveUp.abort())
  try {
    voice.start()
    while (!voice.readiness.ready && !giveUp.signal.aborted) await clock.sleep(50, giveUp.signal)
    const made: ReplyAudio[] = []
    for (const text of texts) {
      const parts: Int16Array[] = []
      const result = await voice.speak(text, sampleRateHz, giveUp.signal, (samples) => parts.push(samples))
      if (!result.ok) return null
      const samples = new Int16Array(result.value)
      let offset = 0
      for (const part of parts) {
        samples.set(part, offset)
        offset += part.length
      }
      made.push({ samples, sampleRateHz })
    }
    return made
  } finally {
    timer[Symbol.dispose]()
    await voice.close()
  }
}
