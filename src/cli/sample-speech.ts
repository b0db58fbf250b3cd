import { resampleWhole } from '#audio/resample.ts'
import { decodeWav } from '#audio/wav.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { failed, ok, type Result } from '#base/result.ts'
import type { Environment } from '#config/secrets.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'

/** The first sentence of the reading, with a little silence around it: "It was the best of times, …". */
const fromMs = 1000
const untilMs = 4500

/** Read human speech out of the model store at this rate; fails with how to get it. */
export async function sampleSpeech(
  env: Environment,
  sampleRateHz: number,
  configuredFolder?: string,
): Promise<Result<Int16Array, string>> {
  const folder = modelsFolder(env, configuredFolder)
  const store = new ModelStore({ folder, clock: new SystemClock(), log: silentLog, env })
  const file = Bun.file(store.path('two-cities', 'two_cities.wav'))
  if (!(await file.exists()))
    return failed('no sample speech in the model store: run patchcord models, or name a file with --wav')
  const wav = decodeWav(await file.bytes())
  if (!wav.ok) return failed(`the sample speech is damaged (${wav.error}): run patchcord models --verify`)
  const { samples, sampleRateHz: rate } = wav.value
  return ok(resampleWhole(samples.subarray((fromMs * rate) / 1000, (untilMs * rate) / 1000), rate, sampleRateHz))
}
