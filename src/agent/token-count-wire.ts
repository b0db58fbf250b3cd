import * as v from 'valibot'

/** A number of tokens, as vendors tell it. Some say -1 of what they do not know: that is none. */
export const tokenCount = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

/** One that may be left out. */
export const tokenDetail = v.nullish(tokenCount)
