/** A streamed answer's text, cleared of what servers wrap it in; pure, without a socket. */

/** 1 MiB: one event of a chat answer has some hundred bytes. */
const eventBytesMax = 1024 * 1024

/** Server-sent events: bytes → the `data` of each event. */
export class SseParser {
  private readonly decoder = new TextDecoder()
  private pending = ''
  private data: string[] = []
  private dataLength = 0
  overflowed: boolean = false

  push(bytes: Uint8Array): string[] {
    return this.take(this.decoder.decode(bytes, { stream: true }))
  }

  /** The stream has ended: a last event without its empty line still counts. */
  end(): string[] {
    return this.take(`${this.decoder.decode()}\n\n`)
  }

  private take(text: string): string[] {
    const events: string[] = []
    const lines = (this.pending + text).split('\n')
    this.pending = lines.pop() ?? ''
    for (const raw of lines) {
      const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
      if (line === '') {
        if (this.data.length > 0) events.push(this.data.join('\n'))
        this.data = []
        this.dataLength = 0
      } else if (line.startsWith('data:')) {
        this.data.push(line.slice(line[5] === ' ' ? 6 : 5))
        this.dataLength += line.length
      }
    }
    if (this.pending.length + this.dataLength > eventBytesMax) {
      this.overflowed = true
      this.pending = ''
      this.data = []
      this.dataLength = 0
    }
    return events
  }
}

/**
 * Takes `<think>…</think>` out of text that comes in pieces: some servers don't separate what a model thinks from what
 * it says. A piece that may be the beginning of a tag is held back until the next one tells.
 */
export class ThinkFilter {
  private held = ''
  private thinking: boolean = false

  push(text: string): string {
    let rest = this.held + text
    let spoken = ''
    this.held = ''
    while (rest !== '') {
      const tag = this.thinking ? '</think>' : '<think>'
      const found = rest.indexOf(tag)
      if (found >= 0) {
        if (!this.thinking) spoken += rest.slice(0, found)
        rest = rest.slice(found + tag.length)
        // The empty lines after a thought are no part of the answer.
        if (this.thinking) rest = rest.trimStart()
        this.thinking = !this.thinking
        continue
      }
      const tail = partialTag(rest, tag)
      if (!this.thinking) spoken += rest.slice(0, rest.length - tail)
      this.held = rest.slice(rest.length - tail)
      break
    }
    return spoken
  }

  end(): string {
    const rest = this.thinking ? '' : this.held
    this.held = ''
    return rest
  }
}

/** How many characters at the end of `text` are the beginning of `tag`. */
function partialTag(text: string, tag: string): number {
  for (let length = Math.min(tag.length - 1, text.length); length > 0; length -= 1) {
    if (tag.startsWith(text.slice(-length))) return length
  }
  return 0
}
