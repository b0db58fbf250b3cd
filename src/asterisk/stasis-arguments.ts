import { noWish, type Wish, type WishName, wishNames } from '#call/choice.ts'

/**
 * What the dialplan says about one call: `Stasis(patchcord,agent=sales,audio_transport=websocket)`. It comes with the event
 * that brings the call, so it costs no question to Asterisk, which a channel variable does.
 */
export interface StasisArguments {
  readonly audioTransport: string | null
  readonly wish: Wish
  /** Arguments that mean nothing, for the log. */
  readonly unknown: readonly string[]
  /** Names of those that are longer than anything that makes sense, and are left out. */
  readonly tooLong: readonly string[]
}

/** A text for one call is a sentence or a page; what is longer belongs into the configuration. */
export const wishMax = 4000

/** Texts may hold commas, at which the dialplan has cut them: what follows without a name that is known belongs to them. */
const texts: readonly string[] = ['greeting', 'prompt']

export function readStasisArguments(args: readonly string[]): StasisArguments {
  const wish: Record<WishName, string> = { ...noWish }
  const unknown: string[] = []
  const tooLong: string[] = []
  let audioTransport: string | null = null
  for (const argument of rejoined(args)) {
    const [, name = '', value] = /^\s*(\w+)\s*=\s*(.*\S)\s*$/s.exec(argument) ?? []
    if (value === undefined || !isKnown(name)) {
      if (argument.trim() !== '') unknown.push(argument)
    } else if (value.length > wishMax) tooLong.push(name)
    else if (name === 'audio_transport') audioTransport = value
    else wish[name] = value
  }
  return { audioTransport, wish, unknown, tooLong }
}

function rejoined(args: readonly string[]): string[] {
  const whole: string[] = []
  let inText = false
  for (const argument of args) {
    const name = /^\s*(\w+)\s*=/.exec(argument)?.[1] ?? ''
    if (inText && !isKnown(name)) whole.push(`${whole.pop() ?? ''},${argument}`)
    else {
      whole.push(argument)
      inText = texts.includes(name)
    }
  }
  return whole
}

function isKnown(name: string): name is WishName | 'audio_transport' {
  return name === 'audio_transport' || (wishNames as readonly string[]).includes(name)
}
