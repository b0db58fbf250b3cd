import * as v from 'valibot'
import { keyActionNames } from '#call/key-pad.ts'
import { named, section } from './fields.ts'

/** The section about the keys of the caller's telephone. */

export const keyShape = 'one key of a telephone: 0 to 9, *, # or A to D'
export const isKey = (value: string): boolean => /^[0-9*#A-D]$/.test(value)

export const dtmf = section(
  {
    keys: named(
      isKey,
      keyShape,
      {
        action: v.picklist(keyActionNames),
        destination: v.optional(v.pipe(v.string(), v.maxLength(40)), ''),
        text: v.optional(v.pipe(v.string(), v.maxLength(20_000))),
      },
      'What keys do, each by itself ("0", "*"): action is transfer (the caller goes on at destination, a name under transfer.destinations), hang_up (the agent says text, else turn_taking.farewell, and the call ends), repeat (it says its last reply again), interrupt (it falls silent and listens), say (it says text).',
    ),
  },
  'What the keys of the caller’s telephone do, at any moment of a call.',
)
