import { expect, test } from 'bun:test'
import { beginsAsAssent } from '../../../scripts/bench/turns-figures.ts'
import type { Clip } from '../../material/material.ts'

const clip = (label: Clip['label'], text: string | null, language = 'en') => ({ label, text, language }) as Clip

test('a phrase that cuts in behind a word of assent is told from one that cuts in at once', () => {
  expect(beginsAsAssent(clip('interruption_phrase', 'okay but wait a second'))).toBe(true)
  expect(beginsAsAssent(clip('interruption_phrase', 'uh-huh but how long does it take'))).toBe(true)
  expect(beginsAsAssent(clip('interruption_phrase', 'ja, maar waarom twee?', 'nl'))).toBe(true)
  expect(beginsAsAssent(clip('interruption_phrase', 'all right but wait'))).toBe(true)
  expect(beginsAsAssent(clip('interruption_phrase', "no that's not what i meant"))).toBe(false)
  expect(beginsAsAssent(clip('interruption_word', 'stop'))).toBe(false)
})

test('what is no interruption, or whose words are not known, is none of these', () => {
  expect(beginsAsAssent(clip('backchannel', 'okay'))).toBe(false)
  expect(beginsAsAssent(clip('interruption_phrase', null))).toBe(false)
})
