import { assent, cuttingIn, hums } from './backchannel-words.ts'

/**
 * Does a caller who speaks over the agent listen, or cut in? A recogniser's interim words are matched from the
 * beginning: while all of them are assent, the caller listens; the first other word makes it something else.
 *
 * `assent`: nothing but assent and hums. `open`: so far, but the last words may become an assent or something else
 * ("I" of "I see"), or there is no word yet. `cutting_in`: begins with, or comes to, a word of the list. `other`: words
 * of no list.
 */
export type WordsKind = 'assent' | 'open' | 'cutting_in' | 'other'

/** Phrases as lists of words, the longest ones first. */
function splitPhrases(phrases: readonly string[]): readonly (readonly string[])[] {
  return phrases.map((phrase) => phrase.split(' ')).sort((a, b) => b.length - a.length)
}

function phrasesOf(
  lists: Readonly<Record<string, readonly string[]>>,
): ReadonlyMap<string, readonly (readonly string[])[]> {
  // keyed by: ISO 639-1 code
  return new Map(Object.entries(lists).map(([language, phrases]) => [language, splitPhrases(phrases)]))
}

const humWords = splitPhrases(hums)
const assentPhrases = phrasesOf(assent)
const cuttingPhrases = phrasesOf(cuttingIn)
const anyAssent = allOf(assentPhrases)
const anyCutting = allOf(cuttingPhrases)

/** The languages that have lists. */
export const backchannelLanguages: readonly string[] = Object.keys(assent)

/**
 * @param text words heard so far, as a recogniser writes them
 * @param language ISO 639-1, with or without a region ("de-AT"); null or one without lists: all lists together. There a
 * word of both kinds cuts in: "no" is assent in Polish, and most languages refuse with it.
 * @param more assent beside the lists, however it is spelled
 */
export function wordsKind(text: string, language: string | null, more: readonly string[] = []): WordsKind {
  const words = wordsOf(text)
  const own = language?.slice(0, 2).toLowerCase() ?? ''
  const listed = assentPhrases.get(own) ?? anyAssent
  const assents = more.length === 0 ? listed : [...ownPhrases(more), ...listed]
  const cuts = assentPhrases.has(own) ? (cuttingPhrases.get(own) ?? []) : anyCutting
  let at = 0
  while (at < words.length) {
    const length = Math.max(matched(words, at, assents), matched(words, at, humWords))
    const cutLength = matched(words, at, cuts)
    if (cutLength > 0 && cutLength >= length) return 'cutting_in'
    if (length === 0) return begins(words, at, assents) || begins(words, at, cuts) ? 'open' : 'other'
    at += length
  }
  return words.length === 0 ? 'open' : 'assent'
}

/** The phrases that a text of nothing but assent is made of; null for any other text, and in a language without lists. */
export function assentsOf(text: string, language: string, more: readonly string[] = []): readonly string[] | null {
  const listed = assentPhrases.get(language.slice(0, 2).toLowerCase())
  if (listed === undefined || wordsKind(text, language, more) !== 'assent') return null
  const words = wordsOf(text)
  const lists = [ownPhrases(more), listed, humWords]
  const found: string[] = []
  for (let at = 0; at < words.length; ) {
    const length = Math.max(1, ...lists.map((phrases) => matched(words, at, phrases)))
    found.push(words.slice(at, at + length).join(' '))
    at += length
  }
  return found
}

/** Some assent of the language stands in a text, whatever else does; hums do not count. */
export function namesAssent(text: string, language: string): boolean {
  const listed = assentPhrases.get(language.slice(0, 2).toLowerCase()) ?? anyAssent
  const words = wordsOf(text)
  return words.some((_, at) => matched(words, at, listed) > 0)
}

/** A text as its words alone, as phrases are compared. */
export const asWords = (text: string): string => wordsOf(text).join(' ')

// keyed by: the list of a configuration, which is asked about with every frame
const ownPhrasesOf = new WeakMap<readonly string[], readonly (readonly string[])[]>()

function ownPhrases(more: readonly string[]): readonly (readonly string[])[] {
  const known = ownPhrasesOf.get(more) ?? splitPhrases(more.map(asWords).filter((phrase) => phrase !== ''))
  ownPhrasesOf.set(more, known)
  return known
}

function wordsOf(text: string): readonly string[] {
  return (
    text
      .normalize('NFC')
      .toLowerCase()
      .replaceAll('’', "'")
      .match(/[\p{L}\p{N}']+/gu) ?? []
  )
}

function allOf(lists: ReadonlyMap<string, readonly (readonly string[])[]>): readonly (readonly string[])[] {
  return [...lists.values()].flat().sort((a, b) => b.length - a.length)
}

/** Words of the longest phrase that stands whole at a place; 0 for none. */
function matched(words: readonly string[], at: number, phrases: readonly (readonly string[])[]): number {
  const found = phrases.find((phrase) => phrase.every((word, index) => words[at + index] === word))
  return found?.length ?? 0
}

/** The words from a place to the end are the beginning of a phrase. */
function begins(words: readonly string[], at: number, phrases: readonly (readonly string[])[]): boolean {
  const rest = words.slice(at)
  return phrases.some((phrase) => phrase.length > rest.length && rest.every((word, index) => phrase[index] === word))
}
