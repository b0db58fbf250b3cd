import * as v from 'valibot'
import { decimalNumber, flag, requiredText, section } from '#config/fields.ts'

/**
 * The cascade of local models. The shape of its language-model section comes from the vendor that speaks to it, and
 * `providers/index.ts` hands it in: vendors don't import each other.
 */
const stt = { model: requiredText('moonshine-tiny-en', 'The recognition model: a name in models/registry.json.') }
const tts = {
  voice: requiredText('piper-en-us-joe-medium', 'The voice: a name in models/registry.json.'),
  speed: decimalNumber(1, { min: 0.5, max: 2 }, 'How fast the voice speaks: 1 is its own pace.'),
}
const provider = v.picklist(['local'])

/** A part that a pipeline defines. The language model is that of `providers.local.llm`. */
export const localInline = {
  stt: section({ provider, ...stt }, 'Recognition on this machine.').wrapped,
  llm: section({ provider }, 'The language model of providers.local.').wrapped,
  tts: section({ provider, ...tts }, 'A voice on this machine.').wrapped,
}

export type LocalSttPart = v.InferOutput<typeof localInline.stt>
export type LocalTtsPart = v.InferOutput<typeof localInline.tts>

export function localOptions<const Llm extends v.GenericSchema>(llm: Llm) {
  return section(
    {
      enabled: flag(true, 'default_provider and pipelines may name it; only what answers calls is loaded.'),
      stt: section(stt, 'Speech to text.'),
      llm,
      tts: section(tts, 'Text to speech.'),
    },
    'Speech detection, recognition, language model and voice on this machine.',
    { parts: localInline },
  )
}
