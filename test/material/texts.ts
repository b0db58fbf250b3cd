// What the synthesisers are given to say, by language. Punctuation is melody, and three dots or a comma in a turn is
// where a speaker takes time to think.

import type { Split } from './voices.ts'

export const BACKCHANNELS: Readonly<Record<string, readonly string[]>> = {
  en: [
    'yeah',
    'okay',
    'right',
    'sure',
    'I see',
    'got it',
    'yeah, yeah',
    'okay, okay',
    'yeah, okay',
    'yep',
    'oh, okay',
    'all right',
    'of course',
    'exactly',
    'I understand',
    'oh, I see',
    'yes',
    'all right, good',
    'okay, great',
    'makes sense',
    'uh-huh',
    'yes, yes',
    'fine',
    'oh, right',
  ],
  de: ['ja', 'genau', 'ach so', 'ja, ja', 'verstehe', 'gut', 'stimmt', 'okay', 'alles klar', 'mhm, ja'],
  fr: ['oui', "d'accord", 'oui, oui', 'bien sûr', 'je vois', 'ah bon', 'ok', 'très bien'],
  es: ['sí', 'vale', 'claro', 'sí, sí', 'ya veo', 'entiendo', 'de acuerdo', 'muy bien'],
  it: ['sì', 'certo', 'capisco', 'va bene', 'esatto', 'sì, sì', 'ho capito', 'giusto'],
}

/**
 * Murmurs, spelled for the neural voices in phonemes. Only those with a vowel: of "mm" and "mm-hm" they make "mam" and
 * "a man", as a recogniser hears it.
 */
export const MURMUR_PHONEMES: readonly (readonly [text: string, phonemes: string])[] = [
  ['uh-huh', 'ʌhˈʌ.'],
  ['aha', 'ɑhˈɑ.'],
  ['ah', 'ˈɑː.'],
  ['oh', 'ˈO.'],
  ['uh-huh yeah', 'ʌhˈʌ, jˈɛə.'],
  ['aha okay', 'ɑhˈɑ, OkˈA.'],
]

export const INTERRUPTION_WORDS: Readonly<Record<string, readonly string[]>> = {
  en: [
    'stop!',
    'no!',
    'wait!',
    'hold on!',
    'excuse me!',
    'hello?',
    'sorry?',
    'hang on!',
    'cancel!',
    'operator!',
    'what?',
    'but',
    'actually',
    'please',
    'no, no',
    'listen',
    'help',
    'why?',
    'agent',
    'one question',
  ],
  de: ['nein!', 'halt!', 'warte!', 'Moment!', 'hallo?', 'aber', 'was?', 'stopp!', 'Entschuldigung'],
  fr: ['non!', 'attends!', 'attendez!', 'mais', 'pardon?', 'stop!', 'arrêtez!', 'quoi?'],
  es: ['no!', 'para!', 'espera!', 'pero', 'perdón?', 'oiga!', 'qué?', 'un momento'],
  it: ['no!', 'aspetta!', 'ferma!', 'scusi!', 'ma', 'pronto?', 'cosa?', 'un attimo'],
}

/** Some begin as a backchannel does. */
export const INTERRUPTION_PHRASES: Readonly<Record<string, readonly string[]>> = {
  en: [
    'I want to change my order.',
    'Can I speak to a human, please?',
    "No, that's not what I meant.",
    'Yes, but what does it cost?',
    'Okay, but wait a second.',
    'Yeah, no, I need the other one.',
    'Right, but that is not my address.',
    'Sorry, can you repeat that?',
    'Stop, I already told you that.',
    "I don't want that one.",
    'Uh-huh, but how long does it take?',
    'Sure, but not on Monday.',
  ],
  de: [
    'Ich möchte meine Bestellung ändern.',
    'Ja, aber was kostet das?',
    'Moment, das stimmt nicht.',
    'Okay, und wie lange dauert das?',
    'Nein, das meine ich nicht.',
  ],
  fr: ['Je voudrais changer ma commande.', 'Oui, mais combien ça coûte?', "D'accord, mais attendez une seconde."],
  es: ['Quiero cambiar mi pedido.', 'Sí, pero cuánto cuesta?', 'Vale, pero espera un segundo.'],
  it: ['Vorrei cambiare il mio ordine.', 'Sì, ma quanto costa?', 'Certo, ma non di lunedì.'],
}

/** Turns with a place to think in. */
export const SENTENCES: Readonly<Record<string, readonly string[]>> = {
  en: [
    "I'd like to book a table for, four people, on Friday evening.",
    'So, I was calling about the invoice, that you sent me last week.',
    'My name is John Smith, and my number is, five five five, one two three four.',
    'Um, I would like to cancel, the appointment on Tuesday.',
    'Well, it depends, on how much it costs.',
    'The address is twenty two, Baker Street, in London.',
    'I think it was, on the third of March, or maybe the fourth.',
    'Could you tell me, whether the shop is open on Sunday?',
    'When I press the button, nothing happens, and the light stays red.',
    "I don't know, let me think, maybe after six.",
  ],
  de: [
    'Ich wollte fragen, ob Sie am Samstag, auch geöffnet haben.',
    'Also, ich hätte gern, einen Termin am Montag.',
    'Meine Nummer ist, null eins sieben, drei vier fünf.',
  ],
  fr: [
    'Je voudrais savoir, si vous êtes ouverts, le dimanche.',
    "Alors, j'appelle pour, la facture de la semaine dernière.",
  ],
  es: ['Quisiera reservar, una mesa para cuatro, el viernes.', 'Bueno, llamo por, la factura de la semana pasada.'],
  it: [
    'Vorrei prenotare, un tavolo per quattro, venerdì sera.',
    'Allora, chiamo per, la fattura della settimana scorsa.',
  ],
}

/** Whole answers: nothing follows, and the engine may reply at once. */
export const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  en: ['Yes.', 'No.', 'Four.', 'John Smith.', 'On Friday.', 'Yes, please.', 'No, thank you.', 'At six.', "That's all."],
  de: ['Ja, bitte.', 'Nein danke.', 'Am Freitag.', 'Vier.'],
  fr: ['Non merci.', 'Oui, merci.', 'Quatre.'],
  es: ['Sí, por favor.', 'No, gracias.', 'Cuatro.'],
  it: ['Sì, grazie.', 'No, grazie.', 'Quattro.'],
}

/**
 * Turns with one place, at the dots, where the speaker searches for what comes next: behind a filler, or a word that
 * wants another. Each split has texts of its own, as it has voices of its own.
 */
export const HESITATIONS: Readonly<Record<Exclude<Split, 'train'>, Readonly<Record<string, readonly string[]>>>> = {
  tune: {
    en: [
      'I would like to, um… change my order please.',
      'My order number is… four seven one two nine.',
      'Could you connect me with… the billing department?',
      'I am calling because… my internet has stopped working.',
      'It is, uh… the blue one with the long handle.',
      'We need a room for… two adults and a child.',
      'I think it is the… third door on the left.',
      'Do you have anything on, uh… Thursday afternoon?',
      'My number is oh one seven… three four five six.',
      'I wanted to ask if… I can pay by card.',
    ],
    de: [
      'Ich hätte gern einen Termin, äh… am Donnerstag.',
      'Meine Kundennummer ist… vier sieben eins zwei.',
      'Ich rufe an, weil… meine Heizung nicht geht.',
      'Können Sie mich mit der… Buchhaltung verbinden?',
    ],
    fr: [
      'Je voudrais, euh… changer ma réservation.',
      'Mon numéro de client est… quatre sept un deux.',
      "J'appelle parce que… je n'ai pas reçu mon colis.",
    ],
    es: [
      'Quería, eh… cambiar la fecha de mi cita.',
      'Mi número de cliente es… cuatro siete uno dos.',
      'Llamo porque… no me ha llegado el paquete.',
    ],
    it: [
      'Vorrei, ehm… cambiare la data del mio appuntamento.',
      'Il mio numero cliente è… quattro sette uno due.',
      'Chiamo perché… non ho ricevuto il pacco.',
    ],
  },
  report: {
    en: [
      'Can you tell me when the… technician will be here?',
      'I paid it on, um… the twelfth of May.',
      'My email is john dot smith at… example dot com.',
      'No, I mean the… other account.',
      'It was delivered to my, uh… neighbour across the street.',
      'I have been waiting for… about three weeks now.',
      'The postcode is eight one… six two four.',
      'So, um… I have a question about my last bill.',
      'Does that include the… insurance as well?',
      'She told me that… somebody would call me back.',
    ],
    de: [
      'Es geht um, ähm… die Rechnung vom letzten Monat.',
      'Die Adresse ist… Gartenstraße zwölf in Köln.',
      'Ich wollte wissen, ob… das Paket schon da ist.',
      'Haben Sie noch etwas für… vier Personen frei?',
    ],
    fr: [
      "C'est pour, euh… une table de quatre personnes.",
      "L'adresse est… douze rue de la gare.",
      'Je voulais savoir si… vous livrez le samedi.',
    ],
    es: [
      'Es por, eh… la factura del mes pasado.',
      'La dirección es… calle mayor número doce.',
      'Quería saber si… abren los domingos.',
    ],
    it: [
      'È per, ehm… la bolletta del mese scorso.',
      "L'indirizzo è… via Garibaldi numero dodici.",
      'Volevo sapere se… siete aperti la domenica.',
    ],
  },
}

/** A voice draws breath at a comma: at a hesitation it stays up as it does there. */
export function spokenHesitation(text: string): string {
  return text.replace('…', ',')
}

/** Where in the text the speaker hesitates, as a share of its length. */
export function hesitationShare(text: string): number {
  return text.indexOf('…') / text.length
}
