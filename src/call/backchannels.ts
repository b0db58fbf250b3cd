/**
 * Words of callers who listen, and of callers who cut in, by language. A recogniser's interim words are matched from
 * the beginning: while all of them are assent, the caller listens; the first other word makes it something else.
 *
 * Hums are spelled many ways by recognisers, and in every language alike: they are in `hums`. The lists hold what is
 * said while another speaks; a word that assents and also answers ("yes", "right") is assent here.
 */
const hums = [
  'mm',
  'mmm',
  'mhm',
  'mm hm',
  'mm hmm',
  'm hm',
  'hm',
  'hmm',
  'uh huh',
  'uhuh',
  'aha',
  'ah',
  'oh',
  'uh',
  'um',
  'eh',
]

/** Keyed by: ISO 639-1 code. */
const assent: Readonly<Record<string, readonly string[]>> = {
  en: [
    ...[
      'yeah',
      'yes',
      'yep',
      'yup',
      'ya',
      'yah',
      'okay',
      'ok',
      'right',
      'sure',
      'alright',
      'all right',
      'fine',
      'good',
    ],
    ...[
      'great',
      'cool',
      'nice',
      'perfect',
      'exactly',
      'absolutely',
      'definitely',
      'indeed',
      'true',
      'correct',
      'totally',
    ],
    ...[
      'of course',
      'i see',
      'i know',
      'i understand',
      'i get it',
      'got it',
      'gotcha',
      'makes sense',
      'that makes sense',
    ],
    ...['sounds good', 'fair enough', 'very good', 'really', 'wow', 'interesting', 'go on', 'yes sir'],
  ],
  de: [
    ...['ja', 'jo', 'jap', 'jawohl', 'genau', 'ach so', 'achso', 'ach ja', 'ach', 'verstehe', 'ich verstehe', 'gut'],
    ...['sehr gut', 'stimmt', 'okay', 'ok', 'klar', 'na klar', 'alles klar', 'richtig', 'eben', 'natürlich', 'prima'],
    ...['super', 'schön', 'in ordnung', 'mhm', 'echt', 'so so', 'aha'],
  ],
  fr: [
    ...[
      'oui',
      'ouais',
      "d'accord",
      'daccord',
      'ok',
      'okay',
      'bien',
      'bien sûr',
      'très bien',
      'je vois',
      'ah bon',
      'ah',
    ],
    ...[
      'ah oui',
      'voilà',
      'exactement',
      'tout à fait',
      'parfait',
      'je comprends',
      'compris',
      'super',
      'hein',
      'bon',
      'bah oui',
    ],
  ],
  es: [
    ...[
      'sí',
      'si',
      'vale',
      'claro',
      'claro que sí',
      'ya',
      'ya veo',
      'entiendo',
      'de acuerdo',
      'muy bien',
      'bien',
      'bueno',
    ],
    ...['exacto', 'perfecto', 'ajá', 'aja', 'ok', 'okay', 'por supuesto', 'correcto', 'cierto', 'genial'],
  ],
  it: [
    ...['sì', 'si', 'certo', 'capisco', 'ho capito', 'va bene', 'esatto', 'giusto', 'bene', 'ok', 'okay', 'perfetto'],
    ...["d'accordo", 'daccordo', 'già', 'ecco', 'ah', 'molto bene', 'certamente', 'vero'],
  ],
  nl: [
    ...[
      'ja',
      'jawel',
      'oké',
      'oke',
      'ok',
      'okay',
      'goed',
      'heel goed',
      'precies',
      'klopt',
      'juist',
      'natuurlijk',
      'prima',
    ],
    ...['ik snap het', 'ik begrijp het', 'snap ik', 'begrijp ik', 'inderdaad', 'tuurlijk', 'mooi', 'oh ja'],
  ],
  pt: [
    ...[
      'sim',
      'ok',
      'okay',
      'certo',
      'claro',
      'pois',
      'pois é',
      'pois sim',
      'entendo',
      'entendi',
      'percebo',
      'está bem',
    ],
    ...['tá', 'tá bom', 'tudo bem', 'exato', 'exatamente', 'isso', 'muito bem', 'perfeito', 'com certeza', 'é', 'bom'],
  ],
  pl: [
    ...['tak', 'no', 'no tak', 'aha', 'jasne', 'dobrze', 'dobra', 'okej', 'ok', 'rozumiem', 'oczywiście', 'właśnie'],
    ...['zgadza się', 'pewnie', 'w porządku', 'racja'],
  ],
  ru: [
    ...[
      'да',
      'ага',
      'угу',
      'хорошо',
      'ладно',
      'понятно',
      'понял',
      'поняла',
      'ясно',
      'конечно',
      'точно',
      'так',
      'верно',
      'окей',
    ],
  ],
  uk: [...['так', 'ага', 'угу', 'добре', 'гаразд', 'зрозуміло', 'ясно', 'звичайно', 'точно', 'окей', 'авжеж']],
  cs: [
    ...[
      'ano',
      'jo',
      'jasně',
      'dobře',
      'dobrá',
      'aha',
      'rozumím',
      'chápu',
      'přesně',
      'samozřejmě',
      'no jo',
      'no',
      'tak',
      'okej',
    ],
  ],
  sv: [
    ...['ja', 'jo', 'japp', 'okej', 'ok', 'precis', 'visst', 'jag förstår', 'just det', 'bra', 'mm', 'jaha', 'exakt'],
  ],
  da: [...['ja', 'jo', 'okay', 'ok', 'præcis', 'netop', 'godt', 'fint', 'jeg forstår', 'nå', 'nå ja', 'klart']],
}

/**
 * Said over another's voice these cut in, whatever they sound like. Only words that are never assent; not needed for
 * the match, for every unknown word cuts in, but a sure one needs no support from the sound.
 * Keyed by: ISO 639-1 code.
 */
const cuttingIn: Readonly<Record<string, readonly string[]>> = {
  en: [
    ...[
      'stop',
      'no',
      'nope',
      'wait',
      'hold on',
      'hang on',
      'excuse me',
      'sorry',
      'pardon',
      'but',
      'actually',
      'listen',
    ],
    ...[
      'hello',
      'what',
      'why',
      'when',
      'where',
      'who',
      'how',
      'cancel',
      'operator',
      'agent',
      'human',
      'help',
      'please',
    ],
    ...[
      'i want',
      'i need',
      'i would',
      "i'd",
      'can i',
      'can you',
      'could you',
      'never mind',
      'enough',
      'shut up',
      'quiet',
    ],
  ],
  de: [
    ...[
      'nein',
      'nee',
      'halt',
      'stopp',
      'stop',
      'warte',
      'warten',
      'moment',
      'aber',
      'was',
      'wie',
      'wann',
      'wo',
      'warum',
    ],
    ...['entschuldigung', 'hallo', 'ich will', 'ich möchte', 'ich brauche', 'bitte', 'falsch', 'hilfe', 'nicht'],
  ],
  fr: [
    ...['non', 'stop', 'attends', 'attendez', 'arrête', 'arrêtez', 'mais', 'pardon', 'quoi', 'comment', 'pourquoi'],
    ...['je veux', 'je voudrais', 'excusez', 'allô', 'un moment', 'aide'],
  ],
  es: [
    ...['no', 'para', 'pare', 'alto', 'espera', 'espere', 'pero', 'perdón', 'perdona', 'perdone', 'oiga', 'oye', 'qué'],
    ...['cómo', 'quiero', 'quisiera', 'necesito', 'un momento', 'ayuda', 'por qué'],
  ],
  it: [
    ...[
      'no',
      'ferma',
      'fermo',
      'basta',
      'aspetta',
      'aspetti',
      'ma',
      'scusi',
      'scusa',
      'pronto',
      'cosa',
      'come',
      'perché',
    ],
    ...['voglio', 'vorrei', 'un attimo', 'un momento', 'aiuto'],
  ],
  nl: [
    ...[
      'nee',
      'stop',
      'wacht',
      'ho',
      'maar',
      'sorry',
      'pardon',
      'wat',
      'waarom',
      'hoe',
      'ik wil',
      'moment',
      'hallo',
      'help',
    ],
  ],
  pt: [
    ...[
      'não',
      'para',
      'pare',
      'espera',
      'espere',
      'mas',
      'desculpe',
      'desculpa',
      'quê',
      'como',
      'quero',
      'queria',
      'um momento',
    ],
  ],
  pl: [
    ...[
      'nie',
      'stop',
      'stój',
      'czekaj',
      'chwila',
      'chwileczkę',
      'ale',
      'przepraszam',
      'co',
      'jak',
      'dlaczego',
      'chcę',
      'halo',
    ],
  ],
  ru: [...['нет', 'стоп', 'стой', 'подождите', 'подожди', 'но', 'извините', 'что', 'как', 'почему', 'хочу', 'алло']],
  uk: [...['ні', 'стоп', 'стій', 'зачекайте', 'зачекай', 'але', 'вибачте', 'що', 'як', 'чому', 'хочу', 'алло']],
  cs: [
    ...['ne', 'stop', 'stůj', 'počkejte', 'počkej', 'ale', 'promiňte', 'co', 'jak', 'proč', 'chci', 'haló', 'moment'],
  ],
  sv: [...['nej', 'stopp', 'vänta', 'men', 'ursäkta', 'förlåt', 'vad', 'hur', 'varför', 'jag vill', 'hallå']],
  da: [...['nej', 'stop', 'vent', 'men', 'undskyld', 'hvad', 'hvordan', 'hvorfor', 'jeg vil', 'hallo']],
}

/**
 * `assent`: nothing but assent and hums. `open`: so far, but the last words may become an assent or something else
 * ("I" of "I see"), or there is no word yet. `cutting_in`: begins with, or comes to, a word of the list. `other`: words
 * of no list.
 */
export type WordsKind = 'assent' | 'open' | 'cutting_in' | 'other'

/** Phrases as lists of words, the longest ones first. */
function splitPhrases(phrases: readonly string[]): readonly (readonly string[])[] {
  return phrases.map((phrase) => phrase.split(' ')).sort((a, b) => b.length - a.length)
}

/** By language. */
function phrasesOf(
  lists: Readonly<Record<string, readonly string[]>>,
): ReadonlyMap<string, readonly (readonly string[])[]> {
  return new Map(
    Object.entries(lists).map(([language, phrases]) => {
      return [language, splitPhrases(phrases)]
    }),
  )
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
 * @param more assent beside the lists, in lower case
 */
export function wordsKind(text: string, language: string | null, more: readonly string[] = []): WordsKind {
  const words = wordsOf(text)
  const own = language?.slice(0, 2).toLowerCase() ?? ''
  const listed = assentPhrases.get(own) ?? anyAssent
  const assents = more.length === 0 ? listed : [...splitPhrases(more), ...listed]
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
