// eSpeak NG and Flite: robots and old voices, quick and of many shapes, among them a whisper-like and a creaking one.
// Each voice deals out its list at three speeds.

import { ensureCommand, mustRun } from '../bed/host.ts'
import { toTelephoneWav } from '../bed/sox.ts'
import { RATE_HZ } from './audio.ts'
import { fromMade, type Take, type TakeUse, wordsOf } from './take.ts'
import {
  ANSWERS,
  BACKCHANNELS,
  HESITATIONS,
  hesitationShare,
  INTERRUPTION_PHRASES,
  INTERRUPTION_WORDS,
  SENTENCES,
  spokenHesitation,
} from './texts.ts'
import { type TrainingShare, trainingTextsOf } from './training-languages.ts'
import { TRAINING_BACKCHANNELS, TRAINING_PHRASES, TRAINING_WORDS } from './training-texts.ts'
import { type VoiceId, voiceOf } from './voices.ts'

interface Robot {
  readonly program: 'espeak-ng' | 'flite'
  readonly name: string
  /** eSpeak's 0 to 99. */
  readonly pitch?: number
  readonly wordsPerMinute?: number
}

const espeak = (name: string, pitch: number, wordsPerMinute: number): Robot => ({
  program: 'espeak-ng',
  name,
  pitch,
  wordsPerMinute,
})
const flite = (name: string): Robot => ({ program: 'flite', name })

const ROBOTS: Partial<Readonly<Record<VoiceId, Robot>>> = {
  'espeak-en-m3': espeak('en-us+m3', 40, 165),
  'espeak-en-f2': espeak('en-us+f2', 60, 170),
  'espeak-en-croak': espeak('en-us+croak', 35, 150),
  'espeak-de-m1': espeak('de+m1', 45, 160),
  'espeak-fr-m2': espeak('fr+m2', 50, 160),
  'espeak-es-f1': espeak('es+f1', 50, 165),
  'espeak-it-f4': espeak('it+f4', 55, 170),
  'espeak-gb-m7': espeak('en-gb+m7', 45, 160),
  'espeak-scotland-f3': espeak('en-gb-scotland+f3', 55, 180),
  'espeak-en-klatt2': espeak('en-us+klatt2', 50, 160),
  'espeak-de-f5': espeak('de+f5', 55, 165),
  'espeak-fr-f5': espeak('fr+f5', 50, 170),
  'espeak-es-m4': espeak('es+m4', 50, 165),
  'espeak-it-m5': espeak('it+m5', 50, 160),
  'espeak-us-andrea': espeak('en-us+Andrea', 45, 180),
  'espeak-us-andy': espeak('en-us+Andy', 60, 160),
  'espeak-us-annie': espeak('en-us+Annie', 50, 180),
  'espeak-gb-antonio': espeak('en-gb+antonio', 55, 180),
  'espeak-us-aunty': espeak('en-us+aunty', 40, 180),
  'espeak-gb-belinda': espeak('en-gb+belinda', 40, 170),
  'espeak-us-benjamin': espeak('en-us+benjamin', 50, 180),
  'espeak-us-boris': espeak('en-us+boris', 45, 160),
  'espeak-gb-caleb': espeak('en-gb+caleb', 55, 180),
  'espeak-us-david': espeak('en-us+david', 60, 170),
  'espeak-us-linda': espeak('en-us+linda', 55, 160),
  'espeak-gb-max': espeak('en-gb+max', 45, 160),
  'espeak-us-mike': espeak('en-us+Mike', 60, 170),
  'espeak-us-pablo': espeak('en-us+pablo', 40, 150),
  'espeak-scotland-rob': espeak('en-gb-scotland+rob', 45, 180),
  'espeak-us-steph': espeak('en-us+steph', 40, 165),
  'espeak-us-grandpa': espeak('en-us+grandpa', 40, 165),
  'espeak-gb-travis': espeak('en-gb+travis', 55, 180),
  'flite-kal16': flite('kal16'),
  'flite-rms': flite('rms'),
  'flite-awb': flite('awb'),
  'flite-slt': flite('slt'),
}

/** Slower, as it is, faster. */
const PACES = [0.8, 1, 1.25] as const
/** How many of each list a voice says at most; the lists of English are long. */
const PLAN: readonly (readonly [TakeUse, Readonly<Record<string, readonly string[]>>, number])[] = [
  ['backchannel', BACKCHANNELS, 12],
  ['speech', INTERRUPTION_WORDS, 8],
  ['speech', INTERRUPTION_PHRASES, 5],
  ['sentence', SENTENCES, 3],
  ['answer', ANSWERS, 3],
]
const TRAINING_PLAN: typeof PLAN = [
  ['backchannel', { en: TRAINING_BACKCHANNELS }, 18],
  ['speech', { en: TRAINING_WORDS }, 18],
  ['speech', { en: TRAINING_PHRASES }, 8],
]
const HESITATIONS_PER_VOICE = 4
/** Of each language beside English, by each training voice. */
const TRAINING_SHARE: TrainingShare = { backchannels: 5, words: 5, phrases: 2 }

export function robots(): Take[] {
  return [...plannedRobots(), ...foreignRobots()]
}

/** The training voices in other languages: eSpeak NG's voices are shapes of a throat, and speak any of them. */
function foreignRobots(): Take[] {
  const voices = Object.entries(ROBOTS).filter(([id]) => voiceOf(id as VoiceId).split === 'train')
  return voices.flatMap(([id, robot], number) => {
    const voice = id as VoiceId
    const shape = robot.name.slice(robot.name.indexOf('+'))
    return trainingTextsOf(number, TRAINING_SHARE).map(({ use, language, espeak: spoken, text }, i): Take => {
      const pace = PACES[(i + number) % PACES.length] ?? 1
      const name = `${voice}-${language}-${use}-${Bun.hash(`${text} ${pace}`).toString(36)}`
      const speaker = { ...robot, name: `${spoken}${shape}` }
      const load = fromMade(name, (to) => speak(speaker, text, pace, to))
      return { name, use, voice, how: 'synthesised', text: wordsOf(text), load }
    })
  })
}

function plannedRobots(): Take[] {
  return Object.entries(ROBOTS).flatMap(([id, robot], number) => {
    const voice = id as VoiceId
    const { split, language } = voiceOf(voice)
    const plan =
      split === 'train' ? TRAINING_PLAN : [...PLAN, ['hesitation', HESITATIONS[split], HESITATIONS_PER_VOICE] as const]
    return plan.flatMap(([use, lists, count]) => {
      const list = lists[language] ?? []
      // Each voice begins elsewhere in a list that is longer than its share.
      const chosen =
        list.length <= count
          ? list
          : Array.from({ length: count }, (_, i) => list[(number * 5 + i) % list.length] ?? '')
      return chosen.map((text, i): Take => {
        const pace = PACES[(i + number) % PACES.length] ?? 1
        const name = `${voice}-${use}-${i}-${Bun.hash(`${text} ${pace}`).toString(36)}`
        return {
          name,
          use,
          voice,
          how: 'synthesised',
          text: wordsOf(text),
          ...(use === 'hesitation' ? { pauseShare: hesitationShare(text) } : {}),
          load: fromMade(name, (to) => speak(robot, spokenHesitation(text), pace, to)),
        }
      })
    })
  })
}

async function speak(
  { program, name, pitch = 50, wordsPerMinute = 160 }: Robot,
  text: string,
  pace: number,
  to: string,
): Promise<void> {
  await ensureCommand(program)
  const spoken = `${to}.spoken.wav`
  const speed = Math.round(wordsPerMinute * pace)
  await mustRun(
    program === 'espeak-ng'
      ? ['espeak-ng', '-v', name, '-p', `${pitch}`, '-s', `${speed}`, '-w', spoken, text]
      : ['flite', '-voice', name, '--setf', `duration_stretch=${1 / pace}`, '-t', text, '-o', spoken],
  )
  await toTelephoneWav(spoken, to, RATE_HZ)
  await Bun.file(spoken).delete()
}
