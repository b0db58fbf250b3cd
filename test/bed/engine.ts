// The engine under test as a process of its own, on free ports, with a configuration written for the test.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { AriAddress } from './bed-ari.ts'
import { collectedMessage, countedMessage } from './collector.ts'
import { freeTcpPort } from './ports.ts'

export interface EngineOptions {
  readonly asterisk?: AriAddress
  /** Further YAML, appended to what the bed writes; sections must not repeat. */
  readonly yaml?: string
  readonly provider?: string
  /** A pipeline of `yaml` that answers instead. */
  readonly pipeline?: string
  /** The Stasis application; default patchcord. */
  readonly application?: string
  readonly env?: Readonly<Record<string, string>>
  /** Instead of the source: a binary to run. */
  readonly binary?: string
  readonly audioSocketPort?: number
  readonly audioSocketYaml?: string
  readonly transcripts?: boolean
  readonly logLevel?: 'debug' | 'info'
  /** Wait until the provider is ready; default true. */
  readonly untilReady?: boolean
  readonly readyTimeoutMs?: number
  /** How often to ask whether it lives; a measurement asks more often. */
  readonly pollMs?: number
  readonly cwd?: string
  /** From source only: `collect` and `countObjects` work. */
  readonly collector?: boolean
  /** What lies in its folder, beside its records, before it starts: names and texts. */
  readonly files?: Readonly<Record<string, string>>
}

/** What a full collection has left. */
export interface EngineMemory {
  readonly residentBytes: number
  readonly heapBytes: number
}

export interface EngineLogLine {
  readonly time: string
  readonly level: string
  readonly message: string
  readonly call?: string
  readonly step?: string
  readonly detail?: string
  readonly [field: string]: unknown
}

export interface Health {
  readonly status: string
  readonly active_calls: number
  readonly ari_connected: boolean
  /** Missing while the engine still loads. */
  readonly providers?: Readonly<Record<string, { readonly ready: boolean; readonly reason?: string }>>
  readonly conversation: { readonly states: Readonly<Record<string, number>>; readonly gates_closed: number }
  readonly [field: string]: unknown
}

const mainFile = join(import.meta.dir, '..', '..', 'src', 'main.ts')
const collectorFile = join(import.meta.dir, 'collector.ts')

export class BedEngine {
  readonly httpUrl: string
  readonly audioSocketPort: number
  readonly recordsFile: string
  readonly folder: string
  private readonly child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>
  private readonly lines: EngineLogLine[] = []
  private readonly text: string[] = []

  private constructor(
    child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>,
    httpPort: number,
    audioSocketPort: number,
    folder: string,
  ) {
    this.child = child
    this.httpUrl = `http://127.0.0.1:${httpPort}`
    this.audioSocketPort = audioSocketPort
    this.folder = folder
    this.recordsFile = join(folder, 'calls.jsonl')
    void this.read(child.stderr)
    void this.read(child.stdout)
  }

  static async start(options: EngineOptions = {}): Promise<BedEngine> {
    const folder = mkdtempSync(join(tmpdir(), 'patchcord-engine-'))
    const httpPort = await freeTcpPort()
    const audioSocketPort = options.audioSocketPort ?? (await freeTcpPort())
    const file = join(folder, 'engine.yaml')
    for (const [name, text] of Object.entries(options.files ?? {})) writeFileSync(join(folder, name), text)
    writeFileSync(file, configuration(options, httpPort, audioSocketPort, folder))
    const collector = options.collector === true
    const source = [process.execPath, '--no-env-file', ...(collector ? ['--preload', collectorFile] : []), mainFile]
    const command = options.binary === undefined ? source : [options.binary]
    // To look into a failure: the log of every engine of a run.
    const logs = process.env.PATCHCORD_BED_LOGS
    const logFile = logs === undefined ? [] : ['--log-file', join(logs, `${basename(folder)}.jsonl`)]
    const child = Bun.spawn([...command, 'run', '--config', file, ...logFile], {
      cwd: options.cwd ?? folder,
      env: {
        ...process.env,
        ASTERISK_ARI_PASSWORD: options.asterisk?.password ?? 'none',
        ...(collector ? { PATCHCORD_BED_COLLECTOR: 'yes' } : {}),
        ...options.env,
      },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const engine = new BedEngine(child, httpPort, audioSocketPort, folder)
    process.once('exit', () => child.kill('SIGKILL'))
    try {
      await engine.until('live', 20_000, async () => (await engine.get('/live')) === 200, options.pollMs)
      if (options.untilReady !== false) {
        const timeoutMs = options.readyTimeoutMs ?? 60_000
        await engine.until('ready', timeoutMs, async () => {
          const health = await engine.health()
          const provider = health.providers?.[options.pipeline ?? options.provider ?? 'local']
          const detection = health.speech_detection as { ready: boolean } | undefined
          return (
            provider?.ready === true &&
            detection?.ready === true &&
            (options.asterisk === undefined || health.ari_connected)
          )
        })
      }
      return engine
    } catch (thrown) {
      // It would go on looking for an Asterisk at this port, and take the application of the next one there.
      child.kill('SIGKILL')
      throw thrown
    }
  }

  get pid(): number {
    return this.child.pid
  }

  get log(): readonly EngineLogLine[] {
    return this.lines
  }

  get output(): string {
    return this.text.join('\n')
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  async health(): Promise<Health> {
    return (await (await fetch(`${this.httpUrl}/health`)).json()) as Health
  }

  /** The status of a GET; 0 where nobody answers. */
  async get(path: string): Promise<number> {
    try {
      return (await fetch(`${this.httpUrl}${path}`)).status
    } catch {
      return 0
    }
  }

  /** One sample of /metrics by its whole name with labels; 0 where it is missing. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.httpUrl}/metrics`)).text()
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `))
    return line === undefined ? 0 : Number(line.slice(name.length + 1))
  }

  /** Collects the garbage of the engine's main thread and waits until the allocator has given back what was free. */
  async collect(): Promise<EngineMemory> {
    return (await this.ask('SIGUSR2', collectedMessage)) as unknown as EngineMemory
  }

  /** Objects by class that a collection has left. Memory can't be compared with what it was before any more. */
  async countObjects(): Promise<Readonly<Record<string, number>>> {
    return (await this.ask('SIGWINCH', countedMessage)).counts as Record<string, number>
  }

  private async ask(signal: NodeJS.Signals, message: string): Promise<EngineLogLine> {
    const answers = () => this.lines.filter((line) => line.message === message)
    const before = answers().length
    this.child.kill(signal)
    await this.until(`an answer to ${signal}`, 30_000, () => answers().length > before)
    return answers()[before] as EngineLogLine
  }

  records(): Record<string, unknown>[] {
    let text = ''
    try {
      text = readFileSync(this.recordsFile, 'utf8')
    } catch {
      return []
    }
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  /** The step lines of one call, in the order in which they were written. */
  steps(call: string): string[] {
    return this.lines.filter((line) => line.call === call && line.step !== undefined).map((line) => String(line.step))
  }

  async untilIdle(timeoutMs = 5000): Promise<void> {
    await this.until('active_calls 0', timeoutMs, async () => (await this.health()).active_calls === 0)
    // A record is written behind the call's back, a moment after its end.
    await this.until('recorded', timeoutMs, () => this.allRecorded())
  }

  private async allRecorded(): Promise<boolean> {
    const text = await (await fetch(`${this.httpUrl}/metrics`)).text()
    const sum = (name: string) =>
      [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)$`, 'gm'))].reduce(
        (all, [, value]) => all + Number(value),
        0,
      )
    return sum('ai_agent_call_records_total') + sum('ai_agent_call_records_lost_total') >= sum('ai_agent_calls_total')
  }

  async until(
    what: string,
    timeoutMs: number,
    condition: () => boolean | Promise<boolean>,
    pollMs = 25,
  ): Promise<void> {
    const deadline = performance.now() + timeoutMs
    while (!(await condition())) {
      if (!this.running) throw new Error(`the engine ended before it was ${what}:\n${this.output.slice(-3000)}`)
      if (performance.now() > deadline)
        throw new Error(`not ${what} after ${timeoutMs} ms:\n${this.output.slice(-3000)}`)
      await Bun.sleep(pollMs)
    }
  }

  /** The configuration as the engine reads it; what is written there is noticed. */
  get configurationFile(): string {
    return join(this.folder, 'engine.yaml')
  }

  /** SIGTERM, and the exit code. */
  async stop(): Promise<number> {
    this.child.kill('SIGTERM')
    const code = await Promise.race([this.child.exited, Bun.sleep(45_000).then(() => -1)])
    if (code === -1) this.child.kill('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
    return code
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  get exited(): Promise<number> {
    return this.child.exited
  }

  private async read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of stream) {
      rest += decoder.decode(chunk, { stream: true })
      const lines = rest.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        this.text.push(line)
        if (line.startsWith('{')) this.lines.push(JSON.parse(line) as EngineLogLine)
      }
    }
  }
}

function configuration(options: EngineOptions, httpPort: number, audioSocketPort: number, folder: string): string {
  const { asterisk } = options
  return `default_provider: ${options.provider ?? 'local'}
active_pipeline: ${options.pipeline ?? "''"}
asterisk:
  host: 127.0.0.1
  port: ${asterisk?.port ?? 9}
  username: ${asterisk?.username ?? 'none'}
  password: \${ASTERISK_ARI_PASSWORD}
  reconnect_max_ms: 1000
  app_name: ${options.application ?? 'patchcord'}
audiosocket:
  port: ${audioSocketPort}
${options.audioSocketYaml ?? ''}
health:
  port: ${httpPort}
records:
  file: ${join(folder, 'calls.jsonl')}
logging:
  format: json
  level: ${options.logLevel ?? 'info'}
  transcripts: ${options.transcripts ?? true}
${options.yaml ?? ''}
`
}
