/**
 * What the dialplan says about one call: `Stasis(patchcord,audio_transport=websocket)`. It comes with the event that brings
 * the call, so it costs no question to Asterisk, which a channel variable would.
 */
export interface StasisArguments {
  readonly audioTransport: string | null
  /** Arguments that mean nothing, for the log. */
  readonly unknown: readonly string[]
}

export function readStasisArguments(args: readonly string[]): StasisArguments {
  let audioTransport: string | null = null
  const unknown: string[] = []
  for (const argument of args) {
    const [, name, value] = /^\s*(\w+)\s*=\s*(.*\S)\s*$/.exec(argument) ?? []
    if (name === 'audio_transport' && value !== undefined) audioTransport = value
    else if (argument.trim() !== '') unknown.push(argument)
  }
  return { audioTransport, unknown }
}
