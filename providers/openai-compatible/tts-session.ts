import type { Accepted, CallContext, SessionOf, TtsEvent, TtsInput } from '#agent/provider.ts'
import { SentenceQueue } from '#agent/sentence-queue.ts'
import { networkError } from '#agent/server-look.ts'
import { samplesToMs } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'
import { readBounded } from './bounded-body.ts'
import { failureOfResponse, type WireFailure } from './failure-wire.ts'
import type { TtsOptions } from './options.ts'
import type { Server } from './server.ts'
import { SpeechAudio } from './speech-audio.ts'

/**
 * The voice of one call, sentence by sentence. While one is spoken the next is asked for already, so that a short one is not
 * followed by silence.
 */
interface Asked {
  readonly text: string
  readonly answer: Promise<Response | WireFailure>
  readonly deadline: Deadline
  readonly late: AbortController
}

type Pass = (samples: Int16Array) => void

/** The most that OpenAI takes at once. */
const charactersMax = 4096
/** Five minutes are spoken of that many characters: a server that goes on has lost its way. */
const audioMsMax: Milliseconds = 300_000
const complaintBytesMax = 65_536

export class TtsSession implements SessionOf<'tts'> {
  private readonly server: Server
  private readonly options: TtsOptions
  private readonly context: CallContext
  private readonly queue: SentenceQueue
  /** The first of the queue, asked for while the one before it is spoken. */
  private ahead: Asked | null = null
  /** One has been answered, and is being spoken. */
  private speaking: boolean = false

  constructor(server: Server, options: TtsOptions, context: CallContext) {
    this.server = server
    this.options = options
    this.context = context
    this.queue = new SentenceQueue(context, {
      say: (text, signal, pass) => this.say(text, signal, pass),
      dropped: () => {
        this.ahead = null
        this.speaking = false
      },
    })
  }

  onEvent(listener: (event: TtsEvent) => void): void {
    this.queue.onEvent(listener)
  }

  send(input: TtsInput): Accepted {
    const accepted = this.queue.send(input)
    this.askAhead()
    return accepted
  }

  close(): Promise<void> {
    return this.queue.close()
  }

  private async say(text: string, signal: AbortSignal, pass: Pass): Promise<WireFailure | null> {
    const asked = this.ahead ?? this.ask(text, signal)
    this.ahead = null
    const failure = await this.speak(asked, signal, pass)
    if (signal.aborted) return failure
    this.speaking = false
    if (failure?.code === 'unreachable' || failure?.code === 'unauthorized') this.server.doubt()
    return failure
  }

  private askAhead(): void {
    const { next, signal } = this.queue
    if (this.speaking && this.ahead === null && next !== undefined) this.ahead = this.ask(next, signal)
  }

  private async speak({ answer, deadline, late }: Asked, signal: AbortSignal, pass: Pass): Promise<WireFailure | null> {
    const response = await answer
    if (!(response instanceof Response) || signal.aborted) return response instanceof Response ? null : response
    deadline.begin()
    try {
      if (!response.ok)
        return failureOfResponse(response.status, (await readBounded(response, complaintBytesMax)) ?? '')
      this.speaking = true
      this.askAhead()
      return await this.read(response, signal, deadline, pass)
    } catch (thrown) {
      return this.failureOf(thrown, late)
    } finally {
      deadline.end()
    }
  }

  /** A request whose answer is not read yet; its audio waits in the connection. */
  private ask(text: string, signal: AbortSignal): Asked {
    const late = new AbortController()
    const { timeout_ms: maxMs } = this.options
    const deadline = new Deadline(() => this.context.clock.after(maxMs, () => late.abort()))
    const answer = this.request(text, AbortSignal.any([signal, late.signal]))
      .catch((thrown: unknown) => this.failureOf(thrown, late))
      .finally(() => deadline.end())
    return { text, answer, deadline, late }
  }

  private failureOf(thrown: unknown, late: AbortController): WireFailure {
    if (!late.signal.aborted) return unreachable(`the voice cannot be reached: ${networkError(thrown)}`)
    return { code: 'timeout', message: `no audio of the voice within ${this.options.timeout_ms} ms`, retryable: true }
  }

  private async request(text: string, signal: AbortSignal): Promise<Response | WireFailure> {
    const { server } = this
    const route = server.route()
    if (route === undefined)
      return unreachable(server.readiness.ready ? 'the voice has no address' : server.readiness.reason)
    if (text.length > charactersMax)
      return { code: 'bad_request', message: `more than ${charactersMax} characters in one sentence`, retryable: false }
    const { speed, instructions, response_format: format } = this.options
    const { voice = this.options.voice } = this.context
    return await server.request(`${route.baseUrl}/audio/speech`, {
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

  private async read(
    response: Response,
    signal: AbortSignal,
    deadline: Deadline,
    pass: Pass,
  ): Promise<WireFailure | null> {
    const { sampleRateHz } = this.context
    const audio = new SpeechAudio(this.options, sampleRateHz, response.headers.get('content-type'))
    let spokenMs = 0
    const give = (samples: Int16Array) => {
      if (samples.length === 0 || signal.aborted) return
      spokenMs += samplesToMs(samples.length, sampleRateHz)
      pass(samples)
    }
    for await (const bytes of response.body ?? []) {
      if (signal.aborted) return null
      deadline.begin()
      const decoded = audio.push(bytes)
      if (!decoded.ok) return { code: 'bad_answer', message: decoded.error, retryable: false }
      give(decoded.value)
      if (spokenMs > audioMsMax)
        return { code: 'bad_answer', message: 'the voice speaks without end', retryable: false }
    }
    const rest = audio.end()
    if (!rest.ok) return { code: 'bad_answer', message: rest.error, retryable: false }
    give(rest.value)
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
