import type { AgentInput } from '#agent/provider.ts'
import { ptimeMs } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'
import { markedRun, readCallerMark } from './caller-marks.ts'
import type { Finding } from './findings.ts'

/** A run of the caller's samples, as the agent got it. */
export interface Got {
  readonly from: number
  until: number
  readonly atMs: Milliseconds
}

/** The agent was told that a turn was over. */
export interface Commit {
  readonly atMs: Milliseconds
  /** All that it had got of the caller by then. */
  readonly gotUntil: number
  /** The caller was still speaking: the turn was cut at its limit. */
  readonly cut: boolean
}

/** 20 ms at 16 kHz. */
const frameSamplesMax = 320

/**
 * What one agent is told of its caller, and in which order: each sample once, no gap within a turn, and no input that
 * makes no sense where it comes.
 */
export class AgentEar {
  readonly got: Got[] = []
  readonly commits: Commit[] = []
  /** Turns taken back since the caller went on. */
  resumptions = 0
  private readonly findsTurns: boolean
  private readonly report: (kind: Finding['kind'], what: string) => void
  /** Up to which sample the caller was muted last. */
  private readonly mutedUntil: () => number
  private readonly turnMaxMs: () => Milliseconds
  /** When an agent that finds the turns itself was told that the caller speaks. */
  private readonly startedMs: Milliseconds[] = []
  private next = 0
  private turn: 'none' | 'speaking' | 'paused' | 'committed' = 'none'
  /** Audio that does not follow what came before: a turn must begin with it. */
  private cutIn: string | null = null
  private resumed = false

  constructor(
    findsTurns: boolean,
    turnMaxMs: () => Milliseconds,
    mutedUntil: () => number,
    report: (kind: Finding['kind'], what: string) => void,
  ) {
    this.findsTurns = findsTurns
    this.turnMaxMs = turnMaxMs
    this.mutedUntil = mutedUntil
    this.report = report
  }

  /** All of these samples have come, by that moment. */
  has(from: number, until: number, byMs: Milliseconds): boolean {
    let at = from
    for (const run of this.got) {
      if (run.atMs > byMs || run.from > at) break
      if (run.until > at) at = run.until
      if (at >= until) return true
    }
    return false
  }

  /** Some of these samples have come. */
  hasAny(from: number, until: number): boolean {
    return this.got.some((run) => run.from < until && run.until > from)
  }

  took(input: AgentInput, atMs: Milliseconds): void {
    if (input.type === 'audio') return this.hear(input.frame.samples, atMs)
    if (this.findsTurns) {
      if (input.type === 'speech_started') this.startedMs.push(atMs)
      if (input.type === 'turn_committed' && !this.isLimit(atMs))
        this.report('turn_order', 'a turn is committed to an agent that finds them')
      return
    }
    const { cutIn } = this
    this.cutIn = null
    if (cutIn !== null && input.type !== 'speech_started') this.report('turn_order', `${input.type} after ${cutIn}`)
    this.follow(input.type, atMs)
  }

  /** A turn that began so long ago has lasted too long: of that an agent is told that finds turns itself. */
  private isLimit(atMs: Milliseconds): boolean {
    return this.startedMs.some((startedMs) => Math.abs(atMs - startedMs - this.turnMaxMs()) <= ptimeMs)
  }

  private follow(type: Exclude<AgentInput['type'], 'audio'>, atMs: Milliseconds): void {
    const { turn } = this
    const unless = (fits: boolean) => {
      if (!fits) this.report('turn_order', `${type} while the turn is ${turn}`)
    }
    switch (type) {
      case 'speech_started':
        unless(turn !== 'speaking' || this.resumed)
        this.turn = 'speaking'
        this.resumed = false
        return
      case 'speech_stopped':
        unless(turn === 'speaking')
        this.turn = 'paused'
        return
      case 'turn_committed':
        unless(turn === 'speaking' || turn === 'paused')
        this.commits.push({ atMs, gotUntil: this.next, cut: turn === 'speaking' })
        this.turn = 'committed'
        return
      case 'turn_resumed':
        unless(turn === 'committed')
        this.resumptions += 1
        this.resumed = true
        this.turn = 'speaking'
        return
      case 'interrupted':
      case 'say':
        return unless(turn === 'none' || turn === 'committed')
      case 'not_interrupted':
        return this.report('turn_order', 'a veto to an agent that does not find the turns')
    }
  }

  private hear(samples: Int16Array, atMs: Milliseconds): void {
    let at = 0
    while (at < samples.length) {
      // Digital silence stands for what was said while the caller was muted: no marked sample is silent for so long.
      const silent = silenceFrom(samples, at)
      at += silent
      if (at === samples.length) return
      const goesOn = markedRun(samples, at, this.next) >= Math.min(8, samples.length - at)
      const index = goesOn ? this.next : readCallerMark(samples, at)
      if (index === null) return this.report('turn_audio', `no sample of the caller's, ${samples[at]} at ${at}`)
      const count = markedRun(samples, at, index)
      this.note(index, count, atMs)
      at += count
    }
  }

  private note(from: number, count: number, atMs: Milliseconds): void {
    const { next } = this
    const until = from + count
    if (from < next) this.report('turn_audio', `samples ${from} to ${Math.min(next, until) - 1} come again`)
    // The end of a mute lies within a frame.
    const muted = this.mutedUntil() > next && from - this.mutedUntil() <= frameSamplesMax
    if (from > next && !muted) {
      this.cutIn = `a gap from sample ${next} to ${from}`
      const within = !this.findsTurns && (this.turn === 'speaking' || this.turn === 'paused')
      if (within) this.report('turn_audio', `${this.cutIn} within a turn`)
    }
    this.got.push({ from, until, atMs })
    this.next = Math.max(next, until)
  }
}

function silenceFrom(samples: Int16Array, at: number): number {
  let count = 0
  while (samples[at + count] === 0) count += 1
  return count >= 8 || at + count === samples.length ? count : 0
}
