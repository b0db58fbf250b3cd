// Hedgewars' voice sets: people who shout, hum, laugh and cough into a microphone for a game. GFDL-1.3 and GPL-2.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { namesIn } from '../bed/host.ts'
import type { DebianSource } from './packages.ts'
import { fromFile, type Take, type TakeUse } from './take.ts'
import { type VoiceId, voiceOf } from './voices.ts'

export const SHOUTS: DebianSource = {
  package: 'hedgewars-data',
  folder: '/usr/share/games/hedgewars/Data/Sounds/voices',
}

const SETS: Readonly<Record<string, VoiceId>> = {
  Default: 'hog-default',
  Classic: 'hog-classic',
  Mobster: 'hog-mobster',
  Robot: 'hog-robot',
  Default_pl: 'hog-polish',
  Russian_pl: 'hog-russian-polish',
  Default_uk: 'hog-ukrainian',
  British: 'hog-british',
  Pirate: 'hog-pirate',
  HillBilly: 'hog-hillbilly',
  Singer: 'hog-singer',
  Surfer: 'hog-surfer',
  Russian: 'hog-russian-accent',
  Default_es: 'hog-spanish',
  Default_ru: 'hog-russian',
}

/** What a file is good for, and its words in the English sets. Sets in other languages say something like it. */
const FILES: readonly (readonly [TakeUse, Readonly<Record<string, string>>])[] = [
  ['backchannel', { Hmm: 'hmm', Yessir: 'yes sir' }],
  ['laugh', { Laugh: '' }],
  ['cough', { PoisonCough: '' }],
  ['exclamation', { PoisonMoan: '', Ow1: '', Ow2: '', Ow3: '', Ooff1: '', Ooff2: '', Ouch: '' }],
  [
    'speech',
    {
      Hello: 'hello',
      Nooo: 'no',
      Hurry: 'hurry',
      Fire: 'fire',
      Stupid: 'stupid',
      Traitor: 'traitor',
      Incoming: 'incoming',
      Coward: 'coward',
      Boring: 'boring',
      Revenge: 'revenge',
      Missed: 'missed',
      Byebye: 'bye bye',
      Whatthe: 'what the',
      Takecover: 'take cover',
      Leavemealone: 'leave me alone',
      Justyouwait: 'just you wait',
      Cutitout: 'cut it out',
      Comeonthen: 'come on then',
      Watchit: 'watch it',
      Illgetyou: "i'll get you",
      Runaway: 'run away',
      Watchthis: 'watch this',
      Youllregretthat: "you'll regret that",
      Thisoneismine: 'this one is mine',
    },
  ],
]

/** @param folder where SHOUTS lies. A sound that several sets share comes once, under the first of them. */
export function shouts(folder: string): Take[] {
  const seen = new Set<bigint | number>()
  const takes: Take[] = []
  for (const [set, voice] of Object.entries(SETS)) {
    const here = new Set(namesIn(join(folder, set)))
    const english = voiceOf(voice).language === 'en'
    for (const [use, files] of FILES) {
      for (const [file, words] of Object.entries(files)) {
        const path = join(folder, set, `${file}.ogg`)
        if (!here.has(`${file}.ogg`) || !existsSync(path)) continue
        const content = Bun.hash(readFileSync(path))
        if (seen.has(content)) continue
        seen.add(content)
        const name = `${voice}-${file.toLowerCase()}`
        takes.push({
          name,
          use,
          voice,
          how: 'recorded',
          text: english && words !== '' ? words : null,
          load: fromFile(name, path),
        })
      }
    }
  }
  return takes
}
