import { mutePolicies, startPolicies, stopPolicies } from '#call/turn-policies.ts'
import type { TurnSettings } from '#call/turn-settings.ts'
import { turnSettings } from '../fakes/call-world.ts'
import type { Dice } from './dice.ts'

/** What a configuration may say of the turns, within its own limits. One warm-up for all: the greeting's is no other. */
export function simulatedTurns(dice: Dice): TurnSettings {
  const warmUpMs = dice.pick([0, 40, 60, 200])
  const minSilenceMs = dice.pick([100, 200, 300])
  const maxSilenceMs = dice.pick([800, 1500, 2500])
  return {
    ...turnSettings,
    warmUpMs,
    greetingWarmUpMs: warmUpMs,
    endpointing: {
      stop: dice.pick(stopPolicies),
      silenceMs: dice.pick([300, 600, 900]),
      minSilenceMs,
      maxSilenceMs,
      doneProbability: dice.pick([0.3, 0.5, 0.8]),
    },
    turnMaxMs: dice.chance(0.9) ? 30_000 : dice.between(2000, 4000),
    bargeIn: {
      enabled: dice.chance(0.95),
      start: dice.pick(startPolicies),
      minMs: dice.pick([60, 160, 250, 400]),
      minWords: dice.between(1, 3),
      onOverlap: dice.pick(['none', 'pause', 'duck']),
      pauseAfterMs: dice.pick([0, 100, 220, 500]),
      pauseMaxMs: dice.pick([20, 200, 220, 1000, 2500]),
      initialProtectionMs: dice.pick([0, 0, 200, 400]),
      greetingProtectionMs: dice.pick([0, 0, 1000]),
      cooldownMs: dice.pick([0, 500, 1500]),
      guardMs: dice.pick([0, 100, 250, 600]),
      echoDetection: dice.chance(0.5),
      confirm: dice.chance(0.7),
      backchannels: [],
    },
    mute: dice.chance(0.85) ? [] : mutePolicies.filter(() => dice.chance(0.5)),
    noInput: {
      afterMs: dice.chance(0.6) ? 0 : dice.between(2000, 8000),
      checkIns: ['Are you there?', 'Hello?'].slice(0, dice.between(0, 2)),
      farewell: dice.chance(0.7) ? 'Goodbye.' : '',
    },
  }
}
