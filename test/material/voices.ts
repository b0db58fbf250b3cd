// Who speaks, and on which side. No voice stands in both splits, and where two sets may be of one person (the same actor
// under two names, two languages of one speaker), both stand on one side. Human and synthetic voices are in both.

/** `train`: voices that only models are trained on, beside those of `tune`; they say other things than the others. */
export type Split = 'tune' | 'report' | 'train'

export interface Voice {
  readonly human: boolean
  /** ISO 639-1; `und` for sounds that belong to no language. */
  readonly language: string
  readonly split: Split
}

const human = (language: string, split: Split): Voice => ({ human: true, language, split })
const synthetic = (language: string, split: Split): Voice => ({ human: false, language, split })

export const VOICES = {
  // Telephone prompts. One woman speaks the English and the Spanish set of the first row.
  allison: human('en', 'tune'),
  'allison-es': human('es', 'tune'),
  june: human('fr', 'report'),
  carlo: human('it', 'tune'),
  ivrvoice: human('ru', 'tune'),
  'prompts-de': human('de', 'report'),
  avatar: human('es', 'report'),
  armelle: human('fr', 'tune'),
  menardi: human('it', 'report'),
  // Read speech and commands, and two people on a telephone.
  'reader-austen': human('en', 'report'),
  'reader-cards': human('en', 'report'),
  diane: human('en', 'report'),
  sheila: human('en', 'report'),
  // Two acted couples: long dialogues, played and not read. Minor parts may be by any of the men of the house.
  'fish-cs-small': human('cs', 'tune'),
  'fish-cs-big': human('cs', 'report'),
  'fish-cs-others': human('cs', 'report'),
  'fish-nl-small': human('nl', 'report'),
  'fish-nl-big': human('nl', 'tune'),
  // Short shouts of a game. Sets that share files share a side.
  'hog-default': human('en', 'tune'),
  'hog-classic': human('en', 'tune'),
  'hog-mobster': human('en', 'tune'),
  'hog-robot': human('en', 'tune'),
  'hog-polish': human('pl', 'tune'),
  'hog-russian-polish': human('pl', 'tune'),
  'hog-ukrainian': human('uk', 'tune'),
  'hog-british': human('en', 'report'),
  'hog-pirate': human('en', 'report'),
  'hog-hillbilly': human('en', 'report'),
  'hog-singer': human('en', 'report'),
  'hog-surfer': human('en', 'report'),
  'hog-russian-accent': human('en', 'report'),
  'hog-spanish': human('es', 'report'),
  'hog-russian': human('ru', 'report'),
  // Names of things, said for children.
  'things-ca': human('ca', 'tune'),
  'things-de': human('de', 'tune'),
  'things-gl': human('gl', 'tune'),
  'things-sl': human('sl', 'tune'),
  'things-uk': human('uk', 'tune'),
  'things-da': human('da', 'report'),
  'things-el': human('el', 'report'),
  'things-en': human('en', 'report'),
  'things-lt': human('lt', 'report'),
  'things-wa': human('wa', 'report'),
  // Neural.
  'kokoro-af_heart': synthetic('en', 'tune'),
  'kokoro-af_sky': synthetic('en', 'tune'),
  'kokoro-am_michael': synthetic('en', 'tune'),
  'kokoro-am_santa': synthetic('en', 'tune'),
  'kokoro-bf_emma': synthetic('en', 'tune'),
  'kokoro-bm_fable': synthetic('en', 'tune'),
  'kokoro-em_alex': synthetic('es', 'tune'),
  'kokoro-if_sara': synthetic('it', 'tune'),
  'kokoro-af_bella': synthetic('en', 'report'),
  'kokoro-af_nicole': synthetic('en', 'report'),
  'kokoro-am_puck': synthetic('en', 'report'),
  'kokoro-am_onyx': synthetic('en', 'report'),
  'kokoro-bf_isabella': synthetic('en', 'report'),
  'kokoro-bm_george': synthetic('en', 'report'),
  'kokoro-ef_dora': synthetic('es', 'report'),
  'kokoro-ff_siwis': synthetic('fr', 'report'),
  'kokoro-im_nicola': synthetic('it', 'report'),
  // The same, of any accent: all of them speak English.
  'kokoro-af_alloy': synthetic('en', 'train'),
  'kokoro-af_aoede': synthetic('en', 'train'),
  'kokoro-af_jessica': synthetic('en', 'train'),
  'kokoro-af_kore': synthetic('en', 'train'),
  'kokoro-af_nova': synthetic('en', 'train'),
  'kokoro-af_river': synthetic('en', 'train'),
  'kokoro-af_sarah': synthetic('en', 'train'),
  'kokoro-am_adam': synthetic('en', 'train'),
  'kokoro-am_echo': synthetic('en', 'train'),
  'kokoro-am_eric': synthetic('en', 'train'),
  'kokoro-am_fenrir': synthetic('en', 'train'),
  'kokoro-am_liam': synthetic('en', 'train'),
  'kokoro-bf_alice': synthetic('en', 'train'),
  'kokoro-bf_lily': synthetic('en', 'train'),
  'kokoro-bm_daniel': synthetic('en', 'train'),
  'kokoro-bm_lewis': synthetic('en', 'train'),
  'kokoro-em_santa': synthetic('en', 'train'),
  'kokoro-hf_alpha': synthetic('en', 'train'),
  'kokoro-hm_omega': synthetic('en', 'train'),
  'kokoro-pf_dora': synthetic('en', 'train'),
  'kokoro-pm_alex': synthetic('en', 'train'),
  'kokoro-zf_xiaoxiao': synthetic('en', 'train'),
  'kokoro-zm_yunxi': synthetic('en', 'train'),
  'kokoro-jf_alpha': synthetic('en', 'train'),
  'kokoro-jm_kumo': synthetic('en', 'train'),
  'kokoro-zf_xiaoyi': synthetic('en', 'train'),
  // Concatenated and formant synthesis.
  'flite-kal16': synthetic('en', 'tune'),
  'flite-rms': synthetic('en', 'tune'),
  'flite-awb': synthetic('en', 'report'),
  'flite-slt': synthetic('en', 'report'),
  'espeak-en-m3': synthetic('en', 'tune'),
  'espeak-en-f2': synthetic('en', 'tune'),
  'espeak-en-croak': synthetic('en', 'tune'),
  'espeak-de-m1': synthetic('de', 'tune'),
  'espeak-fr-m2': synthetic('fr', 'tune'),
  'espeak-es-f1': synthetic('es', 'tune'),
  'espeak-it-f4': synthetic('it', 'tune'),
  'espeak-gb-m7': synthetic('en', 'report'),
  'espeak-scotland-f3': synthetic('en', 'report'),
  'espeak-en-klatt2': synthetic('en', 'report'),
  'espeak-de-f5': synthetic('de', 'report'),
  'espeak-fr-f5': synthetic('fr', 'report'),
  'espeak-es-m4': synthetic('es', 'report'),
  'espeak-it-m5': synthetic('it', 'report'),
  'espeak-us-andrea': synthetic('en', 'train'),
  'espeak-us-andy': synthetic('en', 'train'),
  'espeak-us-annie': synthetic('en', 'train'),
  'espeak-gb-antonio': synthetic('en', 'train'),
  'espeak-us-aunty': synthetic('en', 'train'),
  'espeak-gb-belinda': synthetic('en', 'train'),
  'espeak-us-benjamin': synthetic('en', 'train'),
  'espeak-us-boris': synthetic('en', 'train'),
  'espeak-gb-caleb': synthetic('en', 'train'),
  'espeak-us-david': synthetic('en', 'train'),
  'espeak-us-linda': synthetic('en', 'train'),
  'espeak-gb-max': synthetic('en', 'train'),
  'espeak-us-mike': synthetic('en', 'train'),
  'espeak-us-pablo': synthetic('en', 'train'),
  'espeak-scotland-rob': synthetic('en', 'train'),
  'espeak-us-steph': synthetic('en', 'train'),
  'espeak-us-grandpa': synthetic('en', 'train'),
  'espeak-gb-travis': synthetic('en', 'train'),
  // Hums by pitch in Hz, and throats that cough: made by hums.ts and coughs.ts.
  'hum-95': synthetic('und', 'tune'),
  'hum-118': synthetic('und', 'tune'),
  'hum-140': synthetic('und', 'tune'),
  'hum-175': synthetic('und', 'tune'),
  'hum-205': synthetic('und', 'tune'),
  'hum-240': synthetic('und', 'tune'),
  'hum-88': synthetic('und', 'report'),
  'hum-110': synthetic('und', 'report'),
  'hum-128': synthetic('und', 'report'),
  'hum-160': synthetic('und', 'report'),
  'hum-190': synthetic('und', 'report'),
  'hum-222': synthetic('und', 'report'),
  'throats-tune': synthetic('und', 'tune'),
  'throats-report': synthetic('und', 'report'),
} as const satisfies Readonly<Record<string, Voice>>

export type VoiceId = keyof typeof VOICES

export function voiceOf(id: VoiceId): Voice {
  return VOICES[id]
}

export function voicesOf(split: Split): VoiceId[] {
  return (Object.keys(VOICES) as VoiceId[]).filter((id) => VOICES[id].split === split)
}
