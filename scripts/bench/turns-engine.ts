import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Engine } from '#app'
import { SystemClock } from '#base/clock.ts'
import { loadConfiguration } from '#config/load.ts'
import { builtInSource } from '#config/source.ts'
import { vendorSchemas } from '#providers/schemas.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { Recognition } from '#speech/recognition.ts'
import { createLog } from '#telemetry/log.ts'
import { readWav } from '../../test/bed/wav-file.ts'
import { createTurnsAgent } from './turns-agent.ts'
import { commonNow, type FromTurnsEngine, type ToTurnsEngine, type TurnsJob, turnWordsMaxMs } from './turns-wire.ts'

/** The engine process of `just bench turns`: the real engine with its real models, and a partner that answers at once. */
const job = JSON.parse(process.argv[2] ?? '{}') as TurnsJob
const clock = new SystemClock()
const folder = mkdtempSync(join(tmpdir(), 'patchcord-bench-'))
const loaded = loadConfiguration({ ...builtInSource, env: { ASTERISK_ARI_PASSWORD: 'none' }, vendors: vendorSchemas })
if (!loaded.ok) throw new Error(`the configuration built in does not load: ${loaded.error[0]?.message}`)
const { configuration } = loaded.value
const log = createLog({ level: 'info', format: 'json', clock, write: showTrouble })
const say = (message: FromTurnsEngine) => process.send?.(message)

const store = new ModelStore({ folder: modelsFolder(process.env), clock, log, env: process.env })
const recognition = new Recognition({ clock, log, folder: store.path('moonshine-tiny-en') })
if (job.words) recognition.start()
let voices: readonly Int16Array[] = []

const engine = await Engine.start({
  configuration: {
    ...configuration,
    default_provider: 'bench',
    audiosocket: { ...configuration.audiosocket, host: '127.0.0.1', port: 0, max_connections: job.calls + 10 },
    llm: { ...configuration.llm, initial_greeting: '' },
    limits: { ...configuration.limits, calls: job.calls + 10, loop_lag_ms: 1000, pacing_lateness_ms: 1000 },
    health: { ...configuration.health, host: '127.0.0.1', port: 0 },
    records: { ...configuration.records, file: join(folder, 'calls.jsonl') },
    // Nobody is asked whether they are still there: what is measured is who speaks.
    turn_taking: { ...configuration.turn_taking, check_in_after_ms: 0, ...job.settings.turn_taking },
    barge_in: { ...configuration.barge_in, ...job.settings.barge_in },
    vad: { ...configuration.vad, ...job.settings.vad },
  },
  env: process.env,
  secrets: {},
  log,
  clock,
  providers: {
    bench: createTurnsAgent({
      voices: () => voices,
      told: (callId, event) => say({ type: 'event', callId, event, atMs: commonNow() }),
      wordsIn: job.words ? wordsIn : null,
      wordsOf: job.words ? wordsOf : null,
    }),
  },
  ari: false,
})
while (!engine.detection.readiness.ready) await Bun.sleep(20)
// Without the model turns end by silence; with it missing, what is measured would not be what is shipped.
const asked = configuration.turn_taking.stop === 'model' && job.settings.turn_taking?.stop !== 'silence'
while (asked && !engine.turnEnd.readiness().ready) await Bun.sleep(20)
while (!engine.overlaps.readiness().ready) await Bun.sleep(20)
while (job.words && !recognition.readiness.ready) await Bun.sleep(20)

process.on('message', (message: ToTurnsEngine) => {
  if (message.type === 'voices') {
    void Promise.all(message.files.map(readWav)).then((read) => {
      voices = read.map(({ samples }) => samples)
    })
    return
  }
  void stop()
})
say({ type: 'listening', port: engine.media.audioSocket.port })

async function stop(): Promise<void> {
  const { text } = await engine.metrics.scrape()
  say({ type: 'drained', metrics: text })
  await engine.stop(0)
  await recognition.close()
  rmSync(folder, { recursive: true, force: true })
  process.exit(0)
}

async function wordsIn(samples: Int16Array<ArrayBuffer>, rateHz: number, signal: AbortSignal): Promise<string | null> {
  return recognition.stats.waiting > 0 ? null : await transcribed(samples, rateHz, signal)
}

function wordsOf(samples: Int16Array<ArrayBuffer>): Promise<string | null> {
  return transcribed(samples, 8000, AbortSignal.timeout(turnWordsMaxMs))
}

async function transcribed(samples: Int16Array<ArrayBuffer>, rateHz: number, signal: AbortSignal) {
  const result = await recognition.transcribe(samples, rateHz, signal)
  return result.ok && !result.value.looped ? result.value.text : null
}

function showTrouble(line: string): void {
  if (/"level":"(warn|error)"/.test(line)) console.error(line)
}
