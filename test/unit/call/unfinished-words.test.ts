import { describe, expect, test } from 'bun:test'
import { whatWordsSay } from '#call/unfinished-words.ts'

describe('what the words of a pause say', () => {
  test.each([
    ['en', 'I would like to', 'unfinished'],
    ['en', 'Could you connect me with?', 'unfinished'],
    ['en', 'My order number is…', 'unfinished'],
    ['en-GB', "I'm calling because.", 'unfinished'],
    ['en', 'john dot', 'unfinished'],
    // What ends sentences as well says nothing.
    ['en', 'Where are you calling from?', null],
    ['en', 'Yes, it is.', null],
    ['en', "That's what I need", null],
    ['de', 'Ich rufe morgen wieder an', null],
    ['de', 'Ich weiß nicht, ob er da ist', null],
    ['nl', 'Ik bel je op', null],
    ['es', '¿Dónde está?', null],
    ['fr', 'Merci madame', null],
    ['en', 'Um', 'unfinished'],
    ['en', 'I would like to change my order.', null],
    ['en', 'What is it called?', null],
    ['en', 'Yes, please.', 'finished'],
    ['en', 'No', 'finished'],
    ['en', 'No, the', 'unfinished'],
    ['en', 'Yes, please change it', null],
    ['de', 'Ich hätte gern einen Termin am', 'unfinished'],
    ['de-AT', 'Ja, bitte.', 'finished'],
    ['de', 'Am Freitag.', null],
    ['fr', 'Je voudrais, euh…', 'unfinished'],
    ['fr', 'C’est pour une', 'unfinished'],
    ['fr', 'D’accord.', 'finished'],
    ['es', 'Llamo porque', 'unfinished'],
    ['es', 'Sí, por favor', 'finished'],
    ['it', 'Il mio numero cliente è', 'unfinished'],
    ['it', 'Va bene.', 'finished'],
    ['nl', 'Ik bel omdat', 'unfinished'],
    ['pt', 'Não, obrigado.', 'finished'],
  ] as const)('%s: %s → %s', (language, text, says) => {
    expect(whatWordsSay(text, language)).toBe(says)
  })

  test.each([
    ['en', 'My number is four seven one', 'unfinished'],
    ['en', 'Seven, six.', 'unfinished'],
    ['en', '0117 3', 'unfinished'],
    ['en', '555-1234', 'unfinished'],
    ['en', '01173456', 'unfinished'],
    ['de', 'Null eins sieben', 'unfinished'],
    // A count, a year, an amount.
    ['en', 'Four.', null],
    ['en', 'In 2019', null],
    ['en', 'It was 25', null],
    ['en', 'A table for two people', null],
  ] as const)('a number read out may go on: %s: %s → %s', (language, text, says) => {
    expect(whatWordsSay(text, language)).toBe(says)
  })

  test('nothing, where there are no words, or the language is not known', () => {
    expect(whatWordsSay('', 'en')).toBeNull()
    expect(whatWordsSay(' … ', 'en')).toBeNull()
    expect(whatWordsSay('to the', null)).toBeNull()
    expect(whatWordsSay('to the', 'fi')).toBeNull()
    // Hesitation is spelled alike.
    expect(whatWordsSay('ähm', null)).toBe('unfinished')
  })
})
