import * as v from 'valibot'
import { toolNames } from '#tools/tools.ts'
import { milliseconds, named, section, shapedText, textList } from './fields.ts'

/**
 * Pipelines: cascades under names that the user chooses. Each role is a provider's name, a list of which the next takes over
 * where one fails, or a group of keys that defines a part in place. Which roles a vendor has, and what such a group may hold,
 * comes with the vendor's own section.
 */
export const partRoles = ['stt', 'llm', 'tts'] as const
export type PartRole = (typeof partRoles)[number]

/** A part that is defined in place. */
export interface InlinePart {
  readonly provider: string
  readonly [key: string]: unknown
}
export type RoleEntry = string | InlinePart
export type RoleChoice = RoleEntry | readonly RoleEntry[]

type InlineSchema = v.GenericSchema<unknown, InlinePart>

/** What a vendor's section says of the vendor, beside its keys. */
export interface VendorFacts {
  /** Whether it can answer a call by itself; it can, where nothing is said. */
  readonly isAgent?: boolean
  /** Whether it says what it is told to say; it does, where nothing is said. */
  readonly saysTexts?: boolean
  /** Its voice can be another in each call: where it answers by itself, or as a part of a pipeline. */
  readonly voicePerCall?: 'agent' | 'part'
  /** The roles it has in a pipeline: the keys of a part that is defined in place. */
  readonly parts?: Readonly<Partial<Record<PartRole, v.GenericSchema<unknown, { readonly provider: string }>>>>
}

export function vendorFacts(schema: v.GenericSchema): VendorFacts {
  const inner = (schema as unknown as { readonly wrapped?: v.GenericSchema }).wrapped ?? schema
  return v.getMetadata(inner) as VendorFacts
}

type Vendors = Readonly<Record<string, v.GenericSchema>>

/** The vendors that have this role. */
export function vendorsOf(role: PartRole, vendors: Vendors): string[] {
  return Object.keys(vendors).filter(
    (name) => vendorFacts(vendors[name] as v.GenericSchema).parts?.[role] !== undefined,
  )
}

/** A list of more is no order of preference any more. */
const listMax = 8
const expected = "a provider's name, a list of them, or a group of keys with provider"

function roleSchema(role: PartRole, vendors: Vendors, meaning: string) {
  const names = vendorsOf(role, vendors)
  const inline = names.map((name) => vendorFacts(vendors[name] as v.GenericSchema).parts?.[role] as InlineSchema)
  const byName = v.pipe(
    v.string(),
    v.check((value) => value.length <= 64, expected),
  )
  const unknownVendor: InlineSchema = v.looseObject({ provider: v.picklist(names) })
  const entryOf = (value: unknown): v.GenericSchema<unknown, RoleEntry> => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return byName
    return inline[names.indexOf(String((value as { provider?: unknown }).provider))] ?? unknownVendor
  }
  const entry = v.pipe(v.lazy(entryOf), v.metadata({ shapes: [byName, ...inline] }))
  const list = v.pipe(v.array(entry), v.maxLength(listMax))
  const choose = (value: unknown): v.GenericSchema<unknown, RoleChoice> =>
    Array.isArray(value) ? list : entryOf(value)
  const schema = v.pipe(v.lazy(choose), v.description(meaning), v.metadata({ shapes: [byName, ...inline, list] }))
  return v.optional(schema, 'local')
}

export function pipelinesSchema(vendors: Vendors) {
  return named(
    (name) => /^[a-z][a-z0-9_]{0,39}$/.test(name),
    'small letters, digits and _, at most 40, a letter first',
    {
      stt: roleSchema('stt', vendors, 'What hears.'),
      llm: roleSchema('llm', vendors, 'What answers.'),
      tts: roleSchema('tts', vendors, 'What speaks.'),
      options: section(
        {
          language: shapedText(
            '',
            (value) => value === '' || /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(value),
            'a language tag such as en or de-AT',
            'The language that its parts are told.',
            { emptyMeans: 'that of the call' },
          ),
          reply_timeout_ms: milliseconds(
            20_000,
            { min: 1000, max: 60_000 },
            'Without the first audio of a reply after so long, the turn has failed.',
          ),
          retry_after_ms: milliseconds(
            30_000,
            { min: 1000, max: 600_000 },
            'In a list: one that has failed is left alone for so long, and twice as long each further time.',
          ),
        },
        'How the pipeline works.',
      ),
      tools: textList(
        [],
        (value) => (toolNames as readonly string[]).includes(value),
        `one of ${toolNames.join(', ')}`,
        'What the model may do.',
      ),
    },
    'Cascades, each under a name for active_pipeline: stt, llm, tts (each a name under providers, a list of which the next takes over where one fails, or a group of keys with provider; local where nothing is said), options (language, reply_timeout_ms, retry_after_ms), tools; docs/pipelines.md has them all.',
  )
}
export type Pipeline = v.InferOutput<ReturnType<typeof pipelinesSchema>>[string]
