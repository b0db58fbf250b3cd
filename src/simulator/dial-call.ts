import { type SampleRateHz, samplesToMs } from '#audio/format.ts'
import { levelDbfs } from '#audio/level.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Random } from '#base/random.ts'
import { AudioSocketCaller } from './audiosocket-caller.ts'

/**
 * One simulated call: connect, hear the greeting out, speak, hear the reply out, hang up; with the time of each at the
 * caller's ear. Everything that came back is recorded.
 */
export interface DialPlan {
  readonly host: string
  readonly port: number
  readonly sampleRateHz: SampleRateHz
  readonly speech: Int16Array
  /** Speak after the greeting has ended, or so many milliseconds after connecting. */
  readonly speakAfter: 'greeting' | Milliseconds
  /** Without a greeting by then, speak all the same. */
  readonly greetingMaxMs: Milliseconds
  /** Without a reply so long after the caller's last word, hang up. */
  readonly replyMaxMs: Milliseconds
  /** Silence so long after a reply means that it is over. */
  readonly quietMs: Milliseconds
  /** Hang up so long after connecting, whatever happens. */
  readonly callMaxMs: Milliseconds
}

/** Milliseconds since the connection was made; null where it did not happen. */
export interface DialTimeline {
  readonly greetingFirstFrameMs: Milliseconds | null
  readonly greetingEndMs: Milliseconds | null
  readonly callerStartedMs: Milliseconds | null
  /** The caller's last audible sample. */
  readonly callerStoppedMs: Milliseconds | null
  readonly replyFirstFrameMs: Milliseconds | null
  readonly replyEndMs: Milliseconds | null
  readonly endedMs: Milliseconds
  readonly endedBy: 'caller' | 'engine' | 'connection_lost'
}

export interface DialOutcome {
  readonly timeline: DialTimeline
  readonly heard: Int16Array
}

/** Louder than this is the agent: line noise and a silent codec lie far below. */
const audibleDbfs = -50
const pollMs = 10
/** An hour of recording; a call does not last longer than its plan. */
const heardGrowthSamples = 16000 * 30

/** Throws when no engine answers. */
export async function dialCall(
  plan: DialPlan,
  clock: Clock,
  random: Random,
  signal?: AbortSignal,
): Promise<DialOutcome> {
  const ear = new Ear(plan.sampleRateHz)
  let endedBy: DialTimeline['endedBy'] | null = null
  let startedMs = clock.now()
  const caller = await AudioSocketCaller.connect({
    host: plan.host,
    port: plan.port,
    uuid: random.uuid(),
    sampleRateHz: plan.sampleRateHz,
    clock,
    audio: ({ samples }, atMs) => ear.hear(samples, atMs - startedMs),
    ended: (how) => {
      endedBy ??= how === 'terminated' ? 'engine' : 'connection_lost'
    },
  })
  startedMs = clock.now()
  const now = () => clock.now() - startedMs
  const over = () => endedBy !== null || now() > plan.callMaxMs || signal?.aborted === true
  const until = async (condition: () => boolean) => {
    while (!over() && !condition()) await clock.sleep(pollMs)
  }

  let greetingFirstFrameMs: Milliseconds | null = null
  let greetingEndMs: Milliseconds | null = null
  if (plan.speakAfter === 'greeting') {
    await until(() => ear.firstAudibleMs !== null || now() > plan.greetingMaxMs)
    greetingFirstFrameMs = ear.firstAudibleMs
    if (greetingFirstFrameMs !== null) {
      await until(() => now() - ear.lastAudibleMs > plan.quietMs)
      greetingEndMs = ear.lastAudibleMs
    }
  } else {
    const atMs = plan.speakAfter
    await until(() => now() >= atMs)
    greetingFirstFrameMs = ear.firstAudibleMs
  }

  let callerStartedMs: Milliseconds | null = null
  let callerStoppedMs: Milliseconds | null = null
  let replyFirstFrameMs: Milliseconds | null = null
  let replyEndMs: Milliseconds | null = null
  if (!over()) {
    callerStartedMs = now()
    await Promise.race([caller.say(plan.speech), until(() => false)])
    callerStoppedMs = now() - trailingSilenceMs(plan.speech, plan.sampleRateHz)
    ear.forget()
    await until(() => ear.firstAudibleMs !== null || now() - (callerStoppedMs ?? 0) > plan.replyMaxMs)
    replyFirstFrameMs = ear.firstAudibleMs
    if (replyFirstFrameMs !== null) {
      await until(() => now() - ear.lastAudibleMs > plan.quietMs)
      replyEndMs = ear.lastAudibleMs
    }
  }
  endedBy ??= 'caller'
  const endedMs = now()
  caller.hangUp()
  return {
    timeline: {
      greetingFirstFrameMs,
      greetingEndMs,
      callerStartedMs,
      callerStoppedMs,
      replyFirstFrameMs,
      replyEndMs,
      endedMs,
      endedBy,
    },
    heard: ear.recording,
  }
}

/** What the caller hears: all of it kept, and when it was audible. */
class Ear {
  firstAudibleMs: Milliseconds | null = null
  lastAudibleMs: Milliseconds = 0
  private readonly sampleRateHz: number
  private samples = new Int16Array(heardGrowthSamples)
  private length = 0

  constructor(sampleRateHz: number) {
    this.sampleRateHz = sampleRateHz
  }

  hear(samples: Int16Array, atMs: Milliseconds): void {
    if (this.length + samples.length > this.samples.length) {
      const grown = new Int16Array(this.samples.length * 2)
      grown.set(this.samples)
      this.samples = grown
    }
    this.samples.set(samples, this.length)
    this.length += samples.length
    if (levelDbfs(samples) < audibleDbfs) return
    this.firstAudibleMs ??= atMs
    this.lastAudibleMs = atMs + samplesToMs(samples.length, this.sampleRateHz)
  }

  /** What was heard so far is no reply to what comes. */
  forget(): void {
    this.firstAudibleMs = null
  }

  get recording(): Int16Array {
    return this.samples.slice(0, this.length)
  }
}

/** How long a recording goes on after its last audible 10 ms. */
function trailingSilenceMs(samples: Int16Array, sampleRateHz: number): Milliseconds {
  const step = sampleRateHz / 100
  let end = samples.length
  while (end >= step && levelDbfs(samples.subarray(end - step, end)) < audibleDbfs) end -= step
  return samplesToMs(samples.length - end, sampleRateHz)
}
