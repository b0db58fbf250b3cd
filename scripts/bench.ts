import { parseArgs } from 'node:util'
import { messageOf } from '#base/result.ts'
import { transports } from '#call/leg.ts'
import { machine } from './bench/figures.ts'
import type { MediaRun } from './bench/media.ts'
import type { ProviderRun } from './bench/provider.ts'
import { type ProviderFormat, providerDoors, providerFormats, providerNames } from './bench/provider-wire.ts'
import type { ReloadRun } from './bench/reload.ts'

/**
 * The figures of the documents. Each line says what was measured, on how many values, and what it should be; the
 * machine stands above. Nothing here passes or fails: machines are shared and noisy.
 */
const help = `Usage: just bench [start | greeting | pacing | speech | media | provider | reload | turns | all] [options]

  start      process start to /live and to speech detection ready; --binary FILE measures that binary
  greeting   StasisStart to the first greeting frame, through a real Asterisk
  pacing     gaps between frames while callers keep the models busy
  speech     recognition, voice and speech detection: errors and speed
  media      many calls at once: gaps, CPU and memory a call; fails where a call or a frame is missing (not in all)
  provider   many calls with a vendor's agent, whose server is a stand-in: just bench provider openai_realtime, or deepgram (not in all)
  reload     what calls notice of reloads: fails where a call is lost or changed, or a reload answered wrongly (not in all)
  turns      callers who ask, pause, interrupt, murmur, cough and echo: what they meet (not in all; some ten minutes)

  --rounds N     repetitions of start and greeting (default 20)
  --seconds N    length of pacing (default 30)
  --talkers N    callers that talk during pacing (default 2)
  --hogs N       endless loops at nice 5 beside it during pacing (default 0)

  media:
  --calls N      calls at once (default 300)
  --seconds S    how long they are measured once all are up (default 20)
  --door DOOR    audiosocket, externalmedia or websocket (default audiosocket)
  --vad          speech detection on every call
  --turn-ends    … and the end-of-turn model at every pause
  --churn R      short calls set up and hung up beside them, a second (default 0)
  --setup-rate R calls set up a second (default 50)
  --admission    refuse what would be too much, as the engine does by default; else it takes all
  --echo         measure the floor: an echo in the engine's place

  provider:
  --calls N      calls at once (default 200)
  --door DOOR    audiosocket or externalmedia (default audiosocket)
  --seconds S    how long they are measured once all are up (default 20; every 16 s each caller speaks three times)
  --format F     what travels to the server: pcmu or pcm24 (default pcmu); of deepgram mulaw or linear16 (default mulaw)
  --pace P       how many times faster than real time the server delivers its replies (default 10)
  --vad          speech detection on every call, which confirms what the server hears over a reply
  --setup-rate R calls set up a second (default 50)
  --floor        measure the floor: system calls, WebSocket, base64 and JSON alone, in the engine's place
  --profile DIR  write a CPU profile of the engine there

  reload:
  --calls N      calls at once (default 50)
  --seconds S    how long each run is (default 10)
  --runs N       runs with reloads, and as many without, in turn (default 5)
  --reloads N    in all of them together (default 200)

  turns:
  --scale F      so much of what is played in a whole run (default 1)
  --seed N       another order, other noises, other made sounds (default 1)
  --split S      report, or tune: the voices that thresholds were chosen on (default report)
  --only PART    calls, density or endpointing (default all of them)
  --callers WHO  who calls: english, whose words the recogniser knows, or others, judged without (default english)
  --few          voices that need no large download: to see that it runs, not for figures
  --no-words     what is said over the agent is judged by its sound alone

  media, provider, reload, turns:
  --json         the figures as one JSON object, as the last line`

const parts = ['start', 'greeting', 'pacing', 'speech', 'media', 'provider', 'reload', 'turns', 'all']

async function main(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv)
  const what = options?.positionals[0] ?? 'all'
  if (options === null || !parts.includes(what)) {
    console.error(help)
    return 2
  }
  const { values } = options
  if (values.help) {
    console.log(help)
    return 0
  }
  console.log(machine())
  const wants = (name: string) => what === name || what === 'all'
  const print = (lines: readonly string[]) => lines.forEach((line) => console.log(line))
  const rounds = Number(values.rounds)
  if (wants('start')) print(await (await import('./bench/start.ts')).benchStart(rounds, values.binary))
  if (wants('greeting')) print(await (await import('./bench/greeting.ts')).benchGreeting(rounds))
  if (wants('pacing')) {
    const { benchPacing } = await import('./bench/pacing.ts')
    print(await benchPacing(Number(values.seconds ?? 30), Number(values.talkers), Number(values.hogs)))
  }
  if (wants('speech'))
    await Bun.spawn([process.execPath, '--no-env-file', `${import.meta.dir}/bench/speech.ts`], {
      stdio: ['ignore', 'inherit', 'inherit'],
    }).exited
  if (what === 'turns') return await turns(values)
  if (what === 'provider') return await vendor(options.positionals[1], values)
  if (what === 'reload') return await reload(values)
  return what === 'media' ? await media(values) : 0
}

type Options = NonNullable<ReturnType<typeof readOptions>>['values']

async function turns(values: Options): Promise<number> {
  const { turnsCommand } = await import('./bench/turns-command.ts')
  const { scale, seed, split, only, few, callers, json } = values
  return await turnsCommand({ scale, seed, split, only, few, callers, json, words: !values['no-words'] })
}

async function media(values: Options): Promise<number> {
  const door = transports.find((name) => name === values.door)
  const [calls, seconds, churn, setupRate] = [
    values.calls ?? 300,
    values.seconds ?? 20,
    values.churn,
    values['setup-rate'],
  ].map(Number) as [number, number, number, number]
  if (door === undefined || !(calls >= 1 && seconds >= 1 && churn >= 0 && setupRate > 0)) {
    console.error(help)
    return 2
  }
  const { benchMedia } = await import('./bench/media.ts')
  const { vad, echo, admission, 'turn-ends': turnEnds } = values
  if (turnEnds && !vad) {
    console.error('error: --turn-ends needs --vad: pauses are found by speech detection')
    return 2
  }
  let run: MediaRun
  try {
    run = await benchMedia({ door, calls, seconds, churn, setupRate, vad, turnEnds, echo, admission })
  } catch (thrown) {
    console.error(`error: ${messageOf(thrown)}`)
    return 1
  }
  return report(run, values.json)
}

async function vendor(name: string | undefined, values: Options): Promise<number> {
  const provider = providerNames.find((each) => each === name)
  const formats: readonly ProviderFormat[] = provider === undefined ? [] : providerFormats[provider]
  const format = values.format === undefined ? formats[0] : formats.find((each) => each === values.format)
  const [calls, seconds, pace, setupRate] = [
    values.calls ?? 200,
    values.seconds ?? 20,
    values.pace,
    values['setup-rate'],
  ].map(Number) as [number, number, number, number]
  const possible = calls >= 1 && seconds >= 1 && pace >= 1 && setupRate > 0
  const door = providerDoors.find((each) => each === values.door)
  if (provider === undefined || door === undefined || format === undefined || !possible) {
    console.error(help)
    return 2
  }
  const { benchProvider } = await import('./bench/provider.ts')
  const { vad, floor, profile } = values
  let run: ProviderRun
  try {
    run = await benchProvider({ provider, door, calls, seconds, setupRate, format, pace, vad, floor, profile })
  } catch (thrown) {
    console.error(`error: ${messageOf(thrown)}`)
    return 1
  }
  return report(run, values.json)
}

async function reload(values: Options): Promise<number> {
  const wanted = [values.calls ?? 50, values.seconds ?? 10, values.runs, values.reloads].map(Number)
  const [calls, seconds, runs, reloads] = wanted as [number, number, number, number]
  if (!wanted.every((value) => value >= 1)) {
    console.error(help)
    return 2
  }
  const { benchReload } = await import('./bench/reload.ts')
  return report(await benchReload({ calls, seconds, runs, reloads }), values.json)
}

function report(run: MediaRun | ProviderRun | ReloadRun, json: boolean): number {
  for (const line of run.lines) console.log(line)
  for (const line of run.missing) console.error(`error: ${line}`)
  if (json) console.log(JSON.stringify(run.figures))
  return run.missing.length === 0 ? 0 : 1
}

/** Null when something is not understood. */
function readOptions(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        rounds: { type: 'string', default: '20' },
        seconds: { type: 'string' },
        talkers: { type: 'string', default: '2' },
        hogs: { type: 'string', default: '0' },
        binary: { type: 'string' },
        calls: { type: 'string' },
        door: { type: 'string', default: 'audiosocket' },
        churn: { type: 'string', default: '0' },
        'setup-rate': { type: 'string', default: '50' },
        vad: { type: 'boolean', default: false },
        'turn-ends': { type: 'boolean', default: false },
        echo: { type: 'boolean', default: false },
        format: { type: 'string' },
        pace: { type: 'string', default: '10' },
        runs: { type: 'string', default: '5' },
        reloads: { type: 'string', default: '200' },
        floor: { type: 'boolean', default: false },
        profile: { type: 'string', default: '' },
        scale: { type: 'string', default: '1' },
        seed: { type: 'string', default: '1' },
        split: { type: 'string', default: 'report' },
        only: { type: 'string', default: 'all' },
        'no-words': { type: 'boolean', default: false },
        few: { type: 'boolean', default: false },
        callers: { type: 'string', default: 'english' },
        admission: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch {
    return null
  }
}

process.exit(await main(process.argv.slice(2)))
