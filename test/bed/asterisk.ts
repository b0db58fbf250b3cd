// One running Asterisk for a test, and the calls placed through it. Each instance has a folder, ports and
// databases of its own, on 127.0.0.1 only, so several run beside each other.

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type AsteriskKind, type AsteriskRoot, provideAsterisk } from './asterisk-root.ts'
import { type AriAddress, BedAri, type BedBridge, type BedChannel } from './bed-ari.ts'
import { CallWatch } from './call-watch.ts'
import { mustRun } from './host.ts'
import { type BedCodec, codecRateHz, writeInstanceFolder } from './instance-files.ts'
import {
  type CallCarrier,
  type CallOptions,
  calledVariables,
  callerSteps,
  encodeSteps,
  PlacedCall,
} from './placed-call.ts'
import { freeTcpPort, freeUdpPort, RTP_PORTS, randomRtpPortMin } from './ports.ts'
import { isAlive, ServerProcess } from './server-process.ts'
import { toTelephoneWav } from './sox.ts'
import { writeWav } from './wav-file.ts'

export type { AsteriskKind, BedCodec }

const READY_TIMEOUT_MS = 30_000
const READY_POLL_MS = 25
/** Asterisk ends within half a second unless a module hangs. */
const STOP_TIMEOUT_MS = 4_000

export interface AsteriskOptions {
  /** Which Asterisk; default the first that can be had. */
  readonly kind?: AsteriskKind
  /** Where the engine's AudioSocket listens, for extension 200. Default 127.0.0.1:8090. */
  readonly engine?: { readonly audioSocketHost: string; readonly audioSocketPort: number }
  /** Default 'patchcord'. */
  readonly stasisApplication?: string
  /** Arguments after the application's name in `Stasis()`, comma separated. */
  readonly stasisArguments?: string
  /** Codec of the SIP legs. 'slin16' and 'g722' make sounds and recordings 16 kHz. Default 'ulaw'. */
  readonly codec?: BedCodec
  /** How digits travel over SIP. Default 'rfc4733'. */
  readonly dtmfMode?: 'rfc4733' | 'info' | 'inband'
  /** Further configuration by file name. What the bed has already is appended to: 'extensions.conf', 'pjsip.conf'. */
  readonly configuration?: Readonly<Record<string, string>>
  /** Fixed ports, to start again where another instance was. Default free ones. */
  readonly ariPort?: number
  readonly sipPort?: number
  readonly rtpPortMin?: number
  /** Default user 'patchcord', password 'patchcord'. */
  readonly ariUsername?: string
  readonly ariPassword?: string
  /**
   * Where the instance's files lie. Default a new folder that `stop` deletes, unless the environment has
   * PATCHCORD_BED_KEEP, to look into after a failure. A given one is kept.
   */
  readonly folder?: string
  /** Asterisk's own debug messages in the log. */
  readonly debug?: boolean
  /** Outlive this process. Default false: the server ends with it, however it ends. */
  readonly background?: boolean
  readonly onProgress?: (line: string) => void
}

/** All that is needed to find a running instance again. */
export interface InstanceRecord {
  readonly pid: number
  readonly folder: string
  readonly kind: AsteriskKind
  readonly ari: AriAddress
  readonly sipPort: number
  readonly codec: BedCodec
}

/** Starts an instance and waits until it takes calls (0.6 s once a root is there). */
export async function startAsterisk(options: AsteriskOptions = {}): Promise<Asterisk> {
  const root = await provideAsterisk({
    ...(options.kind === undefined ? {} : { kind: options.kind }),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  })
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'patchcord-asterisk-'))
  const ari: AriAddress = {
    host: '127.0.0.1',
    port: options.ariPort ?? freeTcpPort(),
    username: options.ariUsername ?? 'patchcord',
    password: options.ariPassword ?? 'patchcord',
  }
  const sipPort = options.sipPort ?? (await freeUdpPort())
  const codec = options.codec ?? 'ulaw'
  const rtpPortMin = options.rtpPortMin ?? randomRtpPortMin()
  const debug = options.debug ?? false
  const stasis = [options.stasisApplication ?? 'patchcord', options.stasisArguments ?? ''].filter((part) => part !== '')
  writeInstanceFolder(
    folder,
    {
      folder: root.insideFolder(folder),
      modulesFolder: root.modulesFolder,
      dataFolder: root.dataFolder,
      ariPort: ari.port,
      ariUsername: ari.username,
      ariPassword: ari.password,
      sipPort,
      rtpPortMin,
      rtpPortMax: rtpPortMin + RTP_PORTS - 1,
      codec,
      stasisArguments: stasis.join(','),
      audioSocketHost: options.engine?.audioSocketHost ?? '127.0.0.1',
      audioSocketPort: options.engine?.audioSocketPort ?? 8090,
      debugLevel: debug ? 3 : 0,
      debugSink: debug ? ',debug' : '',
      dtmfMode: options.dtmfMode ?? 'rfc4733',
      mixMonitorSync: Number.parseInt(root.version, 10) < 21 ? 'S' : '',
      digitMs: 120,
      digitGapMs: 120,
    },
    options.configuration,
  )
  const deleteFolder = options.folder === undefined && process.env.PATCHCORD_BED_KEEP === undefined
  const server = ServerProcess.start(root, folder, { background: options.background ?? false, folderToo: deleteFolder })
  const record = { pid: server.pid, folder, kind: root.kind, ari, sipPort, codec }
  const asterisk = new Asterisk(record, root, server, deleteFolder)
  try {
    await asterisk.untilReady()
  } catch (error) {
    await asterisk.stop()
    throw error
  }
  return asterisk
}

/** An instance that another process started. Its `stop` works; nothing ends with this process. */
export async function attachAsterisk(record: InstanceRecord): Promise<Asterisk> {
  const root = await provideAsterisk({ kind: record.kind })
  const asterisk = new Asterisk(record, root, ServerProcess.attach(root, record.folder, record.pid), false)
  if (!isAlive(record.pid)) throw new Error(`the Asterisk of ${record.folder} is gone`)
  await asterisk.untilReady()
  return asterisk
}

export class Asterisk implements CallCarrier {
  readonly version: string
  readonly kind: AsteriskKind
  readonly folder: string
  /** For the engine under test. */
  readonly ari: AriAddress
  readonly sipPort: number
  readonly record: InstanceRecord
  /** The bed's own ARI client, for questions that the methods below don't answer. */
  readonly client: BedAri
  readonly #root: AsteriskRoot
  readonly #server: ServerProcess
  readonly #deleteFolder: boolean
  readonly #sounds = new Map<string, Promise<string>>()
  #watch: Promise<CallWatch> | undefined
  #placed = 0

  constructor(record: InstanceRecord, root: AsteriskRoot, server: ServerProcess, deleteFolder: boolean) {
    this.record = record
    this.version = root.version
    this.kind = record.kind
    this.folder = record.folder
    this.ari = record.ari
    this.sipPort = record.sipPort
    this.client = new BedAri(record.ari)
    this.#root = root
    this.#server = server
    this.#deleteFolder = deleteFolder
  }

  /** Waits until Asterisk answers. Throws with the log's end when it dies or stays silent. */
  async untilReady(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS
    while (!(await this.client.isReady())) {
      const gone = !this.#server.alive
      if (gone || performance.now() > deadline) {
        const said = `${this.#server.output()}\n${this.logText()}`.trim().split('\n').slice(-15).join('\n')
        throw new Error(`Asterisk ${gone ? 'ended at its start' : 'did not get ready'}:\n${said}`)
      }
      await Bun.sleep(READY_POLL_MS)
    }
  }

  /** Places a call: a caller that speaks, listens and hangs up. Resolves when Asterisk has taken the order. */
  async call(options: CallOptions): Promise<PlacedCall> {
    const watch = await this.#openWatch()
    const via = options.via ?? 'sip'
    // The process's own share keeps ids apart when two test processes share an instance.
    const channelId = `bed-${process.pid}-${++this.#placed}-${crypto.randomUUID().slice(0, 8)}`
    const folder = join(this.folder, 'calls', channelId)
    mkdirSync(folder, { recursive: true })
    const extension = soundExtension(codecRateHz(this.record.codec))
    const recordings = { heard: join(folder, `heard.${extension}`), said: join(folder, `said.${extension}`) }
    const steps = await encodeSteps(callerSteps(options), this)
    const news = watch.watch(channelId)
    try {
      await this.client.must('POST', '/channels', {
        endpoint: via === 'sip' ? `PJSIP/${options.extension}@loop` : `Local/${options.extension}@in/n`,
        context: 'caller',
        extension: 's',
        priority: 1,
        channelId,
        // A Local channel left to itself may take a codec that nobody's telephone line has.
        ...(via === 'local' ? { formats: this.record.codec } : {}),
        callerId: options.callerId ?? '"Bed Caller" <5550100>',
        timeout: Math.ceil((options.answerTimeoutMs ?? 30_000) / 1000),
        variables: {
          ...calledVariables(via, options.variables ?? {}),
          BED_STEPS: steps,
          BED_HEARD: this.inside(recordings.heard),
          BED_SAID: this.inside(recordings.said),
        },
      })
    } catch (error) {
      watch.forget(channelId)
      throw error
    }
    return new PlacedCall(channelId, news, this, recordings)
  }

  async channels(): Promise<BedChannel[]> {
    return await this.client.channels()
  }

  async bridges(): Promise<BedBridge[]> {
    return await this.client.bridges()
  }

  /** Waits until no channel and no bridge is left. Throws with their names after `timeoutMs`. */
  async untilQuiet(timeoutMs: number = 2_000): Promise<void> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const [channels, bridges] = await Promise.all([this.channels(), this.bridges()])
      if (channels.length + bridges.length === 0) return
      if (performance.now() > deadline) {
        const names = [...channels.map((channel) => channel.name), ...bridges.map((bridge) => `bridge ${bridge.id}`)]
        throw new Error(`left over after ${timeoutMs} ms: ${names.join(', ')}`)
      }
      await Bun.sleep(50)
    }
  }

  /** A console command's output. */
  async cli(command: string): Promise<string> {
    const argv = ['asterisk', '-C', `${this.#root.insideFolder(this.folder)}/etc/asterisk.conf`, '-rx', command]
    return await mustRun(this.#root.consoleCommand(this.folder, argv))
  }

  /** The whole log so far. */
  logText(): string {
    try {
      return readFileSync(join(this.folder, 'log', 'full'), 'utf8')
    } catch {
      return ''
    }
  }

  /** Asterisk's name of a sound file of this machine, without extension; converts and copies it, once. */
  async sound(path: string): Promise<string> {
    const { mtimeMs } = await Bun.file(path).stat()
    const key = `${path}@${mtimeMs}`
    let sound = this.#sounds.get(key)
    if (sound === undefined) {
      sound = this.#copySound(path, Bun.hash(key).toString(36))
      this.#sounds.set(key, sound)
    }
    return await sound
  }

  /** Asterisk's name of a sound file that is silent for `ms`. */
  async silence(ms: number): Promise<string> {
    const key = `silence-${ms}`
    let sound = this.#sounds.get(key)
    if (sound === undefined) {
      sound = this.#makeSilence(key, ms)
      this.#sounds.set(key, sound)
    }
    return await sound
  }

  /** Ends the process at once, as a power cut would. The folder stays until `stop`. */
  async killHard(): Promise<void> {
    await this.#server.kill()
    await this.#closeWatch()
  }

  /** Ends the instance and deletes its folder, unless the folder was given. */
  async stop(): Promise<void> {
    await this.#server.stop(STOP_TIMEOUT_MS)
    await this.#closeWatch()
    if (this.#deleteFolder) {
      rmSync(this.folder, { recursive: true, force: true })
    }
  }

  /** Lets go of the instance without ending it. */
  async detach(): Promise<void> {
    await this.#closeWatch()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #makeSilence(name: string, ms: number): Promise<string> {
    const sampleRateHz = codecRateHz(this.record.codec)
    const target = join(this.folder, 'sounds', name)
    await writeWav(`${target}.${soundExtension(sampleRateHz)}`, {
      sampleRateHz,
      samples: new Int16Array((ms * sampleRateHz) / 1000),
    })
    return this.inside(target)
  }

  async #copySound(path: string, key: string): Promise<string> {
    const rateHz = codecRateHz(this.record.codec)
    const name = `${basename(path)
      .replace(/\.[^.]*$/, '')
      .replace(/[^A-Za-z0-9-]/g, '_')}-${key}`
    const target = join(this.folder, 'sounds', name)
    await toTelephoneWav(path, `${target}.${soundExtension(rateHz)}`, rateHz)
    return this.inside(target)
  }

  /** A path below `folder` as Asterisk itself knows it. */
  inside(path: string): string {
    return `${this.#root.insideFolder(this.folder)}${path.slice(this.folder.length)}`
  }

  async #openWatch(): Promise<CallWatch> {
    this.#watch ??= CallWatch.open(this.client)
    return await this.#watch
  }

  async #closeWatch(): Promise<void> {
    const watch = await this.#watch?.catch(() => undefined)
    watch?.close()
  }
}

/** Asterisk takes a sound's rate from its file's extension. */
function soundExtension(rateHz: 8000 | 16000): string {
  return rateHz === 16000 ? 'wav16' : 'wav'
}
