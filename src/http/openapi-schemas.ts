/** The bodies of /api as JSON Schema. No object takes a member that is not listed, so that a test finds what is missing. */

type Members = Readonly<Record<string, unknown>>

/** Every member is always there. */
function object(properties: Members) {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false } as const
}

const list = (items: unknown) => ({ type: 'array', items }) as const
const said = (description: string) => ({ description })

const text = { type: 'string' } as const
const textOrNull = { type: ['string', 'null'] } as const
const flag = { type: 'boolean' } as const
const place = { type: ['integer', 'null'], minimum: 1 } as const
const line = { type: 'integer', minimum: 1 } as const
const time = { type: ['string', 'null'], format: 'date-time' } as const

const change = {
  key: text,
  from: { ...text, ...said('a JSON value, shortened, or masked; absent where the key was not there') },
  to: { ...text, ...said('as from') },
}
const finding = {
  line: { ...place, ...said('null: it has no place in the text') },
  column: place,
  key: { ...text, ...said('empty: the whole text is meant') },
  message: text,
  cure: { ...text, ...said('may be empty') },
}
const origin = {
  oneOf: [
    object({ source: { const: 'default' } }),
    object({ source: { const: 'file' }, line }),
    object({
      source: { const: 'environment' },
      variables: { ...list(text), ...said('or those of the same names with _FILE') },
      line: { ...place, ...said('null: the file leaves the key out') },
    }),
    object({ source: { const: 'command_line' }, option: text }),
  ],
}
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` }) as const

export const schemas = {
  Error: object({ error: text }),
  Change: object(change),
  PlannedChange: object({ ...change, restart: { ...flag, ...said('only a start of the engine can bring it about') } }),
  Finding: object(finding),
  Origin: origin,
  Configuration: object({
    file: { ...textOrNull, ...said('null: the configuration built in') },
    values: list(
      object({
        key: text,
        value: said('a JSON value; masked where it may be a secret'),
        origin: ref('Origin'),
        restart: flag,
      }),
    ),
  }),
  Validation: object({ valid: flag, problems: list(ref('Finding')), warnings: list(ref('Finding')) }),
  Difference: object({
    changes: list(ref('PlannedChange')),
    problems: list(ref('Finding')),
    warnings: list(ref('Finding')),
  }),
  Providers: object({
    providers: list(
      object({
        name: text,
        enabled: flag,
        in_use: { ...flag, ...said('the next call is given to it') },
        ready: flag,
        reason: { ...textOrNull, ...said('why it is not ready') },
        changed_at: { ...time, ...said('when readiness or its reason was last seen to change') },
        seen_at: { ...time, ...said('when it was last looked at') },
        refusal: { ...textOrNull, ...said('why a switch to it would be refused') },
      }),
    ),
  }),
  Choice: object({ name: text }),
  Switch: object({
    outcome: { enum: ['changed', 'unchanged', 'refused'] },
    file: textOrNull,
    line: { ...place, ...said('where the file names the provider') },
    changes: list(ref('Change')),
    warnings: list(text),
    problems: list(text),
    ready: { type: ['boolean', 'null'] },
    reason: { ...textOrNull, ...said('why calls are not served yet') },
  }),
  Reload: object({
    outcome: { enum: ['changed', 'unchanged', 'refused'] },
    changes: list(ref('Change')),
    warnings: list(text),
    problems: list(text),
    last_change: {
      ...said('where nothing changed: the last time that something did since the start; else null'),
      oneOf: [
        { type: 'null' },
        object({
          at: { type: 'string', format: 'date-time' },
          trigger: { enum: ['file', 'signal', 'api'], ...said('file: the engine saw that it was saved') },
          changes: list(ref('Change')),
        }),
      ],
    },
  }),
} as const
