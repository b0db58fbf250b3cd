import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Engine } from '#app'
import { encodeWav } from '#audio/wav.ts'
import { SystemClock } from '#base/clock.ts'
import type { Log, LogFields } from '#base/log.ts'
import { systemRandom } from '#base/random.ts'
import { messageOf } from '#base/result.ts'
import { dialCall } from '#simulator/dial-call.ts'
import { timelineLines } from './dial.ts'
import { quietEngineConfig } from './engine-config.ts'
import { type CommandIo, exitCodes } from './io.ts'
import { parseOptions } from './options.ts'
import { sampleSpeech } from './sample-speech.ts'

const help = `Usage: patchcord demo [options]

The whole way in one go: starts an engine of its own on free ports, lets a simulated caller speak a sentence of read
human speech to it, and prints what was understood, what was answered, when, and where the recording lies.

  --config FILE   the configuration; else ./config/ai-agent.yaml, else the copy built in
  --out FILE      where the recording goes (default demo-heard.wav in a new temporary folder)
  --help          this text

Exit codes: 0 a reply was heard, 1 none was, 2 wrong arguments or configuration.`

/** Loading models from a cold disk takes some seconds. */
const readyMaxMs = 60_000

export async function demo(argv: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions(argv, { config: 'text', out: 'text', help: 'flag' })
  if (!options.ok) {
    io.stderr(`${options.error}\n\n${help}`)
    return exitCodes.usage
  }
  if (options.value.help === true) {
    io.stdout(help)
    return exitCodes.ok
  }
  const loaded = quietEngineConfig(io, options.value.config)
  if (loaded === null) return exitCodes.usage
  const clock = new SystemClock()
  const { configuration, env, secrets } = loaded
  const speech = await sampleSpeech(env, 8000, configuration.models.dir)
  if (!speech.ok) {
    io.stderr(speech.error)
    return exitCodes.failed
  }
  const words: Record<string, string[]> = { caller: [], agent: [] }
  const folder = await mkdtemp(join(tmpdir(), 'patchcord-demo-'))
  let engine: Engine
  try {
    engine = await Engine.start({
      configuration: {
        ...configuration,
        default_provider: 'local',
        active_pipeline: '',
        audiosocket: { ...configuration.audiosocket, host: '127.0.0.1', port: 0, format: 'slin' },
        health: { ...configuration.health, host: '127.0.0.1', port: 0 },
        records: { file: join(folder, 'calls.jsonl') },
        logging: { ...configuration.logging, transcripts: true },
      },
      env,
      secrets,
      log: transcriptLog(words, io),
      clock,
      // It must not take the callers of an engine that runs beside it.
      ari: false,
    })
  } catch (thrown) {
    io.stderr(messageOf(thrown))
    return exitCodes.failed
  }
  try {
    io.stdout('Starting the engine and loading the models …')
    if (!(await untilReady(engine, clock, io))) return exitCodes.failed
    io.stdout('A caller calls, hears the greeting, and speaks:\n')
    const { timeline, heard } = await dialCall(
      {
        host: '127.0.0.1',
        port: engine.media.audioSocket.port,
        sampleRateHz: 8000,
        speech: speech.value,
        speakAfter: 'greeting',
        greetingMaxMs: 5000,
        replyMaxMs: 20_000,
        quietMs: 1200,
        callMaxMs: 60_000,
      },
      clock,
      systemRandom,
    )
    const out = resolve(io.cwd, options.value.out ?? join(folder, 'demo-heard.wav'))
    await Bun.write(out, encodeWav({ sampleRateHz: 8000, samples: heard }))
    io.stdout(`  greeting   ${configuration.llm.initial_greeting}`)
    io.stdout(`  caller     ${words.caller?.join(' ') || '(nothing understood)'}`)
    io.stdout(`  agent      ${words.agent?.at(-1) ?? '(no reply)'}\n`)
    for (const line of timelineLines(timeline, out)) io.stdout(line)
    return timeline.replyFirstFrameMs === null ? exitCodes.failed : exitCodes.ok
  } finally {
    await engine.stop(0)
  }
}

async function untilReady(engine: Engine, clock: SystemClock, io: CommandIo): Promise<boolean> {
  const deadline = clock.now() + readyMaxMs
  for (;;) {
    const provider = engine.providers.local?.readiness() ?? { ready: false, reason: 'provider local is not enabled' }
    const detection = engine.detection.readiness
    if (provider.ready && detection.ready) return true
    if (clock.now() > deadline) {
      io.stderr(
        `not ready after ${readyMaxMs / 1000} s: ${[provider, detection].flatMap((state) => (state.ready ? [] : [state.reason])).join('; ')}`,
      )
      return false
    }
    await clock.sleep(50)
  }
}

/** Picks the words out of the log and lets only trouble through; a missing Asterisk is none here. */
function transcriptLog(words: Record<string, string[]>, io: CommandIo): Log {
  const note = (message: string, fields: LogFields = {}) => {
    if (message === 'transcript') words[String(fields.side)]?.push(String(fields.text))
  }
  const log: Log = {
    debug: () => {},
    info: note,
    warn: (message, fields) => {
      if (message !== 'no connection to Asterisk') io.stderr(`${message} ${JSON.stringify(fields ?? {})}`)
    },
    error: (message, fields) => io.stderr(`${message} ${JSON.stringify(fields ?? {})}`),
    with: () => log,
  }
  return log
}
