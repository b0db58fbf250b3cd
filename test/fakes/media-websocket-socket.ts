import type { MediaSocket } from '#asterisk/media-websocket-leg.ts'

/** A socket of a leg: what it is given goes to the test at once, unless the kernel takes nothing. */
export class FakeMediaSocket implements MediaSocket {
  onBinary: (bytes: Uint8Array) => void = () => {}
  onText: (text: string) => void = () => {}
  readonly texts: string[] = []
  readonly messages: Uint8Array[] = []
  /** The kernel takes nothing: everything waits. */
  stuck = false
  waiting = 0
  closes = 0
  terminations = 0

  sendBinary(bytes: Uint8Array): void {
    this.messages.push(Uint8Array.from(bytes))
    if (this.stuck) this.waiting += bytes.length
    else this.onBinary(bytes)
  }

  sendText(text: string): void {
    this.texts.push(text)
    if (this.stuck) this.waiting += text.length
    else this.onText(text)
  }

  waitingBytes(): number {
    return this.waiting
  }

  close(): void {
    this.closes += 1
  }

  terminate(): void {
    this.terminations += 1
  }
}
