import { expect, test } from 'bun:test'
import { assentsOf, backchannelLanguages, namesAssent, wordsKind } from '#call/backchannels.ts'

test('assent is assent, however a recogniser writes it', () => {
  for (const text of [
    'Yeah.',
    'OK',
    'Mm-hmm.',
    'Uh-huh, yeah',
    'Okay, okay.',
    'Oh, I see.',
    'All right, of course',
    'M-hm',
  ]) {
    expect({ text, kind: wordsKind(text, 'en') }).toEqual({ text, kind: 'assent' })
  }
})

test('each language has its own assent', () => {
  const said = {
    de: 'Ja, genau',
    fr: 'D’accord',
    es: 'Sí, vale',
    it: 'Sì, va bene',
    nl: 'Ja, precies',
    pt: 'Pois é',
    pl: 'No tak',
  }
  for (const [language, text] of Object.entries(said)) {
    expect({ language, kind: wordsKind(text, language) }).toEqual({ language, kind: 'assent' })
  }
  expect(wordsKind('Ja, genau', 'de-AT')).toBe('assent')
  expect(wordsKind('genau', 'en')).toBe('other')
})

test('a word that refuses or asks cuts in, at once or after assent', () => {
  for (const text of ['Stop', 'No.', 'Wait a', 'Okay, but', 'Yeah, no', 'Right. Can you', 'Excuse me', 'I want']) {
    expect({ text, kind: wordsKind(text, 'en') }).toEqual({ text, kind: 'cutting_in' })
  }
  expect(wordsKind('Ja, aber', 'de')).toBe('cutting_in')
})

test('words of no list are other', () => {
  expect(wordsKind('My order', 'en')).toBe('other')
  expect(wordsKind('yeah my order', 'en')).toBe('other')
})

test('the beginning of a phrase may still become it', () => {
  expect(wordsKind('of', 'en')).toBe('open')
  expect(wordsKind('of course', 'en')).toBe('assent')
  expect(wordsKind('of mine', 'en')).toBe('other')
  expect(wordsKind('I', 'en')).toBe('open')
  expect(wordsKind('Oh, I', 'en')).toBe('open')
  expect(wordsKind('hold', 'en')).toBe('open')
  expect(wordsKind('', 'en')).toBe('open')
  expect(wordsKind(' … ', 'en')).toBe('open')
})

test('in an unknown language all lists count, and a word of both kinds cuts in', () => {
  expect(wordsKind('vale', null)).toBe('assent')
  expect(wordsKind('okay', 'xx')).toBe('assent')
  expect(wordsKind('no', 'pl')).toBe('assent')
  expect(wordsKind('no', null)).toBe('cutting_in')
  expect(wordsKind('arrêtez', null)).toBe('cutting_in')
})

test('no word of a language both assents and cuts in', () => {
  for (const language of backchannelLanguages) {
    // A phrase of both kinds would be reported as cutting in; every list must give assent for its own first words.
    expect({ language, kind: wordsKind('okay', language) }).not.toEqual({ language, kind: 'cutting_in' })
  }
  expect(backchannelLanguages).toContain('pt')
})

test('the phrases of assent that a text is made of; of anything else there are none', () => {
  expect(assentsOf('Uh-huh, okay. I see!', 'en-GB')).toEqual(['uh huh', 'okay', 'i see'])
  expect(assentsOf('Ja, passt scho', 'de', ['passt scho'])).toEqual(['ja', 'passt scho'])
  for (const [text, language] of [
    ['Okay, but', 'en'],
    ['', 'en'],
    ['Okay', 'ja'],
  ] as const) {
    expect(assentsOf(text, language)).toBeNull()
  }
})

test('assent is named by a text that holds it, and by no hum', () => {
  expect(namesAssent('To confirm, please say yes.', 'en')).toBeTrue()
  expect(namesAssent('Sagen Sie einfach ja, bitte.', 'de')).toBeTrue()
  expect(namesAssent('We open at nine, um, on weekdays.', 'en')).toBeFalse()
})

test('words of the configuration count however they are spelled', () => {
  const more = ['Passt scho', 'uh-oh!', '…']
  expect(['passt scho', 'Uh oh, ja'].map((text) => wordsKind(text, 'de', more))).toEqual(['assent', 'assent'])
  expect(wordsKind('Mir passt', 'de', more)).toBe('other')
})
