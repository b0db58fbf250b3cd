import { join } from 'node:path'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { SpeechDetection } from '#speech/detection.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { Recognition } from '#speech/recognition.ts'
import { Voice } from '#speech/voice.ts'

/** For worker-stop.test.ts: closes the part that its argument names while the models compute, and exits with 0. */
const clock = new SystemClock()
const log = silentLog
const store = new ModelStore({ folder: modelsFolder(process.env), clock, log, env: process.env })

async function ready(part: { readonly readiness: { readonly ready: boolean } }): Promise<void> {
  while (!part.readiness.ready) await Bun.sleep(5)
}

async function detection(): Promise<void> {
  const detector = new SpeechDetection({ clock, log, capacity: 300 })
  detector.start()
  await ready(detector)
  const half = Int16Array.from({ length: 4000 }, (_, index) => ((index * 37) % 200) - 100)
  // 300 calls with half a second each: the worker is busy for some 150 ms.
  for (let slot = 0; slot < 300; slot++) detector.open(8000, () => {})?.push(half)
  await Bun.sleep(12 + Math.random() * 40)
  await detector.close()
}

async function recognition(): Promise<void> {
  const recogniser = new Recognition({ clock, log, folder: store.path('moonshine-tiny-en') })
  recogniser.start()
  await ready(recogniser)
  const noise = Int16Array.from({ length: 80_000 }, () => Math.random() * 4000 - 2000)
  void recogniser.transcribe(noise, 8000, new AbortController().signal)
  await Bun.sleep(60 + Math.random() * 100)
  await recogniser.close()
}

async function voice(): Promise<void> {
  const folder = store.path('piper-en-us-joe-medium')
  const [model] = [...new Bun.Glob('*.onnx').scanSync(folder)]
  if (model === undefined) throw new Error(`no voice in ${folder}`)
  const speaker = new Voice({ clock, log, model: join(folder, model), phonemizerFolder: store.path('phonemizer') })
  speaker.start()
  await ready(speaker)
  const words = 'Nothing here is short, for the model is to be in the middle of it when the door is closed'
  void speaker.speak(words, 8000, new AbortController().signal, () => {})
  // The phonemizer comes first.
  await Bun.sleep(300 + Math.random() * 200)
  await speaker.close()
}

const part = { detection, recognition, voice }[process.argv[2] ?? '']
if (part === undefined) throw new Error('which part?')
await part()
// What a worker does after its part was closed is the process's matter still.
await Bun.sleep(100)
process.exit(0)
