/**
 * What the words of a caller say about whether more is to come: pure, by language. An end-of-turn model listens to the
 * voice; this looks at the words, where a recogniser has them by the time of the pause. It speaks only where it is sure:
 * nobody has finished with "the", and "yes, please" wants nothing more. Whether a number that is read out has all its
 * digits no words tell, but it comes in groups with pauses between, so that it is taken for unfinished.
 *
 * A word is in a list when a caller who stops there mostly goes on. What ends sentences as well is left out: English
 * prepositions ("what is it for?"), German and Dutch verbs and their particles ("ich rufe an"), pronouns that stand alone.
 */
export type WordsSay = 'unfinished' | 'finished'

/** Hesitation as recognisers spell it, where it is a word of no language here. */
const fillers = 'uh uhm umm uhh erm ehm äh ähm öh euh'

/** Words that want another one. Keyed by: ISO 639-1 code. */
const wanting: Readonly<Record<string, string>> = {
  en: `um er a an the my your his our their and or but because if whether unless than that's i'm you're we're they're
    i'd i'll i've we've he's she's there's i we they which whose into between under per until till dot every very as of
    mr mrs ms gonna wanna`,
  de: `der die den dem des eine einen einem einer eines mein meine meinen meinem meiner dein deine ihre ihren ihrem ihrer
    seine seinen unser unsere unseren und oder aber sondern weil dass daß ob wenn falls als ich von vom für beim zum zur
    seit gegen zwischen bis im am in punkt herr frau`,
  fr: `heu le la les l une des du de d au aux mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs ce cet cette
    ces et ou mais car parce que qu je j pour par sans sur chez dans entre vers en à voudrais aimerais très point arobase`,
  es: `el la los las un unas unos del de al mi mis su sus nuestro nuestra y e o u pero porque que aunque con para por sin
    sobre desde hasta entre en a quería quisiera muy punto arroba pues`,
  it: `il lo la i gli le l un una del dello della dei degli delle di d al allo alla ai agli alle da dal dalla nel nella
    sul sulla quel e ed o ma che se con per senza tra fra in a è vorrei volevo punto chiocciola signor`,
  nl: `de een mijn jouw onze en of omdat als want met van zonder tussen te heel punt apenstaartje`,
  pt: `o a os as um uma uns umas do da dos das de no na nos nas ao à meu meus seu seus nosso e ou mas porque que se com
    para pra por pelo pela sem sobre desde até entre em queria gostaria ponto arroba`,
}

/** Two words that want another one, where the second alone may end a sentence. Keyed by: ISO 639-1 code. */
const wantingPairs: Readonly<Record<string, readonly string[]>> = {
  en: [
    ...['like to', 'want to', 'need to', 'have to', 'trying to', 'going to', 'me to', 'me with', 'me about', 'me at'],
    ...['number is', 'name is', 'address is', 'date is', 'code is', 'problem is'],
  ],
  de: ['nummer ist', 'name ist', 'adresse ist', 'ich möchte', 'ich hätte', 'ich habe', 'ich bin'],
  fr: ['numéro est', 'nom est', 'adresse est', 'je voudrais', "j'aimerais"],
  es: ['número es', 'nombre es', 'dirección es', 'me gustaría'],
  it: ['numero è', 'nome è', 'indirizzo è'],
  nl: ['nummer is', 'naam is', 'adres is', 'ik wil', 'ik heb', 'ik ben'],
  pt: ['número é', 'nome é', 'endereço é'],
}

/** Whole answers. Keyed by: ISO 639-1 code. */
const answers: Readonly<Record<string, readonly string[]>> = {
  en: [
    ...['yes', 'yeah', 'yep', 'no', 'nope', 'yes please', 'no thanks', 'no thank you', 'thank you', 'thanks', 'okay'],
    ...['ok', 'sure', 'that is all', "that's all", "that's it", 'goodbye', 'bye', 'hello', 'correct', "that's right"],
    ...["i don't know", 'nothing else', 'never mind', 'of course', 'exactly', 'not really'],
  ],
  de: [
    ...['ja', 'nein', 'ja bitte', 'nein danke', 'danke', 'okay', 'ok', 'genau', 'stimmt', 'richtig', 'das ist alles'],
    ...['das wars', "das war's", 'tschüss', 'auf wiederhören', 'hallo', 'weiß ich nicht', 'vielen dank', 'nö'],
  ],
  fr: [
    ...['oui', 'non', 'oui merci', 'non merci', 'merci', "d'accord", 'ok', 'exactement', "c'est tout", "c'est ça"],
    ...['au revoir', 'allô', 'je ne sais pas', 'bien sûr', 'voilà'],
  ],
  es: [
    ...['sí', 'si', 'no', 'sí por favor', 'si por favor', 'no gracias', 'gracias', 'vale', 'ok', 'exacto', 'claro'],
    ...['eso es todo', 'nada más', 'adiós', 'hola', 'no lo sé', 'no sé', 'de acuerdo'],
  ],
  it: [
    ...['sì', 'si', 'no', 'sì grazie', 'si grazie', 'no grazie', 'grazie', 'va bene', 'ok', 'esatto', 'certo'],
    ...['è tutto', 'basta così', 'arrivederci', 'pronto', 'non lo so'],
  ],
  nl: [
    ...['ja', 'nee', 'ja graag', 'nee dank je', 'nee bedankt', 'dank je', 'bedankt', 'oké', 'ok', 'precies', 'klopt'],
    ...['dat is alles', 'dat was het', 'dag', 'hallo', 'weet ik niet'],
  ],
  pt: [
    ...['sim', 'não', 'sim por favor', 'não obrigado', 'não obrigada', 'obrigado', 'obrigada', 'está bem', 'ok'],
    ...['é tudo', 'só isso', 'tchau', 'olá', 'não sei', 'isso mesmo'],
  ],
}

/** Digits by name: a number that is read out comes in groups. Keyed by: ISO 639-1 code. */
const digits: Readonly<Record<string, string>> = {
  en: 'zero oh one two three four five six seven eight nine',
  de: 'null eins zwei zwo drei vier fünf sechs sieben acht neun',
  fr: 'zéro un deux trois quatre cinq six sept huit neuf',
  es: 'cero uno dos tres cuatro cinco seis siete ocho nueve',
  it: 'zero uno due tre quattro cinque sei sette otto nove',
  nl: 'nul een één twee drie vier vijf zes zeven acht negen',
  pt: 'zero um uma dois três quatro cinco seis meia sete oito nove',
}
/** So many digits in a row are being read out; fewer are a count, and in one numeral a year or an amount. */
const digitsInARowMin = 2
const numeralDigitsMin = 5

// keyed by: word
const fillerWords = new Set(fillers.split(' '))
// keyed by: word
const setOf = (words: string) => new Set(words.split(/\s+/))
// keyed by: ISO 639-1 code
const wantingWords = new Map(Object.entries(wanting).map(([language, words]) => [language, setOf(words)]))
// keyed by: ISO 639-1 code
const wantingTwo = new Map(Object.entries(wantingPairs).map(([language, pairs]) => [language, new Set(pairs)]))
// keyed by: ISO 639-1 code
const digitWords = new Map(Object.entries(digits).map(([language, words]) => [language, new Set(words.split(' '))]))
// keyed by: ISO 639-1 code
const wholeAnswers = new Map(Object.entries(answers).map(([language, phrases]) => [language, new Set(phrases)]))

/**
 * @param text all words of the turn so far, as a recogniser writes them
 * @param language of the call: ISO 639-1, with or without a region; null where it isn't known
 * @returns null where the words leave it open, or the language has no list
 */
export function whatWordsSay(text: string, language: string | null): WordsSay | null {
  const words = text
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('’', "'")
    .match(/[\p{L}\p{N}']+/gu)
  const last = words?.at(-1)
  if (!words || last === undefined) return null
  if (fillerWords.has(last)) return 'unfinished'
  const own = language?.slice(0, 2).toLowerCase() ?? ''
  if (wholeAnswers.get(own)?.has(words.join(' '))) return 'finished'
  const wants = wantingWords.get(own)?.has(last) || wantingTwo.get(own)?.has(words.slice(-2).join(' '))
  return wants || readsNumber(words, digitWords.get(own)) ? 'unfinished' : null
}

/** Ends with a number that is said digit by digit: whether more of it comes nobody can tell by its words. */
function readsNumber(words: readonly string[], names: ReadonlySet<string> | undefined): boolean {
  let row = 0
  for (const word of words.toReversed()) {
    if (names?.has(word) || /^\d$/.test(word)) row += 1
    else if (/^\d{2,}$/.test(word)) row += word.length >= numeralDigitsMin || row > 0 ? digitsInARowMin : 1
    else break
  }
  return row >= digitsInARowMin
}
