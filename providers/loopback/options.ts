import type * as v from 'valibot'
import { flag, milliseconds, section } from '#config/fields.ts'
import type { VendorFacts } from '#config/pipeline-schema.ts'

/** The operator's echo test. */
export const loopbackOptions = section(
  {
    enabled: flag(true, 'default_provider may name it; only the one it names is loaded.'),
    delay_ms: milliseconds(500, { min: 0, max: 10_000 }, "The caller's own audio comes back after so long."),
  },
  'Plays back what it hears: an echo test.',
  { saysTexts: false } satisfies VendorFacts,
)
export type LoopbackOptions = v.InferOutput<typeof loopbackOptions>
