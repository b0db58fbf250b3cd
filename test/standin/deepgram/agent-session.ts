import { AgentReply } from './agent-reply.ts'
import { type AgentSettings, agentSettings, updateFault } from './agent-settings.ts'
import { Hearing, turnText } from './hearing.ts'
import {
  greetingNumber,
  injectedNumber,
  type Reply,
  type ServerMessage,
  type StandinOptions,
  standinDefaults,
} from './options.ts'
import type { SpeechEncoder } from './reply-audio.ts'
import { type SessionWire, SocketSession } from './socket-session.ts'

const defaultReply: Reply = { text: 'This is a stand-in.', ms: 2000 }
/** With a model that Deepgram runs; with an endpoint of one's own there is no limit. */
const promptMax = 25_000

/** One Voice Agent session: what comes in is checked and answered, in the order in which it comes. */
export class AgentSession extends SocketSession {
  readonly kind = 'agent'
  settings: AgentSettings | null = null
  private readonly encoder: SpeechEncoder
  private hearing: Hearing | null = null
  private userSpeaks = false
  private turns = 0
  private replies = 0
  private reply: AgentReply | null = null
  private understanding: Disposable | null = null
  private queued: string[] = []
  /** Functions that the client has yet to answer. */
  // keyed by: the id of a function call
  private readonly asked = new Set<string>()

  constructor(options: StandinOptions, wire: SessionWire, encoder: SpeechEncoder) {
    super(options, wire)
    this.encoder = encoder
  }

  get isReplying(): boolean {
    return this.reply !== null
  }

  /** The caller's audio so far, as it was decoded; empty where it is not kept. */
  heard(): { readonly samples: Int16Array; readonly sampleRateHz: number } {
    return this.hearing?.heard() ?? { samples: new Int16Array(0), sampleRateHz: 8000 }
  }

  open(): void {
    this.send({ type: 'Welcome', request_id: this.id })
    this.unknownMessage()
    this.watchIdle()
  }

  /** The session cannot go on. */
  fail(code: string, description: string): void {
    this.refused(code, description)
    this.send({ type: 'Error', code, description })
    // With which code is not documented.
    this.hangUp(1011)
  }

  warn(code: string, description: string): void {
    this.send({ type: 'Warning', code, description })
  }

  protected audio(bytes: Uint8Array): void {
    if (this.hearing === null) this.fail('BINARY_MESSAGE_BEFORE_SETTINGS', 'Audio was sent before the settings.')
    else if (bytes.length > 0) this.hearing.push(bytes)
  }

  protected unreadable(why: string): void {
    this.fail('UNPARSABLE_CLIENT_MESSAGE', `Error parsing client message: ${why}`)
  }

  protected timedOut(): void {
    this.fail('CLIENT_MESSAGE_TIMEOUT', 'We waited too long for a websocket message.')
  }

  protected ended(): void {
    this.understanding?.[Symbol.dispose]()
    this.understanding = null
    this.reply?.stop()
    this.reply = null
  }

  protected message(message: ServerMessage): void {
    if (message.type === 'Settings') return this.apply(message)
    const { settings } = this
    if (settings === null)
      return this.fail('NON_SETTINGS_MESSAGE_BEFORE_SETTINGS', 'The first message has to be Settings.')
    switch (message.type) {
      case 'UpdatePrompt':
        this.settings = { ...settings, prompt: `${settings.prompt}\n${String(message.prompt)}` }
        return this.send({ type: 'PromptUpdated' })
      case 'UpdateSpeak':
        return this.update(message, 'SpeakUpdated')
      case 'UpdateThink':
        return this.update(message, 'ThinkUpdated')
      case 'UpdateListen':
        return this.update(message, 'ListenUpdated')
      case 'InjectUserMessage':
        return this.injectUser(String(message.content))
      case 'InjectAgentMessage':
        return this.injectAgent(String(message.message), String(message.behavior ?? 'default'))
      case 'FunctionCallResponse':
        return this.functionAnswered(String(message.id ?? ''), String(message.content))
    }
  }

  private apply(message: ServerMessage): void {
    const { options } = this
    if (this.settings !== null) return this.fail('SETTINGS_ALREADY_APPLIED', 'Settings have already been applied.')
    const { settingsError: error } = options
    if (error !== undefined) return this.fail(error.code, error.description ?? 'The settings cannot be applied.')
    const settings = agentSettings(message)
    if (typeof settings === 'string') return this.fail('INVALID_SETTINGS', settings)
    this.settings = settings
    this.hearing = new Hearing(options, this.record, settings.input, [
      {
        silenceMs: options.turnSilenceMs ?? standinDefaults.turnSilenceMs,
        started: (audioMs) => this.speechStarted(audioMs),
        stopped: () => this.speechStopped(),
      },
    ])
    this.send({ type: 'SettingsApplied' })
    if (options.muteAfterSettings === true) this.mute = true
    if (!settings.customThink && settings.prompt.length > promptMax)
      this.warn('PROMPT_TOO_LONG', 'The prompt was too long and had to be truncated.')
    for (const said of settings.context) if (settings.history) this.send({ type: 'History', ...said })
    if (settings.greeting !== '') this.say(settings.greeting, options.greeting ?? {}, greetingNumber)
  }

  private update(message: ServerMessage, answer: string): void {
    const fault = updateFault(message)
    if (fault !== null) return this.fail('INVALID_SETTINGS', fault)
    this.send({ type: answer })
  }

  // ── the caller ────────────────────────────────────────────────────────────────────────────────────────────────

  private speechStarted(audioMs: number): void {
    this.userSpeaks = true
    this.understanding?.[Symbol.dispose]()
    this.understanding = null
    this.record.speechStarted.push({ atMs: this.clock.now(), audioMs })
    const { reply } = this
    this.reply = null
    this.queued = []
    this.send({ type: 'UserStartedSpeaking' })
    reply?.stop(this.options.lateChunks ?? standinDefaults.lateChunks)
    if (reply !== null && this.options.audioDoneWhenInterrupted === true) this.send({ type: 'AgentAudioDone' })
  }

  private speechStopped(): void {
    this.userSpeaks = false
    const text = turnText(this.options, this.turns)
    const { totalMs: audioMs = 0 } = this.hearing ?? {}
    this.record.turns.push({ atMs: this.clock.now(), audioMs, text })
    this.turns += 1
    if (text === '') return this.sayQueued()
    const behindMs = this.options.recognitionMs ?? standinDefaults.recognitionMs
    if (behindMs === 0) return this.userTurn(text, 'turn')
    this.understanding = this.clock.after(behindMs, () => {
      this.understanding = null
      this.userTurn(text, 'turn')
    })
  }

  private userTurn(text: string, asked: 'turn' | 'client'): void {
    this.text('user', text)
    this.send({ type: 'LatencyReport', stt_latency: 0.12 })
    this.respond(asked, text, false)
  }

  private injectUser(text: string): void {
    if (this.userSpeaks || this.reply !== null)
      return this.send({ type: 'InjectionRefused', message: 'A turn is in progress.' })
    this.userTurn(text, 'client')
  }

  private injectAgent(text: string, behavior: string): void {
    if (!['default', 'queue', 'interrupt'].includes(behavior)) return this.unreadable(`unknown variant \`${behavior}\``)
    const inTurn = this.userSpeaks || this.reply !== null
    if (inTurn && behavior === 'default') {
      const during = this.userSpeaks ? 'user' : 'agent'
      return this.send({ type: 'InjectionRefused', message: `Injection refused during ${during} speech.` })
    }
    if (inTurn && behavior === 'queue') {
      this.queued.push(text)
      return
    }
    this.reply?.stop()
    this.say(text, this.options.injected ?? {}, injectedNumber)
  }

  private functionAnswered(id: string, response: string): void {
    if (!this.asked.delete(id)) return this.warn('FUNCTION_CALL_FAILED', `No function call with the id ${id} is open.`)
    this.record.count('answered')
    if (this.asked.size === 0 && this.reply === null) this.respond('turn', response, true)
  }

  // ── the agent ─────────────────────────────────────────────────────────────────────────────────────────────────

  private respond(asked: 'turn' | 'client', text: string, afterFunctionResponse: boolean): void {
    const index = this.replies
    this.replies += 1
    const { replies = [defaultReply] } = this.options
    const reply =
      typeof replies === 'function'
        ? replies({ index, asked, text, afterFunctionResponse, session: this })
        : (replies[index % replies.length] ?? defaultReply)
    this.begin(reply, index, reply.text)
  }

  private say(text: string, sound: Reply, number: number): void {
    this.begin(sound, number, text)
  }

  private begin(reply: Reply, number: number, text: string | undefined): void {
    const { settings, options } = this
    if (settings === null) return
    this.record.replies += 1
    this.reply = new AgentReply(this, {
      reply,
      number: this.record.replies - 1,
      text: text ?? '',
      encoded: this.encoder.encoded(reply, number, settings.output, text),
      experimental: settings.experimental,
      pace: options.pace ?? standinDefaults.pace,
      firstChunkAfterMs: options.firstChunkAfterMs ?? standinDefaults.firstChunkAfterMs,
    })
    this.reply.start()
    this.unknownMessage()
  }

  text(role: 'user' | 'assistant', content: string): void {
    this.send({ type: 'ConversationText', role, content })
    if (this.settings?.history === true) this.send({ type: 'History', role, content })
  }

  /** Functions to be called by the client: the reply that follows waits for all of their answers. */
  ask(ids: readonly string[]): void {
    for (const id of ids) this.asked.add(id)
  }

  /** Functions that the server called itself have been answered. */
  answeredItself(): void {
    if (this.asked.size === 0 && this.reply === null) this.respond('turn', '', true)
  }

  replied(reply: AgentReply): void {
    if (this.reply !== reply) return
    this.reply = null
    this.sayQueued()
  }

  newId(prefix: string): string {
    return `${prefix}_${this.options.random.uuid().replaceAll('-', '').slice(0, 21)}`
  }

  private sayQueued(): void {
    const text = this.queued.shift()
    if (text !== undefined && this.reply === null) this.say(text, this.options.injected ?? {}, injectedNumber)
  }
}
