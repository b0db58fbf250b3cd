// A small ARI client of the bed's own. The engine's client is what the tests examine, so it can't be the
// instrument as well.

const REQUEST_TIMEOUT_MS = 10_000
/**
 * Asterisk's HTTP server keeps a queue of 10 connections that wait to be taken. Beyond it the kernel drops the
 * attempt, and the client's next one comes a second later: 16 requests at once took 1,022 ms, 4 at a time 80 ms.
 */
const REQUESTS_AT_ONCE_MAX = 4

export interface AriAddress {
  readonly host: string
  readonly port: number
  readonly username: string
  readonly password: string
}

/** The part of ARI's Channel that tests look at. */
export interface BedChannel {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly caller: { readonly name: string; readonly number: string }
  readonly dialplan: { readonly context: string; readonly exten: string; readonly app_name: string }
}

export interface BedBridge {
  readonly id: string
  readonly bridge_type: string
  readonly technology: string
  readonly channels: readonly string[]
}

export interface AriAnswer {
  readonly status: number
  /** Parsed JSON, or null when there was none. */
  readonly body: unknown
}

export class BedAri {
  readonly address: AriAddress
  readonly #base: string
  readonly #authorization: string
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(address: AriAddress) {
    this.address = address
    this.#base = `http://${address.host}:${address.port}/ari`
    this.#authorization = `Basic ${btoa(`${address.username}:${address.password}`)}`
  }

  /** One request. Any status is a value; throws only when Asterisk can't be reached in time. */
  async request(method: string, path: string, body?: unknown): Promise<AriAnswer> {
    while (this.#running >= REQUESTS_AT_ONCE_MAX) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#running++
    try {
      return await this.#send(method, path, body)
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }

  async #send(method: string, path: string, body: unknown): Promise<AriAnswer> {
    const response = await fetch(`${this.#base}${path}`, {
      method,
      headers: { authorization: this.#authorization, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? null : parseJson(text) }
  }

  /** A request that has to succeed. */
  async must(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.request(method, path, body)
    if (answer.status >= 300) {
      throw new Error(`ARI answered ${answer.status} to ${method} ${path}: ${JSON.stringify(answer.body)}`)
    }
    return answer.body
  }

  async channels(): Promise<BedChannel[]> {
    return (await this.must('GET', '/channels')) as BedChannel[]
  }

  async bridges(): Promise<BedBridge[]> {
    return (await this.must('GET', '/bridges')) as BedBridge[]
  }

  /** A channel, or undefined when it is gone. */
  async channel(id: string): Promise<BedChannel | undefined> {
    const answer = await this.request('GET', `/channels/${encodeURIComponent(id)}`)
    return answer.status === 200 ? (answer.body as BedChannel) : undefined
  }

  /** Whether Asterisk has booted and answers. */
  async isReady(): Promise<boolean> {
    try {
      return (await this.request('GET', '/asterisk/info?only=system')).status === 200
    } catch {
      return false
    }
  }

  /** An event socket for one application. */
  events(application: string): WebSocket {
    const url = `${this.#base.replace(/^http/, 'ws')}/events?app=${encodeURIComponent(application)}`
    return new WebSocket(url, { headers: { authorization: this.#authorization }, perMessageDeflate: false })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
