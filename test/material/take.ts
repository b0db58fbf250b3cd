// A take: something that a voice has said or done, not yet a clip. Which split it belongs to is its voice's business.

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun } from '../bed/host.ts'
import { toTelephoneWav } from '../bed/sox.ts'
import { readWav } from '../bed/wav-file.ts'
import { RATE_HZ } from './audio.ts'
import { materialFolder } from './packages.ts'
import type { VoiceId } from './voices.ts'

export const CLIP_LABELS = [
  'backchannel',
  'interruption_word',
  'interruption_phrase',
  'cough',
  'throat_clear',
  'sneeze',
  'laugh',
  'breath',
  'click',
  'keyboard',
  'door',
  'music',
  /** "Ow", "oof", a groan: a person, but no word and no assent. */
  'exclamation',
] as const
export type ClipLabel = (typeof CLIP_LABELS)[number]

/**
 * `speech` is for clips of the two interruption classes, by its length; `sentence` is for turns; `answer` is a short,
 * complete turn; `digit` a digit's name, of which turns are strung; `hesitation` a turn that is to get a pause where
 * `pauseShare` says.
 */
export type TakeUse =
  | Exclude<ClipLabel, 'interruption_word' | 'interruption_phrase'>
  | 'speech'
  | 'sentence'
  | 'answer'
  | 'digit'
  | 'hesitation'

/** `recorded` as it is; `spliced` from pieces of a recording; `synthesised` by a program. */
export type How = 'recorded' | 'spliced' | 'synthesised'

export interface Take {
  /** Unique, and the same in every run: a file's name. */
  readonly name: string
  readonly use: TakeUse
  readonly voice: VoiceId
  readonly how: How
  /** What is said, in lower case; null where only the voice is known. */
  readonly text: string | null
  /** Of a hesitation: where its speaker searches for words, as a share of its length. */
  readonly pauseShare?: number
  /** At 8 kHz, full scale 32,768, as it comes. */
  readonly load: () => Promise<Float64Array>
}

/** A sound file as a take's samples: converted once, then read from the cache. */
export function fromFile(name: string, path: string): () => Promise<Float64Array> {
  return fromMade(name, async (to) => await toTelephoneWav(path, to, RATE_HZ))
}

/** A take that `make` writes as a WAV of 8 kHz, unless the cache has it. `make` gets a name that isn't the final one. */
export function fromMade(name: string, make: (to: string) => Promise<void>): () => Promise<Float64Array> {
  return async () => {
    const path = takePath(name)
    if (!isTake(path)) {
      // Several takes may be cut from one recording, and two processes may make the same one.
      const partial = `${path}.${crypto.randomUUID().slice(0, 8)}.partial.wav`
      await make(partial)
      await mustRun(['mv', partial, path])
    }
    return Float64Array.from((await readWav(path)).samples)
  }
}

export function takePath(name: string): string {
  return join(materialFolder('takes'), `${name}.wav`)
}

/** Longer than a WAV's header alone. */
export function isTake(path: string): boolean {
  return existsSync(path) && statSync(path).size > 44
}

/** A text as takes have it: lower case, no punctuation but apostrophes and hyphens inside words. */
export function wordsOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}'’ -]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}
