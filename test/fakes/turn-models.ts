import type { Readiness } from '#agent/provider.ts'
import type { OverlapListener, OverlapModel, OverlapScore } from '#call/overlap-model.ts'
import type { TurnEndModel } from '#call/turn-end-model.ts'

/** An end-of-turn model that answers when the test says so. */
export class FakeTurnEnd implements TurnEndModel {
  /** What was asked: the samples of each question. */
  readonly asked: Int16Array[] = []
  private readonly answers: ((probability: number | null) => void)[] = []

  readiness(): Readiness {
    return { ready: true }
  }

  judge(samples: Int16Array, _sampleRateHz: number, signal: AbortSignal): Promise<number | null> {
    this.asked.push(samples.slice())
    return new Promise((resolve) => {
      this.answers.push(resolve)
      signal.addEventListener('abort', () => resolve(null))
    })
  }

  /** To the newest question. Resolves when the answer has been heard. */
  async answer(probability: number | null): Promise<void> {
    this.answers.at(-1)?.(probability)
    await Promise.resolve()
    await Promise.resolve()
  }
}

/** A judge of sounds that says what the test says. */
export class FakeOverlapModel implements OverlapModel, OverlapListener {
  score: OverlapScore | null = null
  /** How long each overlap's past was, and since when it sounded. */
  readonly begun: { readonly samples: number; readonly agoMs: number }[] = []
  pushed = 0

  open(): OverlapListener {
    return this
  }

  begin(past: Int16Array, agoMs: number): void {
    this.begun.push({ samples: past.length, agoMs })
    this.score = null
  }

  push(): void {
    this.pushed += 1
  }

  /** @param unsure how much of it speaks for an interruption all the same */
  say(what: keyof OverlapScore, unsure = 0): void {
    this.score = { interruption: unsure, backchannel: 0, noise: 0, [what]: 1 - unsure }
  }
}
