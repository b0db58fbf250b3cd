import * as v from 'valibot'

/**
 * The building blocks of every configuration section, ours and the vendors': a field states its type, its bounds, its
 * default, its unit and its meaning in one place, and the error messages, the reference page and the check of the
 * annotated YAML are all read from there (`describe.ts`).
 */

export type Unit = 'ms' | 's' | 'min' | 'tokens' | 'calls' | 'connections' | 'turns' | 'words' | 'dB'

/** What valibot's own types don't say about a field. */
export interface FieldFacts {
  readonly unit?: Unit
  /** The environment variable that stands in where the file doesn't name the key. */
  readonly env?: string
  /** Never printed; in the file only as a reference to a variable. */
  readonly secret?: boolean
  /** A wrong value may be a secret in the wrong place: no message shows it. */
  readonly hidden?: boolean
  /** What an empty text means, for the reference page. */
  readonly emptyMeans?: string
  /** Looked at once, when the engine starts: a reload that changes it is refused. Of a section: each of its keys is so. */
  readonly restart?: boolean
  /** Of a value that may have several: each of them. */
  readonly shapes?: readonly v.GenericSchema[]
  /** Of groups under names that the user chooses: so many are taken. */
  readonly namesMax?: number
}

interface Bounds {
  readonly min: number
  readonly max: number
}

export function wholeNumber(fallback: number, facts: FieldFacts & Bounds, meaning: string) {
  const { min, max, ...metadata } = facts
  return v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(min),
      v.maxValue(max),
      v.description(meaning),
      v.metadata({ ...metadata }),
    ),
    fallback,
  )
}

export function decimalNumber(fallback: number, facts: FieldFacts & Bounds, meaning: string) {
  const { min, max, ...metadata } = facts
  return v.optional(
    v.pipe(v.number(), v.minValue(min), v.maxValue(max), v.description(meaning), v.metadata({ ...metadata })),
    fallback,
  )
}

/** A duration; the key's name ends in `_ms`. */
export function milliseconds(fallback: number, bounds: Bounds, meaning: string) {
  return wholeNumber(fallback, { ...bounds, unit: 'ms' }, meaning)
}

/** A TCP port; 0 lets the system choose a free one, which tests use. */
export function port(fallback: number, meaning: string, facts: FieldFacts = {}) {
  return wholeNumber(fallback, { min: 0, max: 65_535, ...facts }, meaning)
}

export function flag(fallback: boolean, meaning: string, facts: FieldFacts = {}) {
  return v.optional(v.pipe(v.boolean(), v.description(meaning), v.metadata({ ...facts })), fallback)
}

/** Any text, empty included. 20,000 characters are far beyond any prompt that a model on a telephone can use. */
export function text(fallback: string, meaning: string, facts: FieldFacts = {}) {
  return v.optional(v.pipe(v.string(), v.maxLength(20_000), v.description(meaning), v.metadata({ ...facts })), fallback)
}

/** A text that must say something. */
export function requiredText(fallback: string, meaning: string, facts: FieldFacts = {}) {
  return v.optional(
    v.pipe(v.string(), v.nonEmpty(), v.maxLength(20_000), v.description(meaning), v.metadata({ ...facts })),
    fallback,
  )
}

/** A text of one shape. `shape` completes "expected …". */
export function shapedText(
  fallback: string,
  test: (value: string) => boolean,
  shape: string,
  meaning: string,
  facts: FieldFacts = {},
) {
  return v.optional(
    v.pipe(v.string(), v.check(test, shape), v.description(meaning), v.metadata({ ...facts })),
    fallback,
  )
}

export function choice<const Options extends readonly string[]>(
  options: Options,
  fallback: Options[number],
  meaning: string,
  facts: FieldFacts = {},
) {
  return v.optional(v.pipe(v.picklist(options), v.description(meaning), v.metadata({ ...facts })), fallback)
}

/** Of a list, and of groups under names that the user chooses, where nothing else is said. */
export const entriesMax = 64

/** A list of texts of one shape, at most 64. `shape` completes "expected …". */
export function textList(fallback: string[], test: (value: string) => boolean, shape: string, meaning: string) {
  return v.optional(
    v.pipe(v.array(v.pipe(v.string(), v.check(test, shape))), v.maxLength(entriesMax), v.description(meaning)),
    () => [...fallback],
  )
}

/**
 * Entries of one shape under names that the user chooses. `shape` says what a name may be and completes
 * "expected …"; the meaning says what each entry holds.
 */
export function named<const Entries extends v.ObjectEntries>(
  test: (name: string) => boolean,
  shape: string,
  entries: Entries,
  meaning: string,
  namesMax = entriesMax,
) {
  const entry = v.strictObject(entries)
  const schema = v.pipe(
    v.record(v.pipe(v.string(), v.check(test, shape)), entry),
    v.check(
      (all) => Object.keys(all).length <= namesMax,
      `more than ${namesMax} names stand here, and no more are taken`,
    ),
    v.description(meaning),
    v.metadata({ namesMax }),
  )
  return v.optional(schema, () => ({}))
}

/**
 * A group of keys. Left out, or left empty in the file, it has all its defaults; a key that it doesn't know is refused.
 * @param facts `FieldFacts`, and what else is to be known of it
 */
export function section<const Entries extends v.ObjectEntries>(entries: Entries, meaning: string, facts: object = {}) {
  const schema = v.pipe(v.strictObject(entries), v.description(meaning), v.metadata({ ...facts }))
  return v.optional(schema, {} as v.InferInput<typeof schema>)
}

/** A group of keys that must fit each other. `message` is the whole sentence for the user, without a full stop. */
export function checkedSection<const Entries extends v.ObjectEntries>(
  entries: Entries,
  meaning: string,
  fits: (values: v.InferOutput<v.StrictObjectSchema<Entries, undefined>>) => boolean,
  message: string,
) {
  const schema = v.pipe(v.strictObject(entries), v.check(fits, message), v.description(meaning))
  return v.optional(schema, {} as v.InferInput<typeof schema>)
}
