// What the training voices say in languages other than English: what listeners say, words and phrases to cut in with.
// A model that knows English assent alone takes every "esatto" and every "verstehe" for a caller who cuts in.

export interface TrainingTexts {
  /** The name that eSpeak NG knows the language by. */
  readonly espeak: string
  readonly backchannels: readonly string[]
  readonly words: readonly string[]
  /** Some begin as a backchannel does. */
  readonly phrases: readonly string[]
}

/** One line of texts, parted by `|`. */
const list = (line: string): readonly string[] => line.split('|').map((text) => text.trim())

/** Keyed by: ISO 639-1 code. */
export const TRAINING_LANGUAGES: Readonly<Record<string, TrainingTexts>> = {
  de: {
    espeak: 'de',
    backchannels: list(
      'ja|ja, ja|genau|ach so|ach ja|verstehe|ich verstehe|gut|sehr gut|stimmt|okay|klar|na klar|alles klar|richtig|natürlich|prima|super|schön|in Ordnung|jawohl|jo|ja, genau|ja, gut|ah ja|aha|eben|so so|ja, stimmt|ach, okay|na gut|mhm, genau',
    ),
    words: list(
      'nein|nein, nein|halt|stopp|warte|warten Sie|Moment|Moment mal|aber|was?|wie bitte?|wer?|wann?|wo?|warum?|hallo?|Entschuldigung|falsch|Hilfe|nicht|doch nicht|eins|zwei|drei|sieben|Montag|Freitag|morgen|heute|Rechnung|Termin|Berater|ein Mensch|zurück|weiter|lauter|noch mal|eine Frage|ich will|ich habe|das ist|und|oder|wieviel?|zu teuer|Schluss|Ruhe|tschüss|mein Name|Hamburg',
    ),
    phrases: list(
      'Ja, aber das ist zu spät.|Genau, und wann kommt das an?|Können Sie das wiederholen?|Das habe ich nicht verstanden.|Gut, aber ich habe noch eine Frage.|Ich möchte mit jemandem sprechen.|Okay, nur nicht am Montag.|Das ist die falsche Nummer.',
    ),
  },
  fr: {
    espeak: 'fr-fr',
    backchannels: list(
      "oui|oui, oui|ouais|d'accord|bien|bien sûr|très bien|je vois|ah bon|ah oui|voilà|exactement|tout à fait|parfait|je comprends|compris|super|bon|ok|ok, d'accord|ah d'accord|oui, bien sûr|c'est vrai|entendu|oui, voilà|ah|hein|mhm, oui|ça marche|bah oui",
    ),
    words: list(
      "non|non, non|stop|attends|attendez|arrête|arrêtez|mais|pardon?|quoi?|comment?|pourquoi?|quand?|où?|qui?|allô?|excusez-moi|un moment|une seconde|aidez-moi|pas ça|un|deux|trois|sept|lundi|vendredi|demain|aujourd'hui|facture|rendez-vous|conseiller|quelqu'un|retour|plus fort|encore|une question|je veux|j'ai|c'est|et|ou|combien?|trop cher|assez|silence|au revoir|mon nom|Paris",
    ),
    phrases: list(
      "Oui, mais c'est trop tard.|D'accord, et quand ça arrive?|Pouvez-vous répéter?|Je n'ai pas compris.|Bien, mais j'ai encore une question.|Je veux parler à quelqu'un.|Ok, mais pas lundi.|Ce n'est pas le bon numéro.",
    ),
  },
  es: {
    espeak: 'es',
    backchannels: list(
      'sí|sí, sí|vale|vale, vale|claro|claro que sí|ya|ya veo|entiendo|de acuerdo|muy bien|bien|bueno|exacto|perfecto|ajá|okay|por supuesto|correcto|cierto|genial|sí, claro|ah, vale|ah, sí|eso es|ya, ya|está bien|comprendo|ah, bueno|sí, exacto',
    ),
    words: list(
      'no|no, no|para|pare|alto|espera|espere|pero|perdón?|perdone|oiga|oye|qué?|cómo?|cuándo?|dónde?|quién?|por qué?|hola?|un momento|un segundo|ayuda|eso no|uno|dos|tres|siete|lunes|viernes|mañana|hoy|factura|cita|operador|una persona|atrás|más alto|otra vez|una pregunta|quiero|tengo|es que|y|o|cuánto?|muy caro|basta|silencio|adiós|mi nombre|Madrid',
    ),
    phrases: list(
      'Sí, pero es muy tarde.|Vale, y cuándo llega?|Puede repetirlo?|No lo he entendido.|Bien, pero tengo otra pregunta.|Quiero hablar con una persona.|Claro, pero no el lunes.|Ese no es el número.',
    ),
  },
  it: {
    espeak: 'it',
    backchannels: list(
      "sì|sì, sì|certo|capisco|ho capito|va bene|esatto|giusto|bene|okay|perfetto|d'accordo|già|ecco|molto bene|certamente|vero|ah, sì|ah, okay|sì, certo|va bene, sì|chiaro|benissimo|sì, esatto|ah, ecco|appunto|infatti|eh, sì|bene, bene|sicuro",
    ),
    words: list(
      'no|no, no|ferma|fermo|basta|aspetta|aspetti|ma|scusi?|scusa|pronto?|cosa?|come?|quando?|dove?|chi?|perché?|un attimo|un momento|aiuto|non quello|uno|due|tre|sette|lunedì|venerdì|domani|oggi|fattura|appuntamento|operatore|una persona|indietro|più forte|ancora|una domanda|voglio|ho|è che|e|o|quanto?|troppo caro|zitto|silenzio|arrivederci|il mio nome|Roma|stop',
    ),
    phrases: list(
      'Sì, ma è troppo tardi.|Va bene, e quando arriva?|Può ripetere?|Non ho capito niente.|Bene, ma ho un’altra domanda.|Voglio parlare con una persona.|Certo, ma non venerdì.|Non è il numero giusto.',
    ),
  },
  nl: {
    espeak: 'nl',
    backchannels: list(
      'ja|ja, ja|jawel|oké|oké, oké|goed|heel goed|precies|klopt|juist|natuurlijk|prima|ik snap het|ik begrijp het|inderdaad|tuurlijk|mooi|o ja|ja hoor|ja, precies|ah, oké|dat klopt|snap ik|oké, goed|ja, natuurlijk|aha|zeker',
    ),
    words: list(
      'nee|nee, nee|stop|wacht|wacht even|ho|maar|sorry?|pardon?|wat?|waarom?|hoe?|wie?|wanneer?|waar?|hallo?|help|niet dat|een|twee|drie|zeven|maandag|vrijdag|morgen|vandaag|rekening|afspraak|een mens|terug|harder|nog eens|een vraag|ik wil|ik heb|dat is|en|of|hoeveel?|te duur|genoeg|stilte|dag|mijn naam|Utrecht|moment',
    ),
    phrases: list(
      'Ja, maar dat is te laat.|Oké, en wanneer komt het?|Kunt u dat herhalen?|Ik heb het niet begrepen.|Goed, maar ik heb nog een vraag.|Ik wil iemand spreken.|Precies, maar niet op maandag.|Dat is het verkeerde nummer.',
    ),
  },
  pt: {
    espeak: 'pt',
    backchannels: list(
      'sim|sim, sim|certo|claro|pois|pois é|entendo|entendi|percebo|está bem|tá|tá bom|tudo bem|exato|exatamente|isso|muito bem|perfeito|com certeza|é|bom|okay|pois, pois|ah, sim|ah, está bem|sim, claro|é verdade|isso mesmo',
    ),
    words: list(
      'não|não, não|para|pare|espera|espere|mas|desculpe?|desculpa|quê?|como?|quando?|onde?|quem?|porquê?|um momento|socorro|isso não|um|dois|três|sete|segunda|sexta|amanhã|hoje|fatura|consulta|uma pessoa|atrás|mais alto|outra vez|uma pergunta|quero|tenho|é que|e|ou|quanto?|muito caro|chega|silêncio|adeus|meu nome|Lisboa|alô?',
    ),
    phrases: list(
      'Sim, mas é muito tarde.|Certo, e quando chega?|Pode repetir?|Não entendi nada.|Bem, mas tenho outra pergunta.|Quero falar com uma pessoa.|Claro, mas não na segunda.|Esse não é o número.',
    ),
  },
  pl: {
    espeak: 'pl',
    backchannels: list(
      'tak|tak, tak|no|no tak|aha|jasne|dobrze|dobra|okej|rozumiem|oczywiście|właśnie|zgadza się|pewnie|w porządku|racja|no dobrze|ach tak|no właśnie|tak, oczywiście|dokładnie|świetnie|no jasne',
    ),
    words: list(
      'nie|nie, nie|stop|stój|czekaj|chwila|chwileczkę|ale|przepraszam?|co?|jak?|kiedy?|gdzie?|kto?|dlaczego?|halo?|pomocy|nie to|jeden|dwa|trzy|siedem|poniedziałek|piątek|jutro|dzisiaj|faktura|wizyta|człowiek|wstecz|głośniej|jeszcze raz|pytanie|chcę|mam|to jest|i|albo|ile?|za drogo|dość|cisza|do widzenia|Warszawa',
    ),
    phrases: list(
      'Tak, ale to za późno.|Dobrze, a kiedy przyjdzie?|Może pan powtórzyć?|Nic nie zrozumiałem.|Chcę rozmawiać z człowiekiem.|Jasne, ale nie w piątek.',
    ),
  },
  ru: {
    espeak: 'ru',
    backchannels: list(
      'да|да, да|ага|угу|хорошо|ладно|понятно|понял|поняла|ясно|конечно|точно|так|верно|окей|ну да|да, конечно|а, понятно|хорошо, хорошо|правильно|ну ладно|отлично|вот как',
    ),
    words: list(
      'нет|нет, нет|стоп|стой|подождите|подожди|но|извините|что?|как?|когда?|где?|кто?|почему?|алло?|помогите|не то|один|два|три|семь|понедельник|пятница|завтра|сегодня|счёт|запись|человек|назад|громче|ещё раз|вопрос|хочу|у меня|это|и|или|сколько?|дорого|хватит|тихо|до свидания|Москва|минуту',
    ),
    phrases: list(
      'Да, но это слишком поздно.|Хорошо, а когда придёт?|Повторите, пожалуйста.|Я ничего не понял.|Хочу поговорить с человеком.|Ладно, но не в пятницу.',
    ),
  },
  uk: {
    espeak: 'uk',
    backchannels: list(
      'так|так, так|ага|угу|добре|гаразд|зрозуміло|ясно|звичайно|точно|окей|авжеж|ну так|так, звичайно|а, зрозуміло|чудово|розумію|правильно',
    ),
    words: list(
      'ні|ні, ні|стоп|стій|зачекайте|зачекай|але|вибачте|що?|як?|коли?|де?|хто?|чому?|алло?|допоможіть|не те|один|два|три|сім|понеділок|завтра|сьогодні|рахунок|людина|назад|гучніше|ще раз|питання|хочу|у мене|це|і|або|скільки?|дорого|досить|тихо|Київ',
    ),
    phrases: list(
      'Так, але це запізно.|Добре, а коли прийде?|Повторіть, будь ласка.|Я нічого не зрозумів.|Хочу поговорити з людиною.',
    ),
  },
  cs: {
    espeak: 'cs',
    backchannels: list(
      'ano|ano, ano|jo|jo, jo|jasně|dobře|dobrá|aha|rozumím|chápu|přesně|samozřejmě|no jo|no|tak|okej|jo, jasně|no dobře|aha, dobře|určitě|správně|to je pravda|výborně|no jasně',
    ),
    words: list(
      'ne|ne, ne|stop|stůj|počkejte|počkej|ale|promiňte?|co?|jak?|kdy?|kde?|kdo?|proč?|pomoc|to ne|jedna|dva|tři|sedm|pondělí|pátek|zítra|dnes|faktura|termín|člověk|zpátky|hlasitěji|ještě jednou|otázka|chci|mám|to je|a|nebo|kolik?|moc drahé|dost|ticho|nashledanou|Praha|moment',
    ),
    phrases: list(
      'Ano, ale to je pozdě.|Dobře, a kdy to přijde?|Můžete to zopakovat?|Vůbec jsem nerozuměl.|Chci mluvit s člověkem.|Jasně, ale ne v pátek.',
    ),
  },
  sv: {
    espeak: 'sv',
    backchannels: list(
      'ja|ja, ja|jo|japp|okej|precis|visst|jag förstår|just det|bra|jaha|exakt|okej, bra|ja, visst|ja, precis|självklart|mycket bra|det stämmer|ah, okej',
    ),
    words: list(
      'nej|nej, nej|stopp|vänta|men|ursäkta?|förlåt?|vad?|hur?|när?|var?|vem?|varför?|hallå?|hjälp|inte det|ett|två|tre|sju|måndag|fredag|imorgon|idag|räkning|en människa|tillbaka|högre|igen|en fråga|jag vill|jag har|det är|och|eller|för dyrt|tyst|hej då',
    ),
    phrases: list(
      'Ja, men det är för sent.|Okej, och när kommer det?|Kan du upprepa det?|Jag förstod inte.|Bra, men jag har en fråga till.|Jag vill prata med någon.',
    ),
  },
  da: {
    espeak: 'da',
    backchannels: list(
      'ja|ja, ja|jo|okay|præcis|netop|godt|fint|jeg forstår|nå|nå ja|klart|ja, præcis|okay, godt|det er rigtigt|selvfølgelig|meget fint|ah, okay',
    ),
    words: list(
      'nej|nej, nej|stop|vent|men|undskyld?|hvad?|hvordan?|hvornår?|hvor?|hvem?|hvorfor?|hallo?|hjælp|ikke det|en|to|tre|syv|mandag|fredag|i morgen|i dag|regning|et menneske|tilbage|højere|igen|et spørgsmål|jeg vil|jeg har|det er|og|eller|for dyrt|stille|farvel',
    ),
    phrases: list(
      'Ja, men det er for sent.|Okay, og hvornår kommer det?|Kan du gentage det?|Det forstod jeg ikke.|Godt, men jeg har et spørgsmål mere.|Jeg vil tale med nogen.',
    ),
  },
}

/** How many of each a voice says in each of the languages. */
export interface TrainingShare {
  readonly backchannels: number
  readonly words: number
  readonly phrases: number
}

export interface TrainingText {
  readonly use: 'backchannel' | 'speech'
  readonly language: string
  readonly espeak: string
  readonly text: string
}

/** What the voice of this number says: each begins elsewhere in the lists, so that all of them are heard from somebody. */
export function trainingTextsOf(voiceNumber: number, share: TrainingShare): TrainingText[] {
  return Object.entries(TRAINING_LANGUAGES).flatMap(([language, { espeak, backchannels, words, phrases }]) => {
    const some = (texts: readonly string[], count: number, use: TrainingText['use']) =>
      Array.from({ length: Math.min(count, texts.length) }, (_, index) => ({
        use,
        language,
        espeak,
        text: texts[(voiceNumber * count + index) % texts.length] ?? '',
      }))
    return [
      ...some(backchannels, share.backchannels, 'backchannel'),
      ...some(words, share.words, 'speech'),
      ...some(phrases, share.phrases, 'speech'),
    ]
  })
}
