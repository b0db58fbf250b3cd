import type { Readiness } from '#agent/provider.ts'
import { Backoff } from '#base/backoff.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { type Random, systemRandom } from '#base/random.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import { type Child, linesOf, type StartedChild, startChild } from './child-process.ts'
import { selfCommand } from './executable.ts'
import type { SpeechFailure } from './speech-failure.ts'

/**
 * Text to phonemes by a child process (`phonemizer-child.ts` says why), seen from the engine: requests with a deadline,
 * a bounded number under way, and a new child when the old one dies.
 */
export interface PhonemizerRequest {
  readonly id: number
  readonly voice: string
  readonly clauses: readonly string[]
}

export type PhonemizerAnswer =
  | { readonly ready: true }
  | { readonly failed: string }
  | { readonly id: number; readonly phonemes: readonly string[] }
  | { readonly id: number; readonly error: string }

/** 20 to 130 ms a sentence were seen, on a busy machine more. */
const requestDeadlineMs: Milliseconds = 4_000
/** A child that doesn't come up in this time is started anew. */
const startDeadlineMs: Milliseconds = 20_000
const pendingMax = 128

export interface PhonemizerOptions {
  readonly clock: Clock
  readonly log: Log
  /** The folder of the store that holds phonemizer.js; absolute. */
  readonly folder: string
  readonly random?: Random
  /** For tests: another child. */
  readonly command?: readonly string[]
}

interface Pending {
  readonly resolve: (result: Result<readonly string[], SpeechFailure>) => void
  readonly deadline: Disposable
}

export class Phonemizer {
  private readonly options: PhonemizerOptions
  private readonly backoff: Backoff
  /** Requests under way, at most `pendingMax`. */
  // keyed by: request number
  private readonly pending = new Map<number, Pending>()
  private child: Child | null = null
  private phase: 'idle' | 'loading' | 'ready' | 'waiting' | 'closed' = 'idle'
  private lastError = ''
  private timer: Disposable | null = null
  private nextId = 1

  constructor(options: PhonemizerOptions) {
    this.options = options
    this.backoff = new Backoff(200, 10_000, options.random ?? systemRandom)
  }

  start(): void {
    if (this.phase === 'idle') this.spawn()
  }

  get readiness(): Readiness {
    if (this.phase === 'ready') return { ready: true }
    const why = this.lastError === '' ? '' : `: ${this.lastError}`
    return { ready: false, reason: `the phonemizer is ${this.phase === 'closed' ? 'closed' : `starting${why}`}` }
  }

  /** @returns one string of IPA for each clause */
  phonemize(clauses: readonly string[], voice: string): Promise<Result<readonly string[], SpeechFailure>> {
    const { child } = this
    if (this.phase !== 'ready' || child === null)
      return Promise.resolve(failed({ code: 'not_ready', message: 'the phonemizer is not ready' }))
    if (this.pending.size >= pendingMax)
      return Promise.resolve(failed({ code: 'overloaded', message: 'too many sentences wait for the phonemizer' }))
    const id = this.nextId++
    return new Promise((resolve) => {
      const deadline = this.options.clock.after(requestDeadlineMs, () => {
        this.settle(id, failed({ code: 'timeout', message: 'the phonemizer did not answer in time' }))
        // It works on one request after the other: what hangs once hangs for all.
        this.ended(child, 'no answer')
      })
      this.pending.set(id, { resolve, deadline })
      const request: PhonemizerRequest = { id, voice, clauses }
      try {
        child.stdin.write(`${JSON.stringify(request)}\n`)
        void Promise.resolve(child.stdin.flush()).catch(() => this.ended(child, 'closed its input'))
      } catch (thrown) {
        this.ended(child, messageOf(thrown))
      }
    })
  }

  async close(): Promise<void> {
    if (this.phase === 'closed') return
    const { child } = this
    this.phase = 'closed'
    this.child = null
    this.timer?.[Symbol.dispose]()
    this.settleAll('the phonemizer is closed')
    if (child === null) return
    await Promise.resolve(child.stdin.end()).catch(() => undefined)
    using _kill = this.options.clock.after(1_000, () => child.kill('SIGKILL'))
    await child.exited
  }

  private spawn(): void {
    this.phase = 'loading'
    const { folder, log } = this.options
    const command = this.options.command ?? selfCommand(['internal', 'phonemizer', folder])
    let started: StartedChild
    try {
      started = startChild({ command, folder, log })
    } catch (thrown) {
      this.restart(messageOf(thrown))
      return
    }
    const { child } = started
    this.child = child
    this.timer = this.options.clock.after(startDeadlineMs, () => this.ended(child, 'did not start in time'))
    void Promise.all([this.read(child), started.silent]).then(
      () => this.ended(child, `ended ${started.lastWords()}`.trim()),
      (thrown: unknown) => this.ended(child, messageOf(thrown)),
    )
  }

  private async read(child: Child): Promise<void> {
    for await (const line of linesOf(child.stdout)) {
      if (this.child === child) this.heard(JSON.parse(line) as PhonemizerAnswer)
    }
  }

  private heard(answer: PhonemizerAnswer): void {
    if ('ready' in answer) {
      this.phase = 'ready'
      this.lastError = ''
      this.timer?.[Symbol.dispose]()
    } else if ('failed' in answer) {
      this.lastError = answer.failed
    } else if ('phonemes' in answer) {
      this.backoff.reset()
      this.settle(answer.id, ok(answer.phonemes))
    } else {
      this.settle(answer.id, failed({ code: 'failed', message: answer.error }))
    }
  }

  private ended(child: Child, reason: string): void {
    if (this.child !== child) return
    this.child = null
    child.kill('SIGKILL')
    this.timer?.[Symbol.dispose]()
    this.settleAll('the phonemizer ended')
    this.restart(reason)
  }

  private restart(reason: string): void {
    this.phase = 'waiting'
    if (this.lastError === '') this.lastError = reason
    const waitMs = this.backoff.next()
    this.options.log.warn('phonemizer ended, starting another', { reason: this.lastError, waitMs: Math.round(waitMs) })
    this.timer = this.options.clock.after(waitMs, () => this.spawn())
  }

  private settle(id: number, result: Result<readonly string[], SpeechFailure>): void {
    const pending = this.pending.get(id)
    if (pending === undefined) return
    this.pending.delete(id)
    pending.deadline[Symbol.dispose]()
    pending.resolve(result)
  }

  private settleAll(message: string): void {
    for (const id of [...this.pending.keys()]) this.settle(id, failed({ code: 'failed', message }))
  }
}
