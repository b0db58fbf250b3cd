import * as v from 'valibot'
import { isKey, keyShape } from './dtmf-schema.ts'
import { checkedSection, named, section, shapedText, text, wholeNumber } from './fields.ts'

/** The sections about places in the dialplan where callers go on. */

/** Asterisk's own bounds of a context, an extension and a priority. */
const inDialplan = (value: string) => /^[^\s,;|]{1,79}$/.test(value)
const dialplanShape = 'a word of the dialplan, without spaces and commas'

export const onFailure = checkedSection(
  {
    notice: text(
      'I am sorry, there is a technical problem. Please hold the line.',
      'What a caller hears whom the agent can answer no more, in the local voice where there is one, else as three rising tones.',
      { emptyMeans: 'nothing' },
    ),
    context: shapedText(
      '',
      (value) => value === '' || inDialplan(value),
      dialplanShape,
      'Where in the dialplan they then go on: the context.',
      { emptyMeans: 'at the next priority after Stasis()' },
    ),
    extension: shapedText('', (value) => value === '' || inDialplan(value), dialplanShape, 'The extension there.'),
    priority: wholeNumber(1, { min: 1, max: 10_000 }, 'The priority there.'),
  },
  'What becomes of a caller whose call fails while they are in it; PATCHCORD_RESULT says why.',
  (values) => (values.context === '') === (values.extension === ''),
  'context and extension belong together: name both or neither',
)

export const transfer = section(
  {
    destinations: named(
      (name) => /^[A-Za-z0-9_-]{1,40}$/.test(name),
      'letters, digits, - and _, at most 40',
      {
        context: v.pipe(v.string(), v.check(inDialplan, dialplanShape)),
        extension: v.pipe(v.string(), v.check(inDialplan, dialplanShape)),
        priority: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)), 1),
        description: v.optional(v.pipe(v.string(), v.maxLength(200)), ''),
        key: v.optional(
          v.pipe(
            v.string(),
            v.check((value) => value === '' || isKey(value), keyShape),
          ),
          '',
        ),
      },
      'Places in the dialplan, each under a name that the model is told: context, extension, priority (1), description (what is there, for the model), key (of the telephone, such as "0": who presses it is sent there at once; dtmf.keys binds keys to more).',
    ),
  },
  'Where callers can be sent, by the tool transfer_call or by a key of their telephone.',
)
