import { type Caller, LineEnded } from '../bed/caller.ts'
import { voicedSound } from '../bed/sounds.ts'
import type { Dice } from './dice.ts'

/** What simulated callers do: the scripts of `Caller`, chosen by chance. Each visit ends with the caller hanging up. */
export type Visit = (caller: Caller) => Promise<void>

const acts = [
  'ask',
  'ask',
  'ask',
  'answer',
  'answer',
  'ramble',
  'ramble',
  'interrupt',
  'interrupt',
  'murmur',
  'talk',
  'echo',
  'noise',
  'digits',
  'silence',
  'linger',
] as const

/** Long enough for the longest reply. */
const patienceMs = 75_000

export function randomVisit(dice: Dice): Visit {
  const chosen = Array.from({ length: dice.between(1, 7) }, () => dice.pick(acts))
  return async (caller) => {
    try {
      if (dice.chance(0.8)) await patient(caller.waitForSpeech(3000))
      for (const act of chosen) await patient(perform(act, caller, dice))
      if (dice.chance(0.7)) await patient(caller.waitForQuiet(dice.between(300, 3000), patienceMs))
      await caller.hangUp(dice.between(0, 2000))
    } catch (thrown) {
      if (!(thrown instanceof LineEnded)) throw thrown
    }
  }
}

/** Who waits in vain does the next thing. */
async function patient(act: Promise<void>): Promise<void> {
  try {
    await act
  } catch (thrown) {
    if (thrown instanceof LineEnded || !(thrown instanceof Error) || !thrown.message.includes('in vain')) throw thrown
  }
}

async function perform(act: (typeof acts)[number], caller: Caller, dice: Dice): Promise<void> {
  const speech = (ms: number) => voicedSound(ms, dice.pick([-35, -25, -15]), caller.line.sampleRateHz)
  switch (act) {
    case 'ask':
      await caller.waitForQuiet(dice.between(200, 1500), patienceMs)
      return caller.say(speech(dice.between(100, 2500)))
    case 'answer':
      await caller.waitForSpeech(4000)
      await caller.waitForQuiet(0, patienceMs)
      return caller.say(speech(dice.between(200, 800)))
    case 'ramble':
      await caller.waitForQuiet(300, patienceMs)
      for (let pieces = dice.between(2, 4); pieces > 0; pieces -= 1) {
        await caller.say(speech(dice.between(100, 900)))
        await caller.silence(dice.between(20, 1500))
      }
      return
    case 'interrupt':
      return caller.sayAfter(dice.between(0, 3000), speech(dice.between(200, 1500)), 8000)
    case 'murmur':
      await caller.waitForSpeech(4000)
      return caller.murmur()
    case 'talk':
      return caller.say(speech(dice.between(50, 2000)))
    case 'echo':
      return caller.echo(dice.chance(0.5) ? { gainDb: -dice.between(5, 40), delayMs: dice.between(20, 400) } : null)
    case 'noise':
      return caller.noise(dice.chance(0.1) ? null : -dice.between(35, 75))
    case 'digits':
      return caller.digits(String(dice.between(0, 999)))
    case 'silence':
      return caller.silence(dice.between(0, 3000))
    case 'linger':
      return caller.silence(dice.between(3000, 14_000))
  }
}
