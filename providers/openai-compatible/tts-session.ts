import type { Accepted, CallContext, SessionOf, TtsEvent, TtsInput } from '#agent/provider.ts'
import { SessionLife } from '#agent/session-life.ts'
import { samplesToMs } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'
import { readBounded } from './bounded-body.ts'
import { failureOfResponse, type WireFailure } from './failure-wire.ts'
import type { TtsOptions } from './options.ts'
import { plain, type Route, type Server } from './server.ts'
import { SpeechAudio } from './speech-audio.ts'

/** The voice of one call: sentence by sentence, since a server that speaks is faster than a listener hears. */

/** A reply of more sentences than this, unspoken, is a model that runs away. */
const queueMax = 64
/** The most that OpenAI takes at once. */
const charactersMax = 4096
/** Five minutes are spoken of that many characters: a server that goes on has lost its way. */
const audioMsMax: Milliseconds = 300_000
const complaintBytesMax = 65_536

export class TtsSession implements SessionOf<'tts'> {
  private readonly server: Server
  private readonly options: TtsOptions
  private readonly context: CallContext
  private readonly life: SessionLife
  private listener: (event: TtsEvent) => void = () => {}
  private queue: string[] = []
  private current: AbortController | null = null
  /** The loop that works the queue off; resolves when there is nothing left. */
  private working: Promise<void> | null = null

  constructor(server: Server, options: TtsOptions, context: CallContext) {
    this.server = server
    this.options = options
    this.context = context
    this.life = new SessionLife(context.signal, () => this.end())
  }

  onEvent(listener: (event: TtsEvent) => void): void {
    this.listener = listener
  }

  send(input: TtsInput): Accepted {
    if (this.life.over) return 'closed'
    if (input.type === 'cancel') {
      this.cancel()
      return 'sent'
    }
    if (this.queue.length >= queueMax) return 'full'
    this.queue.push(input.text)
    this.working ??= this.work()
    return 'sent'
  }

  close(): Promise<void> {
    return this.life.close()
  }

  private async end(): Promise<void> {
    this.cancel()
    await this.working
    this.listener({ type: 'closed' })
  }

  private cancel(): void {
    this.queue = []
    this.current?.abort()
  }

  private async work(): Promise<void> {
    // The sender hears nothing of a sentence from within its own `send`.
    await Promise.resolve()
    for (let text = this.queue.shift(); text !== undefined; text = this.queue.shift()) await this.say(text)
    this.working = null
  }

  private async say(text: string): Promise<void> {
    const current = new AbortController()
    this.current = current
    const failure = await this.speak(text, current.signal)
    if (current.signal.aborted) return
    if (failure === null) return this.listener({ type: 'spoken', text })
    // What comes after a sentence that is missing would make no sense.
    this.queue = []
    if (failure.code === 'unreachable' || failure.code === 'unauthorized') this.server.doubt()
    this.listener({ type: 'fault', ...failure })
  }

  private async speak(text: string, signal: AbortSignal): Promise<WireFailure | null> {
    const { server, options, context } = this
    const route = server.route()
    if (route === undefined)
      return unreachable(server.readiness.ready ? 'the voice has no address' : server.readiness.reason)
    if (text.length > charactersMax)
      return { code: 'bad_request', message: `more than ${charactersMax} characters in one sentence`, retryable: false }
    const { timeout_ms: maxMs } = options
    const late = new AbortController()
    const deadline = new Deadline(() => context.clock.after(maxMs, () => late.abort()))
    try {
      const response = await this.request(route, text, AbortSignal.any([signal, late.signal]))
      if (!response.ok)
        return failureOfResponse(response.status, (await readBounded(response, complaintBytesMax)) ?? '')
      return await this.read(response, signal, deadline)
    } catch (thrown) {
      if (!late.signal.aborted) return unreachable(`the voice cannot be reached: ${plain(thrown)}`)
      return { code: 'timeout', message: `no audio of the voice within ${maxMs} ms`, retryable: true }
    } finally {
      deadline.end()
    }
  }

  private request(route: Route, text: string, signal: AbortSignal): Promise<Response> {
    const { voice, speed, instructions, response_format: format } = this.options
    return this.server.request(`${route.baseUrl}/audio/speech`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...route.headers },
      body: JSON.stringify({
        model: route.model,
        voice,
        input: text,
        response_format: format,
        // Not every server knows these.
        ...(speed === 1 ? {} : { speed }),
        ...(instructions === '' ? {} : { instructions }),
      }),
      signal,
    })
  }

  private async read(response: Response, signal: AbortSignal, deadline: Deadline): Promise<WireFailure | null> {
    const { sampleRateHz } = this.context
    const audio = new SpeechAudio(this.options, sampleRateHz)
    let spokenMs = 0
    const pass = (samples: Int16Array) => {
      if (samples.length === 0 || signal.aborted) return
      spokenMs += samplesToMs(samples.length, sampleRateHz)
      this.listener({ type: 'audio', frame: { sampleRateHz, samples } })
    }
    for await (const bytes of response.body ?? []) {
      if (signal.aborted) return null
      deadline.begin()
      const decoded = audio.push(bytes)
      if (!decoded.ok) return { code: 'bad_answer', message: decoded.error, retryable: false }
      pass(decoded.value)
      if (spokenMs > audioMsMax)
        return { code: 'bad_answer', message: 'the voice speaks without end', retryable: false }
    }
    pass(audio.end())
    return spokenMs > 0 ? null : { code: 'bad_answer', message: 'the voice sent no audio', retryable: true }
  }
}

/** Begun anew with each piece of audio. */
class Deadline {
  private readonly arm: () => Disposable
  private timer: Disposable

  constructor(arm: () => Disposable) {
    this.arm = arm
    this.timer = arm()
  }

  begin(): void {
    this.end()
    this.timer = this.arm()
  }

  end(): void {
    this.timer[Symbol.dispose]()
  }
}

function unreachable(message: string): WireFailure {
  return { code: 'unreachable', message, retryable: true }
}
