// KTuberling's names of things, one voice for each language: single words of people who aren't actors. GPL-2+.

import { join } from 'node:path'
import { namesIn } from '../bed/host.ts'
import type { DebianSource } from './packages.ts'
import { fromFile, type Take } from './take.ts'
import type { VoiceId } from './voices.ts'

export const THINGS: DebianSource = { package: 'ktuberling-data', folder: '/usr/share/ktuberling/sounds' }

const LANGUAGES: Readonly<Record<string, VoiceId>> = {
  ca: 'things-ca',
  de: 'things-de',
  gl: 'things-gl',
  sl: 'things-sl',
  uk: 'things-uk',
  da: 'things-da',
  el: 'things-el',
  en: 'things-en',
  lt: 'things-lt',
  wa: 'things-wa',
}
const WORDS_PER_VOICE = 18
/** What these files hold is no word. */
const LAUGH = 'tux-laugh.ogg'

/** @param folder where THINGS lies */
export function things(folder: string): Take[] {
  return Object.entries(LANGUAGES).flatMap(([language, voice]) => {
    const files = namesIn(join(folder, language)).filter((file) => file.endsWith('.ogg'))
    const words = files.filter((file) => !/tux/.test(file))
    const step = Math.max(1, Math.floor(words.length / WORDS_PER_VOICE))
    const chosen = words.filter((_, index) => index % step === 0).slice(0, WORDS_PER_VOICE)
    const take = (file: string, use: 'speech' | 'laugh'): Take => {
      const name = `${voice}-${file.replace('.ogg', '')}`
      const text = use === 'speech' && language === 'en' ? file.replace(/^.*_|\.ogg$/g, '') : null
      return { name, use, voice, how: 'recorded', text, load: fromFile(name, join(folder, language, file)) }
    }
    const laughs = files.includes(LAUGH) ? [take(LAUGH, 'laugh')] : []
    return [...chosen.map((file) => take(file, 'speech')), ...laughs]
  })
}
