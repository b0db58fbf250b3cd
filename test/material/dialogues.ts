// Fish Fillets' dialogues in Czech and Dutch: two fish, played by actors, who talk, wonder, agree and cut in. The nearest
// to conversation among packaged recordings: 3,000 lines, from "aha" to eight seconds with pauses in them. GPL-2+.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { namesIn } from '../bed/host.ts'
import type { DebianSource } from './packages.ts'
import { saidTwice } from './splices.ts'
import { fromFile, type Take, type TakeUse, wordsOf } from './take.ts'
import type { VoiceId } from './voices.ts'

const FOLDER = '/usr/share/games/fillets-ng/sound'
export const DIALOGUES = {
  cs: { package: 'fillets-ng-data-cs', folder: FOLDER },
  nl: { package: 'fillets-ng-data-nl', folder: FOLDER },
} as const satisfies Readonly<Record<string, DebianSource>>
type Language = keyof typeof DIALOGUES

/** Lines whose words matter here, `scene/file: what is said`. The small fish is a woman's voice, the big one a man's. */
const KNOWN: readonly (readonly [Language, VoiceId, TakeUse, Readonly<Record<string, string>>])[] = [
  [
    'cs',
    'fish-cs-small',
    'backchannel',
    {
      'keys/rand-7-1': 'ok',
      'keys/rand-3-4-0': 'souhlas',
      'keys/rand-6-1': 'dobrý nápad',
      'aztec/bot-m-vypada': 'vypadá na to',
    },
  ],
  [
    'cs',
    'fish-cs-big',
    'backchannel',
    {
      'keys/init-0-7': 'aha',
      'keys/rand-4-6': 'jo tak',
      'start/1st-v-takdobre': 'tak dobře',
      'society/mik-v-tak': 'tak',
      'imprisoned/ncp-v-tak': 'tak',
      'briefcase/kuf-v-napad': 'dobrý nápad',
      'cellar/pra-v-dobrynapad': 'dobrý nápad',
      'society/mik-v-proto': 'no proto',
      'cave/jes-v-tojo': 'hmm to jo',
    },
  ],
  [
    'cs',
    'fish-cs-others',
    'backchannel',
    {
      'linux/2-prave': 'no právě',
      'viking2/dr-3-samozrejme': 'samozřejmě',
      'gods/b1-dobre': 'dobře',
      'gods/b2-dobre': 'dobře',
    },
  ],
  [
    'nl',
    'fish-nl-small',
    'backchannel',
    {
      'keys/rand-7-1': 'ok',
      'key/up-0-1': 'natuurlijk',
      'keys/rand-3-4-0': 'dat is waar',
      'keys/rand-6-1': 'goed idee',
      'briefcase/kuf-m-pravda': 'dat is waar',
    },
  ],
  [
    'nl',
    'fish-nl-big',
    'backchannel',
    {
      'keys/init-0-7': 'aha',
      'keys/rand-4-6': 'aha',
      'electromagnet/rand-4-2': 'aha',
      'society/mik-v-tak': 'ja',
      'start/1st-v-takdobre': 'goed',
      'cave/jes-v-tojo': 'o ja',
      'imprisoned/ncp-v-tak': 'zo',
      'briefcase/kuf-v-napad': 'goed idee',
    },
  ],
  [
    'cs',
    'fish-cs-small',
    'speech',
    {
      'chest/tru-m-co': 'co',
      'hanoi/m-co': 'co',
      'cabin1/k1-m-codelas': 'co to děláš',
      'cabin1/k1-m-fuj': 'fuj',
      'dump/sm-m-proc': 'proč',
      'hardware/pz-m-vylez': 'vylez',
      'wc/wc-m-coze': 'cože',
      'start/1st-m-cotobylo': 'co to bylo',
      'start/1st-m-hej': 'hej hráči',
      'corridor/ch-m-tady0': 'tady',
      'turtle/zel-m-coto0': 'co to děláš',
      'windoze/win-m-ven': 'no jo ale hráč má za úkol dostat ven nás',
      'submarine/zr-m-pockej': 'počkej a co já já chci taky ven',
      'start/1st-m-pockej': 'počkej na mě jdu s tebou',
    },
  ],
  [
    'cs',
    'fish-cs-big',
    'speech',
    {
      'corridor/ch-v-halo1': 'haló',
      'cabin1/k1-v-proc': 'proč',
      'city/vit-v-noa': 'no a',
      'society/mik-v-ticho1': 'ticho',
      'imprisoned/ncp-v-ceho': 'čeho',
      'wc/wc-v-coze': 'cože',
      'puzzle/puc-v-nesmysl': 'nesmysl',
      'keys/rand-4-2': 'proč ne',
      'duckie/odp-v-coja': 'a co já',
      'corridor/ch-v-pockej0': 'počkej zkusím dotápat k vypínači',
      'city/vit-v-pockej': 'počkej ještě to nemám domyšlené',
      'bathroom/br-v-nerozvadet2': 'ano vím o tom nebudeme to komentovat',
      'submarine/zr-v-halo': 'haló slyšíš mě tam uvnitř',
    },
  ],
  [
    'cs',
    'fish-cs-others',
    'speech',
    {
      'bathyscaph/bat-p-0': 'haló',
      'bathyscaph/bat-p-1': 'je tam někdo',
      'bathyscaph/bat-p-5': 'haló haló',
      'elevator2/zd2-x-krik1': 'pomóc',
      'elevator2/zd2-x-pokoj': 'dej pokoj',
      'viking2/dr-8-ztichni1': 'ztichni',
      'viking1/d1-3-brb0': 'co se děje',
      'linux/1-balickovaci': 'no jo ale ten má mizerný balíčkovací systém',
      'gods/b1-nepodvadim': 'nepodvádím',
      'gods/b2-zasah1': 'zásah',
      'magnet/pap-m-nechme': 'nechme toho',
    },
  ],
  [
    'nl',
    'fish-nl-small',
    'speech',
    {
      'chest/tru-m-co': 'wat',
      'wc/wc-m-coze': 'wat',
      'dump/sm-m-proc': 'hoezo',
      'hardware/pz-m-vylez': 'kom eruit',
      'start/1st-m-hej': 'hee speler',
      'corridor/ch-m-tady0': 'hier',
      'pavement/dir-m-rada2': 'rot op',
      'electromagnet/shoot-0-0': 'pas op',
      'propulsion/poh-m-tosnadne': 'o nee',
      'bathroom/br-m-dva': 'ja maar waarom twee',
      'windoze/win-m-ven': 'ja maar de speler moet ons eruit redden',
      'electromagnet/rand-6-4': 'ja maar waar is het voor',
      'submarine/zr-m-pockej': 'wacht en ik dan ik wil hier ook weg',
      'keys/rand-4-5': 'nee dat slot was veel groter',
      'grail/gr-m-jensvaty': 'nee alleen de heilige is goed genoeg',
      'start/1st-m-nechtoho': 'oh hou op dat vertellen we in het volgende veld wel',
      'propulsion/poh-m-dobre': 'goed die nemen we mee',
    },
  ],
  [
    'nl',
    'fish-nl-big',
    'speech',
    {
      'cabin1/k1-v-proc': 'hoezo',
      'corridor/ch-v-halo1': 'hallo',
      'society/mik-v-ticho1': 'stilte',
      'imprisoned/ncp-v-ceho': 'wat',
      'cellar/pra-v-prekvapit': 'wacht maar',
      'electromagnet/rand-2-1': 'waar',
      'experiments/bank-v-jeste': 'meer',
      'bathroom/br-v-nerozvadet0': 'hou je mond',
      'corridor/ch-v-halo2': 'zeg iets',
      'corridor/ch-v-pockej0': 'wacht ik probeer de schakelaar te vinden',
      'fdto/semafor-v': 'wacht zie je dat rode stoplicht niet',
      'chest/tru-v-nejspis': 'hmm nou ja waarschijnlijk is dit niet wat we zoeken',
      'barrel/bar-v-traverza': 'ja het heeft het bijna vermoord met dat stalen ding daar',
      'key/down-0-0': 'nee de deur is weer dicht',
    },
  ],
]

/** Lines of an unknown text that are used for their length alone, of each of the four voices. */
const SPEECH_PER_VOICE = 26
const SENTENCES_PER_VOICE = 34
/** Of these recordings, about: 6 to 7 kB a second. */
const BYTES_PER_SECOND = 6500
const SPEECH_SECONDS = { min: 1.2, max: 3.8 }
const SENTENCE_SECONDS = { min: 3, max: 8 }
/** Names that the list above has, that hold no speech of one voice, or that may be assent. */
const NOT_PLAIN = /hmm|ano|dobre|tak|napad|-au|fuj|jo\d?$|pravda|jiste|diky/

/** Short words that people do say twice. */
const SAID_TWICE = /^(ok|aha|tak|dobře|ja|goed|o ja|jo tak)$/

/** @param folders where each language's source lies */
export function dialogues(folders: Readonly<Record<Language, string>>): Take[] {
  const known = KNOWN.flatMap(([language, voice, use, lines]) =>
    Object.entries(lines).map(([line, text]) => takeOf(folders[language], language, line, voice, use, wordsOf(text))),
  )
  const taken = new Set(known.map((take) => take.name))
  const plain = (['cs', 'nl'] as const).flatMap((language) =>
    (['m', 'v'] as const).flatMap((fish) => {
      const voice: VoiceId = `fish-${language}-${fish === 'm' ? 'small' : 'big'}`
      const lines = plainLines(folders[language], language, fish)
      const within = ({ min, max }: { min: number; max: number }) =>
        lines.filter(({ seconds }) => seconds >= min && seconds <= max).map(({ line }) => line)
      const speech = spread(within(SPEECH_SECONDS), SPEECH_PER_VOICE)
      const sentences = spread(
        within(SENTENCE_SECONDS).filter((line) => !speech.includes(line)),
        SENTENCES_PER_VOICE,
      )
      return [
        ...speech.map((line) => takeOf(folders[language], language, line, voice, 'speech', null)),
        ...sentences.map((line) => takeOf(folders[language], language, line, voice, 'sentence', null)),
      ]
    }),
  )
  const twice = known.filter(({ use, text }) => use === 'backchannel' && SAID_TWICE.test(text ?? '')).map(saidTwice)
  return [...known, ...twice, ...plain.filter((take) => !taken.has(take.name))]
}

function takeOf(
  folder: string,
  language: Language,
  line: string,
  voice: VoiceId,
  use: TakeUse,
  text: string | null,
): Take {
  const [scene = '', file = ''] = line.split('/')
  const name = `${voice}-${scene}-${file}`
  return { name, use, voice, how: 'recorded', text, load: fromFile(name, join(folder, scene, language, `${file}.ogg`)) }
}

/** Lines of one fish by their names: `m` small, `v` big. */
function plainLines(folder: string, language: Language, fish: 'm' | 'v'): { line: string; seconds: number }[] {
  return namesIn(folder).flatMap((scene) =>
    namesIn(join(folder, scene, language))
      .filter((file) => file.includes(`-${fish}-`) && file.endsWith('.ogg') && !NOT_PLAIN.test(file))
      .map((file) => ({
        line: `${scene}/${file.replace('.ogg', '')}`,
        seconds: statSync(join(folder, scene, language, file)).size / BYTES_PER_SECOND,
      })),
  )
}

/** `count` values, evenly from the whole list. */
export function spread<T>(values: readonly T[], count: number): T[] {
  if (values.length <= count) return [...values]
  return Array.from({ length: count }, (_, i) => values[Math.floor((i * values.length) / count)] as T)
}
