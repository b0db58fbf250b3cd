import { noWish, type Wish, type WishName, wishNames } from '#call/choice.ts'
import type { AriChannel } from './ari-client.ts'
import { wishMax } from './stasis-arguments.ts'

/**
 * Channel variables that say what one call is given. One question brings all of them: `EVAL()` puts the values of several
 * into one text, with a word between them that is made up for this question, so that no value can hold it.
 */
export const wishVariables: Readonly<Record<WishName, string>> = {
  agent: 'PATCHCORD_AGENT',
  provider: 'PATCHCORD_PROVIDER',
  pipeline: 'PATCHCORD_PIPELINE',
  greeting: 'PATCHCORD_GREETING',
  prompt: 'PATCHCORD_PROMPT',
}
const didVariable = 'PATCHCORD_DID'
/** The number that was called, as far as the channel knows. */
const dialledNumber = 'CALLERID(dnid)'
export const askedVariables = [...wishNames.map((name) => wishVariables[name]), didVariable, dialledNumber]

export interface StasisVariables {
  readonly wish: Wish
  readonly did: string
  /** Names of those that are longer than anything that makes sense, and are left out. */
  readonly tooLong: readonly string[]
}

export const noVariables: StasisVariables = { wish: noWish, did: '', tooLong: [] }

/** To be asked for as a variable of the channel. @param between a word that nobody can know beforehand */
export function variablesQuestion(between: string): string {
  return `EVAL(${askedVariables.map((name) => `\${${name}}`).join(between)})`
}

/** Null: no answer to this question. */
export function readVariables(answer: string, between: string): StasisVariables | null {
  const values = answer.split(between)
  if (values.length !== askedVariables.length) return null
  // keyed by: name of a variable
  return variablesOf(new Map(askedVariables.map((name, index) => [name, values[index] ?? ''])))
}

/** What the event has brought: all of them, where `channelvars` of ari.conf names them all; else null. */
export function broughtVariables({ channelvars }: AriChannel): StasisVariables | null {
  if (channelvars === undefined) return null
  if (!askedVariables.every((name) => typeof channelvars[name] === 'string')) return null
  // keyed by: name of a variable
  return variablesOf(new Map(Object.entries(channelvars)))
}

function variablesOf(values: ReadonlyMap<string, string>): StasisVariables {
  const all = wishNames.map((name) => [name, (values.get(wishVariables[name]) ?? '').trim()] as const)
  const wish = Object.fromEntries(all.map(([name, value]) => [name, value.length > wishMax ? '' : value]))
  return {
    wish: wish as Record<WishName, string>,
    did: (values.get(didVariable) || values.get(dialledNumber) || '').trim(),
    tooLong: all.flatMap(([name, value]) => (value.length > wishMax ? [wishVariables[name]] : [])),
  }
}

/** The arguments say it all already. */
export function isSettled({ agent, provider, pipeline, greeting, prompt }: Wish): boolean {
  return agent !== '' && (provider !== '' || pipeline !== '') && greeting !== '' && prompt !== ''
}
