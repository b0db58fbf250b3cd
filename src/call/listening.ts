import type { WordsOverReply } from '#agent/provider.ts'
import { assentsOf, asWords, namesAssent } from './backchannels.ts'

/**
 * Was a turn that had broken off a reply a listener's? By its words alone, all of which are known by then; its sound had
 * been taken for an interruption. No listener's is what may be an answer: something had been asked, or was about to be,
 * or had named its answer ("just say yes").
 */
const questionMarks = /[?？]/
/** "Yeah, yeah, okay, okay, yes": who says so much wants the turn. */
const phrasesMax = 4
/** A turn of nothing but these proves nothing: a recogniser writes them for sounds that it does not understand. */
const unclear: readonly string[] = ['ah', 'oh', 'uh', 'um', 'eh', 'huh', 'wow', 'you', 'thank you']

/** @param more words of listeners beside those of the language's list */
export function isListening({ words, language, heard, around }: WordsOverReply, more: readonly string[]): boolean {
  if ([words, heard, around].some((text) => questionMarks.test(text)) || namesAssent(around, language)) return false
  const phrases = assentsOf(words, language, more)
  if (phrases === null || phrases.length > phrasesMax) return false
  const own = more.map(asWords)
  return phrases.some((phrase) => own.includes(phrase) || !unclear.includes(phrase))
}
