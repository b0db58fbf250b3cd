import type { Clock } from '#base/clock.ts'
import type { OverlapListener, OverlapModel, OverlapScore } from '#call/overlap-model.ts'
import type { TurnEndModel } from '#call/turn-end-model.ts'
import type { Dice } from './dice.ts'

/** Those whom the engine asks what it hears: they answer early, late, anything, or not at all. */

/** @param looked told of what it is shown */
export function simulatedTurnEnd(clock: Clock, dice: Dice, looked: (samples: Int16Array) => void): TurnEndModel {
  return {
    readiness: () => ({ ready: true }),
    judge: async (samples, _sampleRateHz, signal) => {
      looked(samples)
      await clock.sleep(dice.between(0, 600), signal)
      return signal.aborted || dice.chance(0.2) ? null : dice.between(0, 100) / 100
    },
  }
}

type Sound = keyof OverlapScore
const sounds = ['interruption', 'backchannel', 'noise'] as const

export function simulatedOverlaps(dice: Dice): OverlapModel {
  return { open: (sampleRateHz) => new SimulatedListener(dice, sampleRateHz) }
}

/** Makes up its mind some time after the onset, or never; sometimes it changes it later. */
class SimulatedListener implements OverlapListener {
  private readonly dice: Dice
  private readonly sampleRateHz: number
  private readonly current = { interruption: 0, backchannel: 0, noise: 0 }
  private heardMs = 0
  private minds: { readonly atMs: number; readonly sound: Sound }[] = []

  constructor(dice: Dice, sampleRateHz: number) {
    this.dice = dice
    this.sampleRateHz = sampleRateHz
  }

  begin(_past: Int16Array, agoMs: number): void {
    const { dice } = this
    this.heardMs = agoMs
    const atMs = dice.between(120, 700)
    this.minds = dice.chance(0.2) ? [] : [{ atMs, sound: dice.pick(sounds) }]
    if (dice.chance(0.3)) this.minds.push({ atMs: atMs + dice.between(20, 600), sound: dice.pick(sounds) })
  }

  push(samples: Int16Array): void {
    this.heardMs += (samples.length * 1000) / this.sampleRateHz
  }

  get score(): OverlapScore | null {
    const mind = this.minds.findLast(({ atMs }) => atMs <= this.heardMs)
    if (mind === undefined) return null
    for (const sound of sounds) this.current[sound] = sound === mind.sound ? 0.9 : 0.05
    return this.current
  }
}

const words = ['mm-hm', 'yes', 'no no', 'stop it please', 'I wanted to ask something else', 'okay']

/** Who writes words down: too late, nothing, no words, or some. */
export function simulatedWords(clock: Clock, dice: Dice) {
  return async (_samples: Int16Array<ArrayBuffer>, _sampleRateHz: number, signal: AbortSignal) => {
    await clock.sleep(dice.between(30, 900), signal)
    if (signal.aborted || dice.chance(0.2)) return null
    return dice.chance(0.2) ? '' : (words[dice.between(0, words.length - 1)] ?? '')
  }
}
