// Hedgewars' voice sets: people who shout, hum, laugh and cough into a microphone for a game. GFDL-1.3 and GPL-2.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DebianSource } from './packages.ts'
import { fromFile, type Take, type TakeUse } from './take.ts'
import type { VoiceId } from './voices.ts'

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

/**
 * What a file is good for. A name says what happens in the game and not what is said: "Boring" may be "mm, darling", and
 * "Yessir" anything. So these have no text, and no file whose words might be assent is here.
 */
const FILES: Partial<Readonly<Record<TakeUse, readonly string[]>>> = {
  backchannel: ['Hmm'],
  laugh: ['Laugh'],
  cough: ['PoisonCough'],
  exclamation: ['PoisonMoan', 'Ow1', 'Ow2', 'Ow3', 'Ooff1', 'Ooff2', 'Ouch'],
  speech: [
    'Hello',
    'Nooo',
    'Hurry',
    'Fire',
    'Stupid',
    'Traitor',
    'Incoming',
    'Coward',
    'Boring',
    'Revenge',
    'Missed',
    'Byebye',
    'Whatthe',
    'Takecover',
    'Leavemealone',
    'Justyouwait',
    'Cutitout',
    'Comeonthen',
    'Watchit',
    'Illgetyou',
    'Runaway',
    'Watchthis',
    'Youllregretthat',
    'Thisoneismine',
  ],
}

/** @param folder where SHOUTS lies. A sound that several sets share comes once, under the first of them. */
export function shouts(folder: string): Take[] {
  const seen = new Set<bigint | number>()
  const takes: Take[] = []
  for (const [set, voice] of Object.entries(SETS)) {
    for (const [use, files] of Object.entries(FILES) as [TakeUse, readonly string[]][]) {
      for (const file of files) {
        const path = join(folder, set, `${file}.ogg`)
        if (!existsSync(path)) continue
        const content = Bun.hash(readFileSync(path))
        if (seen.has(content)) continue
        seen.add(content)
        const name = `${voice}-${file.toLowerCase()}`
        takes.push({ name, use, voice, how: 'recorded', text: null, load: fromFile(name, path) })
      }
    }
  }
  return takes
}
