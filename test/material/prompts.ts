// Asterisk's telephone prompts: nine people in five languages, read by professionals. Where there is a choice the GSM
// coded package is taken: a seventh of the size, and what a mobile phone leaves of a voice. CC BY-SA 3.0 and GPL-2.

import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { namesIn } from '../bed/host.ts'
import { spread } from './dialogues.ts'
import type { DebianSource } from './packages.ts'
import { humFromLetter } from './splices.ts'
import { fromFile, type Take, wordsOf } from './take.ts'
import { type VoiceId, voiceOf } from './voices.ts'

const SOUNDS = '/usr/share/asterisk/sounds'

interface PromptSet extends DebianSource {
  readonly voice: VoiceId
  /** Where the words stand, for those sets that say so. */
  readonly texts?: DebianSource
}

const texts = (language: string): DebianSource => ({
  package: `asterisk-core-sounds-${language}`,
  folder: `/usr/share/doc/asterisk-core-sounds-${language}`,
})

export const PROMPT_SETS: readonly PromptSet[] = [
  { package: 'asterisk-core-sounds-en-wav', folder: `${SOUNDS}/en_US_f_Allison`, voice: 'allison', texts: texts('en') },
  {
    package: 'asterisk-core-sounds-es-gsm',
    folder: `${SOUNDS}/es_MX_f_Allison`,
    voice: 'allison-es',
    texts: texts('es'),
  },
  { package: 'asterisk-core-sounds-fr-wav', folder: `${SOUNDS}/fr_CA_f_June`, voice: 'june', texts: texts('fr') },
  { package: 'asterisk-core-sounds-it-gsm', folder: `${SOUNDS}/it_IT_m_Carlo`, voice: 'carlo' },
  {
    package: 'asterisk-core-sounds-ru-gsm',
    folder: `${SOUNDS}/ru_RU_f_IvrvoiceRU`,
    voice: 'ivrvoice',
    texts: texts('ru'),
  },
  { package: 'asterisk-prompt-de', folder: `${SOUNDS}/de`, voice: 'prompts-de' },
  { package: 'asterisk-prompt-es-co', folder: `${SOUNDS}/es_CO_f_Avatar`, voice: 'avatar' },
  { package: 'asterisk-prompt-fr-armelle', folder: `${SOUNDS}/fr`, voice: 'armelle' },
  { package: 'asterisk-prompt-it-menardi-gsm', folder: `${SOUNDS}/it_IT_f_Menardi`, voice: 'menardi' },
]

export const PROMPT_SOURCES: readonly DebianSource[] = PROMPT_SETS.flatMap((set) =>
  set.texts === undefined ? [set] : [set, set.texts],
)

const SPEECH_PER_VOICE = 26
const SENTENCES_PER_VOICE = 16
const WAV_BYTES_PER_SECOND = 16_000
/** Frames of 33 bytes for 20 ms. */
const GSM_BYTES_PER_SECOND = 1650
/** Tones, jokes, silence, and words that could be assent. */
const NOT_SPEECH = /tone|beep|silence|monkey|weasel|loop|thank|sorry|screaming|goodbye|lots-o/

/** @param folders where each of PROMPT_SOURCES lies */
export function prompts(folders: ReadonlyMap<DebianSource, string>): Take[] {
  return PROMPT_SETS.flatMap((set) => {
    const folder = folders.get(set) ?? set.folder
    const known = set.texts === undefined ? new Map<string, string>() : textsIn(folders.get(set.texts) ?? '')
    return [...spoken(set.voice, folder, known), ...letters(set.voice, folder), ...digits(set.voice, folder)]
  })
}

function spoken(voice: VoiceId, folder: string, known: ReadonlyMap<string, string>): Take[] {
  const lines = namesIn(folder)
    .filter((file) => /\.(wav|gsm)$/.test(file) && !NOT_SPEECH.test(file))
    .map((file) => ({ file, seconds: secondsOf(join(folder, file)) }))
  const within = (min: number, max: number) => lines.filter(({ seconds }) => seconds >= min && seconds < max)
  const take =
    (use: 'speech' | 'sentence') =>
    ({ file }: { readonly file: string }): Take => {
      const id = file.replace(/\.(wav|gsm)$/, '')
      const name = `${voice}-${id}`
      return {
        name,
        use,
        voice,
        how: 'recorded',
        text: known.get(id) ?? null,
        load: fromFile(name, join(folder, file)),
      }
    }
  return [
    ...spread(within(0.3, 3.5), SPEECH_PER_VOICE).map(take('speech')),
    ...spread(within(3.5, 9), SENTENCES_PER_VOICE).map(take('sentence')),
  ]
}

/** The names of the letters a and o are "ah" and "oh" in these languages. */
const ASSENTS: Readonly<Record<string, readonly (readonly [letter: string, text: string])[]>> = {
  es: [
    ['a', 'ah'],
    ['o', 'oh'],
  ],
  it: [
    ['a', 'ah'],
    ['o', 'oh'],
  ],
  fr: [
    ['a', 'ah'],
    ['o', 'oh'],
  ],
  de: [
    ['a', 'ah'],
    ['o', 'oh'],
  ],
  en: [['o', 'oh']],
  ru: [],
}

function letters(voice: VoiceId, folder: string): Take[] {
  const file = (letter: string) =>
    ['wav', 'gsm'].map((type) => join(folder, 'letters', `${letter}.${type}`)).find(existsSync)
  const takes: Take[] = []
  for (const [letter, text] of ASSENTS[voiceOf(voice).language] ?? []) {
    const path = file(letter)
    const name = `${voice}-letter-${letter}`
    if (path !== undefined)
      takes.push({ name, use: 'backchannel', voice, how: 'recorded', text, load: fromFile(name, path) })
  }
  const em = file('m')
  // Russian "em" ends in a palatal sound, and is left out with the letters above.
  if (em !== undefined && voiceOf(voice).language !== 'ru')
    takes.push(...humFromLetter(voice, fromFile(`${voice}-letter-m`, em)))
  return takes
}

const DIGIT_NAMES = /^[0-9]\.(wav|gsm)$/
const OTHER_NAMES = /^(day|mon)-\d\.(wav|gsm)$/

function digits(voice: VoiceId, folder: string): Take[] {
  const files = namesIn(join(folder, 'digits'))
  const take =
    (use: 'digit' | 'speech') =>
    (file: string): Take => {
      const id = file.replace(/\.(wav|gsm)$/, '')
      const name = `${voice}-digits-${id}`
      return {
        name,
        use,
        voice,
        how: 'recorded',
        text: use === 'digit' ? id : null,
        load: fromFile(name, join(folder, 'digits', file)),
      }
    }
  return [
    ...files.filter((file) => DIGIT_NAMES.test(file)).map(take('digit')),
    ...spread(
      files.filter((file) => OTHER_NAMES.test(file)),
      6,
    ).map(take('speech')),
  ]
}

function secondsOf(path: string): number {
  return statSync(path).size / (path.endsWith('.gsm') ? GSM_BYTES_PER_SECOND : WAV_BYTES_PER_SECOND)
}

/** Lines `name: what is said`; brackets hold notes to the speaker, and a numeral doesn't say how it is spoken. */
function textsIn(folder: string): Map<string, string> {
  const found = new Map<string, string>()
  const file = namesIn(folder).find((name) => /^core-sounds-.*\.txt\.gz$/.test(name))
  if (file === undefined) return found
  const lines = new TextDecoder().decode(Bun.gunzipSync(readFileSync(join(folder, file)))).split('\n')
  for (const line of lines) {
    const [, name, text] = /^([a-z0-9-]+):\s+(\S.*)$/.exec(line) ?? []
    if (name !== undefined && text !== undefined && !/[[\]<>(\d]/.test(text)) found.set(name, wordsOf(text))
  }
  return found
}
