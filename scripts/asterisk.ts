// An Asterisk to develop against: the test bed's, kept running in the background with ports that don't change.

import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type Asterisk,
  attachAsterisk,
  type BedCodec,
  type InstanceRecord,
  startAsterisk,
} from '../test/bed/asterisk.ts'
import { provideAsterisk } from '../test/bed/asterisk-root.ts'
import { ServerProcess } from '../test/bed/server-process.ts'
import { synthetic } from '../test/bed/speech.ts'
import { audibleStretches, type Stretch } from '../test/bed/wav-analysis.ts'
import { readWav } from '../test/bed/wav-file.ts'

const HELP = `Usage: just asterisk <command> [options]

  up       start an Asterisk in the background and say how to use it
  down     stop it
  status   say whether it runs (exit code 0) or not (3)
  call     place a call, wait for its end, say what the caller heard and when
  cli CMD  run a console command, such as: cli 'core show channels'
  fetch    get what 'up' and the tests run, where it is not there yet: about a minute, once

up
  --engine HOST:PORT    where the engine's AudioSocket listens (default 127.0.0.1:8090)
  --application NAME    Stasis application of extension 100 (default patchcord)
  --codec NAME          ulaw, alaw, slin, slin16 or g722 (default ulaw)
  --debug               Asterisk's own debug messages in the log
call
  --extension N         extension to call (default 100; 200 is AudioSocket, 900 an echo, 902 a tone)
  --wav FILE            speech of the caller, any sound file
  --say TEXT            speech of the caller, by eSpeak NG (default "Hello. What are your opening hours?")
  --digits DIGITS       digits sent after the speech
  --via sip|local       with SIP and RTP, or without (default sip)
  --caller-id ID        such as 5551234 or '"Ada" <5551234>'
  --variable NAME=VALUE channel variable of the called channel; can be repeated
  --before MS           silence before the speech (default 5000, so that a greeting is over)
  --after MS            silence after it, then the caller hangs up (default 8000)
  --out FILE            copy what the caller heard to this WAV

Fixed while it is up: ARI 127.0.0.1:8088 (user patchcord, password patchcord), SIP 127.0.0.1:5060/udp,
RTP 10000-13999/udp. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not running.
`

const ARI_PORT = 8088
const SIP_PORT = 5060
const RTP_PORT_MIN = 10_000
const EXIT_FAILED = 1
const EXIT_USAGE = 2
const EXIT_NOT_RUNNING = 3
const CODECS: readonly string[] = ['ulaw', 'alaw', 'slin', 'slin16', 'g722'] satisfies BedCodec[]

class UsageError extends Error {}

const STATE_FOLDER = join(process.env.XDG_STATE_HOME || join(homedir(), '.local/state'), 'patchcord/asterisk')
const INSTANCE_FOLDER = join(STATE_FOLDER, 'instance')
const RECORD_FILE = join(STATE_FOLDER, 'instance.json')

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  engine: { type: 'string' },
  application: { type: 'string' },
  codec: { type: 'string' },
  debug: { type: 'boolean' },
  extension: { type: 'string' },
  wav: { type: 'string' },
  say: { type: 'string' },
  digits: { type: 'string' },
  via: { type: 'string' },
  'caller-id': { type: 'string' },
  variable: { type: 'string', multiple: true },
  before: { type: 'string' },
  after: { type: 'string' },
  out: { type: 'string' },
} as const

function readArguments() {
  try {
    return parseArgs({ args: Bun.argv.slice(2), options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

type Values = ReturnType<typeof readArguments>['values']

async function main(): Promise<number> {
  const { values, positionals } = readArguments()
  const [command, ...rest] = positionals
  if (values.help === true || command === 'help') {
    console.log(HELP)
    return 0
  }
  switch (command) {
    case 'up':
      return await up(values)
    case 'down':
      return await down()
    case 'status':
      return await status()
    case 'call':
      return await call(values)
    case 'cli':
      return await cli(rest.join(' '))
    case 'fetch':
      await provideAsterisk({ onProgress: console.log })
      return 0
    default:
      throw new UsageError(command === undefined ? 'which command?' : `there is no command "${command}"`)
  }
}

async function up(values: Values): Promise<number> {
  const record = await runningRecord()
  if (record !== undefined) {
    console.log(`Asterisk is already up (pid ${record.pid}).\n`)
    console.log(usage(record))
    return 0
  }
  if (isTaken(ARI_PORT)) {
    throw new Error(`port 127.0.0.1:${ARI_PORT} is taken by something else; stop that first`)
  }
  const codec = values.codec ?? 'ulaw'
  if (!isCodec(codec)) throw new UsageError(`--codec is one of ${CODECS.join(', ')}`)
  rmSync(INSTANCE_FOLDER, { recursive: true, force: true })
  mkdirSync(INSTANCE_FOLDER, { recursive: true })
  const asterisk = await startAsterisk({
    folder: INSTANCE_FOLDER,
    background: true,
    ariPort: ARI_PORT,
    sipPort: SIP_PORT,
    rtpPortMin: RTP_PORT_MIN,
    codec,
    debug: values.debug ?? false,
    ...(values.application === undefined ? {} : { stasisApplication: values.application }),
    ...(values.engine === undefined ? {} : { engine: parseEngine(values.engine) }),
    onProgress: (line) => console.error(line),
  })
  await Bun.write(RECORD_FILE, `${JSON.stringify(asterisk.record)}\n`)
  await asterisk.detach()
  console.log(`Asterisk ${asterisk.version} is up (pid ${asterisk.record.pid}, ${asterisk.kind}).\n`)
  console.log(usage(asterisk.record))
  return 0
}

function usage(record: InstanceRecord): string {
  const { ari, folder, sipPort } = record
  return `ARI         http://${ari.host}:${ari.port}/ari   user ${ari.username}   password ${ari.password}
SIP         127.0.0.1:${sipPort}/udp, no registration: whoever calls from this machine reaches the extensions
extensions  100 Stasis   200 AudioSocket   900 echo   902 tone
engine      ASTERISK_ARI_PASSWORD=${ari.password} just run
place one   just asterisk call
console     just asterisk cli 'core show channels'
log         ${join(folder, 'log/full')}
recordings  ${join(folder, 'calls')}
stop        just asterisk down`
}

async function down(): Promise<number> {
  const record = await runningRecord()
  if (record === undefined) {
    console.log('Asterisk is not running.')
    return 0
  }
  const asterisk = await attachAsterisk(record).catch(() => undefined)
  // One that no longer answers has to go all the same.
  if (asterisk === undefined) process.kill(record.pid, 'SIGKILL')
  else await asterisk.stop()
  rmSync(RECORD_FILE, { force: true })
  console.log(`Asterisk has stopped. Its log and recordings stay in ${record.folder} until the next "up".`)
  return 0
}

async function status(): Promise<number> {
  const asterisk = await running()
  if (asterisk === undefined) return notRunning()
  const [channels, bridges] = await Promise.all([asterisk.channels(), asterisk.bridges()])
  console.log(`Asterisk ${asterisk.version} is up (pid ${asterisk.record.pid}, ${asterisk.kind}).`)
  console.log(`${channels.length} channels, ${bridges.length} bridges\n`)
  console.log(usage(asterisk.record))
  return 0
}

async function cli(command: string): Promise<number> {
  if (command === '') throw new UsageError('cli needs a console command')
  const asterisk = await running()
  if (asterisk === undefined) return notRunning()
  process.stdout.write(await asterisk.cli(command))
  return 0
}

async function call(values: Values): Promise<number> {
  const via = values.via ?? 'sip'
  if (via !== 'sip' && via !== 'local') throw new UsageError('--via is sip or local')
  if (values.wav !== undefined && !existsSync(values.wav)) throw new UsageError(`there is no file ${values.wav}`)
  const variables = Object.fromEntries((values.variable ?? []).map(parseVariable))
  const waitBeforeMs = parseMs('before', values.before ?? '5000')
  const waitAfterMs = parseMs('after', values.after ?? '8000')
  const asterisk = await running()
  if (asterisk === undefined) return notRunning()
  const wav = values.wav ?? (await synthetic(values.say ?? 'Hello. What are your opening hours?')).path
  const placed = await asterisk.call({
    extension: values.extension ?? '100',
    via,
    wav: resolve(wav),
    waitBeforeMs,
    waitAfterMs,
    variables,
    ...(values.digits === undefined ? {} : { digits: values.digits }),
    ...(values['caller-id'] === undefined ? {} : { callerId: values['caller-id'] }),
  })
  console.log(`calling ${values.extension ?? '100'} over ${via} …`)
  const hangUp = () => void placed.hangup()
  process.once('SIGINT', hangUp)
  const end = await placed.ended
  process.off('SIGINT', hangUp)
  await asterisk.detach()
  const seconds = (end.durationMs / 1000).toFixed(1)
  console.log(
    `ended after ${seconds} s: ${end.causeText} (${end.cause}), ${end.answered ? 'answered' : 'not answered'}`,
  )
  if (!end.answered) return EXIT_FAILED
  const [saidPath, heardPath] = await Promise.all([placed.said(), placed.heard()])
  await report('said ', saidPath)
  await report('heard', heardPath)
  if (values.out !== undefined) {
    await Bun.write(values.out, Bun.file(heardPath))
    console.log(`copied to ${values.out}`)
  }
  return 0
}

async function report(name: string, path: string): Promise<void> {
  const audio = await readWav(path)
  const show = (stretch: Stretch) => `${(stretch.startMs / 1000).toFixed(2)}–${(stretch.endMs / 1000).toFixed(2)} s`
  const stretches = audibleStretches(audio.samples, { sampleRateHz: audio.sampleRateHz, joinGapMs: 500 })
  console.log(`${name}  ${path}`)
  console.log(`       audible: ${stretches.length === 0 ? 'nothing' : stretches.map(show).join(', ')}`)
}

/** The record of an instance whose process still is that Asterisk and not a later one that got its number. */
async function runningRecord(): Promise<InstanceRecord | undefined> {
  const file = Bun.file(RECORD_FILE)
  if (!(await file.exists())) return undefined
  const record = (await file.json()) as InstanceRecord
  return ServerProcess.isServer(record.pid) ? record : undefined
}

async function running(): Promise<Asterisk | undefined> {
  const record = await runningRecord()
  return record === undefined ? undefined : await attachAsterisk(record)
}

function notRunning(): number {
  console.error('Asterisk is not running. Start it: just asterisk up')
  return EXIT_NOT_RUNNING
}

function isTaken(port: number): boolean {
  try {
    Bun.listen({ hostname: '127.0.0.1', port, socket: { data() {} } }).stop(true)
    return false
  } catch {
    return true
  }
}

function isCodec(name: string): name is BedCodec {
  return CODECS.includes(name)
}

function parseEngine(text: string): { audioSocketHost: string; audioSocketPort: number } {
  const [, host, port] = /^(.+):(\d+)$/.exec(text) ?? []
  if (host === undefined || port === undefined) throw new UsageError('--engine is HOST:PORT')
  return { audioSocketHost: host, audioSocketPort: Number(port) }
}

function parseVariable(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError('--variable is NAME=VALUE')
  return [text.slice(0, at), text.slice(at + 1)]
}

function parseMs(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new UsageError(`--${name} is a number of milliseconds`)
  return Number(text)
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  if (error instanceof UsageError) console.error('\njust asterisk --help says more.')
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED
}
