import type { AgentEvent, AgentInput, CallContext, Provider, SessionOf } from '#agent/provider.ts'
import type { AudioFrame, SampleRateHz } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { cycleMs, speechFromMs, speechMs } from './media-speech.ts'

/**
 * A partner that costs next to nothing: 3 s of reply in every 8 s, in chunks of 100 ms at ten times real time, as a
 * realtime agent sends. Chunks come at known times, so a queue that runs dry in mid-reply is the engine's doing.
 *
 * With `turns: 'provider'` it says itself when the caller speaks, by the callers' timetable; with `turns: 'engine'` it
 * answers the turns that the engine finds.
 */
const chunkMs = 100
const chunkEveryMs = 10
const replyChunks = 30
const thinkingMs = 300
/** The caller's silence that ends a turn, and a little. */
const endpointingMs = 1000

export function createBenchAgent(turns: 'provider' | 'engine', clock: Clock): Provider<'agent'> {
  const sessions: BenchSession[] = []
  let timer: Disposable | null = null
  return {
    name: 'bench',
    role: 'agent',
    turnDetection: turns,
    readiness: () => ({ ready: true }),
    start() {
      timer ??= clock.every(chunkEveryMs, (nowMs) => {
        for (const session of sessions) session.tick(nowMs)
      })
    },
    open(context) {
      const session = new BenchSession(context, turns, () => {
        const index = sessions.indexOf(session)
        if (index >= 0) sessions.splice(index, 1)
      })
      sessions.push(session)
      return Promise.resolve(session)
    },
    close() {
      timer?.[Symbol.dispose]()
      return Promise.resolve()
    },
  }
}

type Step = 'quiet' | 'hearing' | 'thinking' | 'replying'

class BenchSession implements SessionOf<'agent'> {
  private readonly clock: Clock
  private readonly own: boolean
  private readonly gone: () => void
  private readonly audio: { readonly type: 'audio'; readonly frame: AudioFrame }
  private listener: (event: AgentEvent) => void = () => {}
  private step: Step = 'quiet'
  private nextMs: Milliseconds
  private cycleFromMs: Milliseconds
  private chunks = 0

  constructor(context: CallContext, turns: 'provider' | 'engine', gone: () => void) {
    this.clock = context.clock
    this.own = turns === 'provider'
    this.gone = gone
    this.audio = { type: 'audio', frame: replyChunk(context.sampleRateHz) }
    this.cycleFromMs = this.clock.now()
    this.nextMs = this.own ? this.cycleFromMs + speechFromMs : Number.POSITIVE_INFINITY
  }

  onEvent(listener: (event: AgentEvent) => void): void {
    this.listener = listener
  }

  send(input: AgentInput) {
    if (input.type === 'interrupted' || input.type === 'turn_resumed') this.wait()
    if (input.type === 'turn_committed' && !this.own) {
      this.step = 'thinking'
      this.nextMs = this.clock.now() + thinkingMs
    }
    return 'sent' as const
  }

  close(): Promise<void> {
    this.gone()
    return Promise.resolve()
  }

  tick(nowMs: Milliseconds): void {
    if (nowMs < this.nextMs) return
    switch (this.step) {
      case 'quiet':
        this.step = 'hearing'
        this.nextMs = this.cycleFromMs + speechFromMs + speechMs
        return this.listener({ type: 'speech_started' })
      case 'hearing':
        this.step = 'thinking'
        this.nextMs = nowMs + endpointingMs + thinkingMs
        return this.listener({ type: 'speech_stopped' })
      case 'thinking':
        this.step = 'replying'
        this.chunks = 0
        return this.listener({ type: 'reply_started' })
      case 'replying':
        this.chunks += 1
        this.listener(this.audio)
        if (this.chunks < replyChunks) return
        this.wait()
        return this.listener({ type: 'reply_done' })
    }
  }

  private wait(): void {
    this.step = 'quiet'
    this.cycleFromMs += cycleMs
    this.nextMs = this.own ? this.cycleFromMs + speechFromMs : Number.POSITIVE_INFINITY
  }
}

/** No sample of it is zero, so that a caller tells it from silence by any of them. */
function replyChunk(sampleRateHz: SampleRateHz): AudioFrame {
  const samples = new Int16Array((sampleRateHz * chunkMs) / 1000)
  for (let index = 0; index < samples.length; index += 1) {
    const value = Math.round(6000 * Math.sin((2 * Math.PI * 440 * index) / sampleRateHz))
    samples[index] = value === 0 ? 1 : value
  }
  return { sampleRateHz, samples }
}
