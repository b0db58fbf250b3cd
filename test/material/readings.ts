// Read English, and two people on a telephone. LibriVox recordings are in the public domain, the commands are BSD; the
// call is the sample that pyannote.audio ships, MIT, with its own transcript.

import { join } from 'node:path'
import { readSpeech } from '../bed/speech.ts'
import { readWav } from '../bed/wav-file.ts'
import { toSamples } from './audio.ts'
import { TELEPHONE_TALK_ENTRY } from './kokoro-files.ts'
import { registryFiles } from './packages.ts'
import { fromFile, type Take, type TakeUse } from './take.ts'

/** The readings' long ones are turns, their short ones may cut in. */
export async function readings(): Promise<Take[]> {
  const utterances = await readSpeech()
  return utterances.map(({ name, path, words }): Take => {
    const novel = name.includes('austen')
    return {
      name: `reading-${name}`,
      use: novel ? 'sentence' : 'speech',
      voice: novel ? 'reader-austen' : 'reader-cards',
      how: 'recorded',
      text: words,
      load: async () => Float64Array.from((await readWav(path)).samples),
    }
  })
}

/** From the sample's transcript: who says what, in seconds. Only what nobody talks over. */
const TALK: readonly (readonly [TakeUse, 'diane' | 'sheila', number, number, string])[] = [
  ['speech', 'diane', 6.6, 7.2, 'hello'],
  ['speech', 'sheila', 7.55, 8.2, 'hello'],
  ['speech', 'diane', 8.4, 9.82, "oh hello i didn't know you were there"],
  ['sentence', 'diane', 12.54, 14.25, 'this is diane in new jersey'],
  ['sentence', 'sheila', 14.42, 17.8, "and i'm sheila in texas originally from chicago"],
  ['speech', 'diane', 20.15, 21.5, "i'm in new jersey now though"],
  ['sentence', 'sheila', 21.9, 24.0, "well there isn't that much difference"],
  ['speech', 'diane', 28.48, 29.98, "oh i don't hear that in new jersey now"],
]

export async function telephoneTalk(): Promise<Take[]> {
  const folder = await registryFiles(TELEPHONE_TALK_ENTRY)
  const whole = fromFile('telephone-talk', join(folder, 'sample.wav'))
  return TALK.map(([use, voice, fromS, untilS, text]) => ({
    name: `talk-${voice}-${Math.round(fromS * 100)}`,
    use,
    voice,
    how: 'recorded',
    text,
    load: async () => (await whole()).slice(toSamples(fromS * 1000), toSamples(untilS * 1000)),
  }))
}
