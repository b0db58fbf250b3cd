import type { SocketListener, WireSocket } from '#agent/wire-socket.ts'
import { seededRandom } from '#base/random.ts'
import { ok } from '#base/result.ts'
import { ModelStore } from '#speech/model-store.ts'
import { Voice } from '#speech/voice.ts'
import { MemoryDeepgram } from './deepgram-standin.ts'
import type { ManualClock } from './manual-clock.ts'
import { MemoryAsterisk } from './memory-asterisk.ts'
import { OpenAiCompatibleServer, type ScriptedAnswer } from './openai-compatible-server.ts'
import { MemoryStandin } from './realtime-standin.ts'

/** What a vendor was asked for over HTTP. */
export interface OutsideRequest {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  /** It was given up before it was answered. */
  aborted: boolean
}

/**
 * All that an engine reaches outside of its own thread, in memory: Asterisk; the sockets and the HTTP of vendors, whose
 * stand-ins answer; the workers, which have every model; the local voice with its child process. It is put in the place of
 * the runtime's own, so that nothing of the engine is another than in service.
 */
export class Outside {
  realtime: MemoryStandin
  deepgram: MemoryDeepgram
  readonly openai: OpenAiCompatibleServer
  readonly asterisk = new MemoryAsterisk()
  /** Of vendors. */
  readonly requests: OutsideRequest[] = []
  /** What the local voice was asked for, with its model's file and its speed. */
  readonly spoken: { readonly text: string; readonly model: string; readonly speed: number }[] = []
  /** How a model answers by chat completions. */
  answer: ScriptedAnswer = { pieces: ['It is noon.'] }
  /** These answers never come. */
  silent: (url: string) => boolean = () => false
  private readonly clock: ManualClock
  private readonly real = { fetch: globalThis.fetch, WebSocket: globalThis.WebSocket, Worker: globalThis.Worker }
  private readonly realVoice = Object.getOwnPropertyDescriptors(Voice.prototype)
  private readonly realMissing = ModelStore.prototype.missing

  constructor(clock: ManualClock) {
    this.clock = clock
    this.realtime = new MemoryStandin({ clock, random: seededRandom(7), pace: 0 })
    this.deepgram = new MemoryDeepgram({ clock, random: seededRandom(7), pace: 0 })
    this.openai = new OpenAiCompatibleServer(() => this.answer)
    this.openai.models = []
  }

  /** Stand-ins that have met nobody, which do as they are told. */
  renew(
    realtime: Partial<ConstructorParameters<typeof MemoryStandin>[0]> = {},
    deepgram: Partial<ConstructorParameters<typeof MemoryDeepgram>[0]> = {},
  ): void {
    const { clock } = this
    this.realtime = new MemoryStandin({ clock, random: seededRandom(7), pace: 0, ...realtime })
    this.deepgram = new MemoryDeepgram({ clock, random: seededRandom(7), pace: 0, ...deepgram })
    for (const list of [
      this.spoken,
      this.requests,
      this.openai.requests,
      this.openai.transcriptions,
      this.openai.speeches,
    ])
      list.splice(0)
    this.answer = { pieces: ['It is noon.'] }
    this.silent = () => false
    this.openai.transcribe = () => ({ text: 'Hello.' })
    this.openai.speak = () => ({})
  }

  install(): void {
    const outside = this
    Object.assign(globalThis, {
      fetch: (url: string, init?: RequestInit) => this.fetch(url, init),
      WebSocket: class extends MemoryWebSocket {
        constructor(url: string, options: { headers: Record<string, string> }) {
          super((listener) => outside.connect(url, options.headers, listener))
        }
      },
      Worker: MemoryWorker,
    })
    ModelStore.prototype.missing = () => Promise.resolve(null)
    Object.defineProperties(Voice.prototype, {
      start: { configurable: true, value: () => {} },
      readiness: { configurable: true, get: () => ({ ready: true }) },
      speak: {
        configurable: true,
        async value(...[text, rateHz, , onAudio]: Parameters<Voice['speak']>) {
          const { model, speed = 1 } = (this as unknown as { options: { model: string; speed?: number } }).options
          outside.spoken.push({ text, model, speed })
          onAudio(new Int16Array(Math.round((spokenMs(text) / speed) * (rateHz / 1000))).fill(4000))
          return ok(0)
        },
      },
    })
  }

  async restore(): Promise<void> {
    Object.assign(globalThis, this.real)
    ModelStore.prototype.missing = this.realMissing
    Object.defineProperties(Voice.prototype, this.realVoice)
    await this.openai.close()
  }

  /** What somebody asks of the engine, over a socket. */
  async ask(url: string, init: RequestInit): Promise<Response> {
    return await this.real.fetch(url, init)
  }

  private connect(url: string, headers: Record<string, string>, listener: SocketListener): WireSocket {
    if (url.includes('/ari/events')) return this.asterisk.connect(listener)
    const server = url.includes('/realtime') ? this.realtime : this.deepgram
    return server.openSocket(url, headers, listener)
  }

  private async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    if (url.includes('/ari/')) return this.asterisk.respond(new URL(url), init.method ?? 'GET')
    const { signal } = init
    const request: OutsideRequest = {
      url,
      method: init.method ?? 'GET',
      headers: new Headers(init.headers),
      aborted: false,
    }
    this.requests.push(request)
    const aborted = new Promise<never>((_resolve, reject) =>
      signal?.addEventListener('abort', () => {
        request.aborted = true
        reject(new DOMException('aborted', 'AbortError'))
      }),
    )
    aborted.catch(() => {})
    return await Promise.race([aborted, this.silent(url) ? new Promise<never>(() => {}) : this.respond(url, init)])
  }

  private async respond(url: string, init: RequestInit): Promise<Response> {
    const { pathname } = new URL(url)
    if (pathname.endsWith('/auth/token')) return new Response('{}')
    if (pathname.endsWith('/v1/speak')) return new Response(new Uint8Array(1600))
    if (pathname.endsWith('/v1/listen')) {
      const alternatives = [{ transcript: 'stop it now' }]
      return Response.json({ results: { channels: [{ alternatives }] } })
    }
    const response = await this.openai.handle(new Request(url, init))
    // What is given up has no more of its answer.
    const body = response.body?.pipeThrough(new TransformStream(), init.signal ? { signal: init.signal } : {})
    return new Response(body ?? null, { status: response.status, headers: response.headers })
  }
}

type Listener = (event: Readonly<Record<string, unknown>>) => void

/** The client's side of a WebSocket as the runtime has it, with a stand-in behind it. */
class MemoryWebSocket {
  static readonly OPEN = 1
  binaryType = ''
  readyState = 0
  private readonly socket: WireSocket
  // keyed by: name of an event
  private readonly listeners = new Map<string, Listener[]>()

  constructor(open: (listener: SocketListener) => WireSocket) {
    this.socket = open({
      opened: () => {
        this.readyState = 1
        this.emit('open', {})
      },
      message: (data) => this.emit('message', { data }),
      audio: (bytes) => this.emit('message', { data: bytes.buffer }),
      lost: (message, status) => {
        this.readyState = 3
        if (status === null) this.emit('close', { code: 1006, reason: message })
        else this.emit('error', { message })
      },
    })
  }

  get bufferedAmount(): number {
    return 0
  }

  addEventListener(name: string, listener: Listener): void {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener])
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.socket.send(data)
  }

  ping(): void {
    queueMicrotask(() => this.emit('pong', {}))
  }

  close(): void {
    this.readyState = 3
    this.socket.close()
    queueMicrotask(() => this.emit('close', { code: 1000, reason: '' }))
  }

  terminate(): void {
    this.readyState = 3
    this.socket.close()
  }

  private emit(name: string, event: Readonly<Record<string, unknown>>): void {
    for (const listener of this.listeners.get(name) ?? []) listener(event)
  }
}

/** How long the local voice speaks at its own pace. */
export const spokenMs = (text: string): number => 20 * text.length

/** A worker that stands at once, has loaded what it is told as soon as it is told, and hears who it is. */
export class MemoryWorker {
  onmessage: ((event: MessageEvent) => void) | null = null
  onerror: ((event: ErrorEvent) => void) | null = null
  private readonly isDetection: boolean
  private readonly closers: (() => void)[] = []
  private folder: string | null = null
  private loaded = false

  constructor(url: string | URL) {
    this.isDetection = String(url).includes('detection')
    this.say('listening')
  }

  postMessage(message: 'stop' | { readonly type?: string; readonly folder?: string; readonly job?: number }): void {
    if (message === 'stop' || (typeof message === 'object' && message.type === 'stop')) return this.terminate()
    if (!this.loaded) {
      this.loaded = true
      this.folder = message.folder ?? null
      return this.say('ready')
    }
    if (message.type === 'transcribe') {
      const text = `heard by ${this.folder?.split('/').at(-1)}`
      this.tell({ type: 'transcribed', job: message.job, text, looped: false })
    }
  }

  addEventListener(name: string, listener: () => void): void {
    if (name === 'close') this.closers.push(listener)
  }

  terminate(): void {
    for (const close of this.closers.splice(0)) close()
  }

  private say(type: 'listening' | 'ready'): void {
    this.tell(this.isDetection ? type : { type })
  }

  private tell(data: unknown): void {
    queueMicrotask(() => this.onmessage?.(new MessageEvent('message', { data })))
  }
}
