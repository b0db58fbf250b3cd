import { expect, test } from 'bun:test'
import { isListening } from '#call/listening.ts'

const reply = { language: 'en-GB', heard: 'We open at nine. We', around: 'We open at nine. We close at five.' }
const listens = (words: string, changes: Partial<typeof reply> = {}, more: readonly string[] = []) =>
  isListening({ ...reply, ...changes, words }, more)

test.each(['Yeah.', 'Mm-hmm.', 'Uh-huh.', 'Oh, okay.', 'I see, got it.', 'Yeah, yeah, yeah, okay.'])(
  '%s listens',
  (words) => {
    expect(listens(words)).toBeTrue()
  },
)

test.each([
  ['other words', 'Okay, and on Sundays'],
  ['a question', 'Really?'],
  ['so many words', 'Yes, yes, okay, okay, yes.'],
  ['a cry', 'Oh!'],
  ['what a recogniser writes for a cough', 'Thank you.'],
  ['a hesitation', 'Uh, um...'],
  ['no words', '…'],
])('%s does not', (_what, words) => {
  expect(listens(words)).toBeFalse()
})

test('nor do words that may be an answer', () => {
  expect(listens('Yes.', { heard: 'Shall I? It costs' })).toBeFalse()
  expect(listens('Yes.', { around: 'It costs nine. Shall I?' })).toBeFalse()
  expect(listens('Yeah.', { around: 'If that suits you, just say yes. It costs nine.' })).toBeFalse()
})

test('nor any of a language whose words are not known', () => {
  expect(listens('OK', { language: 'ja' })).toBeFalse()
  expect(listens('Ja, genau.', { language: 'de' })).toBeTrue()
  expect(listens('Ja, genau.')).toBeFalse()
})

test('words of the configuration count, cries as well', () => {
  expect([listens('Wow!'), listens('Wow!', {}, ['wow']), listens('Roger that.', {}, ['Roger-that!'])]).toEqual([
    false,
    true,
    true,
  ])
})
