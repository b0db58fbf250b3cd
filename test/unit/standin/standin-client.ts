/** A client of a stand-in as bare as can be: it sends what it is told, and keeps what it gets. */

// biome-ignore lint/suspicious/noExplicitAny: a test reads any member of any message.
export type Seen = any

export abstract class StandinClient {
  readonly messages: Seen[] = []
  readonly opened: Promise<void>
  readonly closed: Promise<{ code: number; reason: string }>
  protocol = ''
  protected readonly socket: WebSocket
  private read = 0
  private wake: () => void = () => {}

  constructor(url: string, headers: Record<string, string>, protocols: string[]) {
    this.socket = new WebSocket(url, { headers, ...(protocols.length === 0 ? {} : { protocols }) })
    this.socket.binaryType = 'arraybuffer'
    const opened = Promise.withResolvers<void>()
    this.opened = opened.promise
    this.socket.addEventListener('open', () => {
      this.protocol = this.socket.protocol
      opened.resolve()
    })
    this.socket.addEventListener('message', ({ data }) => {
      this.received(data)
      this.wake()
    })
    const { promise, resolve } = Promise.withResolvers<{ code: number; reason: string }>()
    this.closed = promise
    this.socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }))
    this.socket.addEventListener('error', () => {})
  }

  protected abstract received(data: string | ArrayBuffer): void

  send(message: object): void {
    this.socket.send(JSON.stringify(message))
  }

  /** As it is. */
  sendRaw(data: string | Uint8Array<ArrayBuffer>): void {
    this.socket.send(data)
  }

  /** The next message of this type; those before it are passed over. */
  async next(type: string): Promise<Seen> {
    for (;;) {
      const index = this.messages.findIndex((message, at) => at >= this.read && message.type === type)
      if (index >= 0) {
        this.read = index + 1
        return this.messages[index]
      }
      if (!(await this.more())) throw new Error(`no ${type} after ${this.types.slice(-8).join(', ')}`)
    }
  }

  get types(): string[] {
    return this.messages.map((message) => message.type)
  }

  of(type: string): Seen[] {
    return this.messages.filter((message) => message.type === type)
  }

  close(): void {
    this.socket.close(1000)
  }

  private more(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), 2000)
      this.wake = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }
}
