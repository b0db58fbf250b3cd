import { expect, test } from 'bun:test'
import { SentenceSplitter } from '#agent/sentences.ts'
import { SpokenCut } from '#providers/local/llm-spoken.ts'
import { splitPieces } from '#speech/spoken-text.ts'

// Three places cut text into sentences: the model's flow, the cascade, the voice. They must agree on what a stop ends.

/** How many sentences each of the three makes of `text`. */
function sentences(text: string): Record<string, number> {
  const splitter = new SentenceSplitter()
  const split = [...splitter.push(text), splitter.flush()].filter((piece) => piece !== null)
  const cut = new SpokenCut()
  const spoken = [...text].map((character) => cut.push(character).text)
  spoken.push(cut.end(true))
  return {
    cascade: split.length,
    model: spoken.filter((piece) => piece !== '').length,
    voice: splitPieces(text).length,
  }
}

test.each([
  'Mr',
  'mrs',
  'Dr',
  'St',
  'Jr',
  'Sr',
  'vs',
  'etc',
  'e.g',
  'i.e',
  'approx',
  'a.m',
  'p.m',
  'z.B',
  'bzw',
  'No',
  'Nr',
  'J',
])('"%s." ends no sentence anywhere', (word) => {
  expect(sentences(`They went there with ${word}. Miller today.`)).toEqual({ cascade: 1, model: 1, voice: 1 })
})

test('"no." is an answer and ends one', () => {
  expect(sentences('The answer to this is no. Please call again.')).toEqual({ cascade: 2, model: 2, voice: 2 })
})
