import type * as v from 'valibot'
import { decimalNumber, flag, requiredText, section } from '#config/fields.ts'

/**
 * The cascade of local models. The shape of its language-model section comes from the vendor that speaks to it, and
 * `providers/index.ts` hands it in: vendors don't import each other.
 */
export function localOptions<const Llm extends v.GenericSchema>(llm: Llm) {
  return section(
    {
      enabled: flag(true, 'default_provider may name it; only the one it names is loaded.'),
      stt: section(
        { model: requiredText('moonshine-tiny-en', 'The recognition model: a name in models/registry.json.') },
        'Speech to text.',
      ),
      llm,
      tts: section(
        {
          voice: requiredText('piper-en-us-joe-medium', 'The voice: a name in models/registry.json.'),
          speed: decimalNumber(1, { min: 0.5, max: 2 }, 'How fast the voice speaks: 1 is its own pace.'),
        },
        'Text to speech.',
      ),
    },
    'Speech detection, recognition, language model and voice on this machine.',
  )
}
