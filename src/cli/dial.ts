import { resolve } from 'node:path'
import { resampleWhole } from '#audio/resample.ts'
import { decodeWav, encodeWav } from '#audio/wav.ts'
import { SystemClock } from '#base/clock.ts'
import { systemRandom } from '#base/random.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import { isWildcard } from '#config/hosts.ts'
import { type DialOutcome, type DialTimeline, dialCall } from '#simulator/dial-call.ts'
import { quietEngineConfig } from './engine-config.ts'
import { type CommandIo, exitCodes } from './io.ts'
import { parseOptions } from './options.ts'
import { sampleSpeech } from './sample-speech.ts'

const help = `Usage: patchcord dial [options]

A caller without Asterisk: connects to the engine's AudioSocket port, hears the greeting out, plays a file in real time,
records what comes back, hangs up after the reply, and prints when what happened.

  --wav FILE           what to say: 16-bit PCM WAV of any rate; else a sentence of read human speech
  --out FILE           where the recording goes (default heard.wav)
  --json               the timeline as one line of JSON on standard output
  --config FILE        where host, port and rate are taken from; else ./config/ai-agent.yaml, else the copy built in
  --host HOST          the engine, if not as configured
  --port PORT          its AudioSocket port, if not as configured
  --rate HZ            8000 or 16000, if not as audiosocket.format says
  --speak-after WHEN   greeting, or milliseconds after connecting (default greeting)
  --greeting-max MS    speak without a greeting after so long (default 3000)
  --reply-max MS       give up on a reply after so long (default 20000)
  --quiet MS           silence of so long ends a greeting or a reply (default 1200)
  --max MS             hang up after so long, whatever happens (default 120000)
  --help               this text

Exit codes: 0 a reply was heard, 1 none was heard or no engine answers, 2 wrong arguments.`

export async function dial(argv: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions(argv, {
    wav: 'text',
    out: 'text',
    json: 'flag',
    config: 'text',
    host: 'text',
    port: 'text',
    rate: 'text',
    'speak-after': 'text',
    'greeting-max': 'text',
    'reply-max': 'text',
    quiet: 'text',
    max: 'text',
    help: 'flag',
  })
  const wrong = (message: string) => {
    io.stderr(`${message}\n\n${help}`)
    return exitCodes.usage
  }
  if (!options.ok) return wrong(options.error)
  const given = options.value
  if (given.help === true) {
    io.stdout(help)
    return exitCodes.ok
  }
  const loaded = quietEngineConfig(io, given.config)
  if (loaded === null) return exitCodes.usage
  const { audiosocket } = loaded.configuration
  const numbers = {
    port: wholeNumber(given.port, audiosocket.port),
    greetingMaxMs: wholeNumber(given['greeting-max'], 3000),
    replyMaxMs: wholeNumber(given['reply-max'], 20_000),
    quietMs: wholeNumber(given.quiet, 1200),
    callMaxMs: wholeNumber(given.max, 120_000),
    speakAfterMs: given['speak-after'] === 'greeting' ? 0 : wholeNumber(given['speak-after'], 0),
  }
  const bad = Object.entries(numbers).find(([, value]) => value === null)
  if (bad !== undefined) return wrong(`${bad[0]}: expected a whole number`)
  const configuredRate = audiosocket.format === 'slin16' ? '16000' : '8000'
  const sampleRateHz = (given.rate ?? configuredRate) === '16000' ? 16000 : 8000
  if (given.rate !== undefined && given.rate !== String(sampleRateHz)) return wrong('--rate: expected 8000 or 16000')

  const speech = await readSpeech(given.wav, io, sampleRateHz, loaded.configuration.models.dir)
  if (!speech.ok) {
    io.stderr(speech.error)
    return given.wav === undefined ? exitCodes.failed : exitCodes.usage
  }
  let outcome: DialOutcome
  try {
    const afterGreeting = given['speak-after'] === undefined || given['speak-after'] === 'greeting'
    outcome = await dialCall(
      {
        host: given.host ?? (isWildcard(audiosocket.host) ? '127.0.0.1' : audiosocket.host),
        port: numbers.port ?? 0,
        sampleRateHz,
        speech: speech.value,
        speakAfter: afterGreeting ? 'greeting' : (numbers.speakAfterMs ?? 0),
        greetingMaxMs: numbers.greetingMaxMs ?? 0,
        replyMaxMs: numbers.replyMaxMs ?? 0,
        quietMs: numbers.quietMs ?? 0,
        callMaxMs: numbers.callMaxMs ?? 0,
      },
      new SystemClock(),
      systemRandom,
    )
  } catch (thrown) {
    io.stderr(messageOf(thrown))
    return exitCodes.failed
  }
  if (outcome.timeline.endedBy === 'engine' && outcome.heard.length < sampleRateHz / 10) {
    io.stderr('the engine turned the call away: patchcord health says why')
    return exitCodes.failed
  }
  const out = resolve(io.cwd, given.out ?? 'heard.wav')
  try {
    await Bun.write(out, encodeWav({ sampleRateHz, samples: outcome.heard }))
  } catch (thrown) {
    io.stderr(`--out ${out}: ${messageOf(thrown)}`)
    return exitCodes.failed
  }
  if (given.json === true) io.stdout(JSON.stringify(timelineJson(outcome.timeline, out)))
  else for (const line of timelineLines(outcome.timeline, out)) io.stdout(line)
  return outcome.timeline.replyFirstFrameMs === null ? exitCodes.failed : exitCodes.ok
}

/** The speech to play at the leg's rate, or what is wrong with the file. */
async function readSpeech(
  path: string | undefined,
  io: CommandIo,
  sampleRateHz: number,
  modelsDir: string,
): Promise<Result<Int16Array, string>> {
  if (path === undefined) return await sampleSpeech(io.env, sampleRateHz, modelsDir)
  let bytes: Uint8Array
  try {
    bytes = await Bun.file(resolve(io.cwd, path)).bytes()
  } catch (thrown) {
    return failed(`--wav ${path}: ${messageOf(thrown)}`)
  }
  const wav = decodeWav(bytes)
  if (!wav.ok) return failed(`--wav ${path}: ${wav.error}`)
  return ok(resampleWhole(wav.value.samples, wav.value.sampleRateHz, sampleRateHz))
}

/** Null where the text is no whole number. */
function wholeNumber(text: string | undefined, fallback: number): number | null {
  if (text === undefined) return fallback
  return /^\d{1,9}$/.test(text) ? Number(text) : null
}

export function timelineLines(timeline: DialTimeline, recording: string): string[] {
  const at = (ms: number | null) => (ms === null ? '      –' : `${(ms / 1000).toFixed(3).padStart(7)}`)
  const response = responseMs(timeline)
  return [
    '  seconds',
    `${at(0)}  connected`,
    `${at(timeline.greetingFirstFrameMs)}  greeting first frame`,
    `${at(timeline.greetingEndMs)}  greeting ended`,
    `${at(timeline.callerStartedMs)}  caller started`,
    `${at(timeline.callerStoppedMs)}  caller stopped`,
    `${at(timeline.replyFirstFrameMs)}  reply first frame${response === null ? '' : `, ${Math.round(response)} ms after the caller's last word`}`,
    `${at(timeline.replyEndMs)}  reply ended`,
    `${at(timeline.endedMs)}  ended by ${timeline.endedBy.replace('_', ' ')}`,
    `recording: ${recording}`,
  ]
}

export function responseMs({ callerStoppedMs, replyFirstFrameMs }: DialTimeline): number | null {
  return callerStoppedMs === null || replyFirstFrameMs === null ? null : replyFirstFrameMs - callerStoppedMs
}

function timelineJson(timeline: DialTimeline, recording: string): Record<string, unknown> {
  const round = (ms: number | null) => (ms === null ? null : Math.round(ms))
  return {
    connected_ms: 0,
    greeting_first_frame_ms: round(timeline.greetingFirstFrameMs),
    greeting_end_ms: round(timeline.greetingEndMs),
    caller_started_ms: round(timeline.callerStartedMs),
    caller_stopped_ms: round(timeline.callerStoppedMs),
    reply_first_frame_ms: round(timeline.replyFirstFrameMs),
    reply_end_ms: round(timeline.replyEndMs),
    response_ms: round(responseMs(timeline)),
    ended_ms: round(timeline.endedMs),
    ended_by: timeline.endedBy,
    recording,
  }
}
