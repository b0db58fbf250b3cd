import type { Departure } from '#agent/provider.ts'
import type { ClientEvent } from './client-wire.ts'

/** What a reply is asked for with, and what it is about. */
export type Ask =
  /** The caller's turn. */
  | { readonly kind: 'turn' }
  /** This very text. */
  | { readonly kind: 'say'; readonly text: string }
  /** What functions have brought. */
  | { readonly kind: 'results' }
  /** The last words before the agent leaves. */
  | { readonly kind: 'farewell'; readonly departure: Departure }
  /** The rest of what it was saying when the session was lost. */
  | { readonly kind: 'rest'; readonly said: string }
  /** The caller's turn was lost with the session. */
  | { readonly kind: 'missed' }

type Parameters = NonNullable<Extract<ClientEvent, { type: 'response.create' }>['response']>

/**
 * Null: nothing beside the conversation itself.
 *
 * @param prompt who the agent is: instructions of a response stand in place of those of the session
 */
export function parametersOf(ask: Ask, prompt: string): Parameters | null {
  const inCharacter = (order: string) => alone(`${prompt}\n\n${order}`)
  switch (ask.kind) {
    case 'turn':
    case 'results':
      return null
    case 'say':
      return alone(
        `Say exactly the following to the caller, word for word, and nothing else: ${JSON.stringify(ask.text)}`,
      )
    case 'farewell':
      return inCharacter(
        ask.departure.kind === 'hang_up'
          ? 'Say goodbye to the caller in one short sentence, in the language of the conversation. Say nothing else.'
          : 'Tell the caller in one short sentence, in the language of the conversation, that you are putting them through. Say nothing else.',
      )
    case 'rest':
      return inCharacter(
        ask.said === ''
          ? 'The line was interrupted while you were answering. Give your answer again, shortly.'
          : `The line was interrupted while you were speaking. The caller has heard you say: ${JSON.stringify(ask.said)}. Say the rest of that sentence and of your answer, and repeat nothing.`,
      )
    case 'missed':
      return inCharacter(
        'The line was interrupted and you have not heard what the caller said last. Say sorry and ask them to say it again, in one short sentence, in the language of the conversation.',
      )
  }
}

/** No function may be called in its place: words are due. */
function alone(instructions: string): Parameters {
  return { instructions, tool_choice: 'none' }
}
