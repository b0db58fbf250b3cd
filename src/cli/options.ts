import { parseArgs } from 'node:util'
import { failed, messageOf, ok, type Result } from '#base/result.ts'

/** Options of one command: each is a flag, or takes a text. Positional words are refused unless asked for. */
export type OptionKinds = Readonly<Record<string, 'text' | 'flag'>>
export type Options<Kinds extends OptionKinds> = {
  readonly [Name in keyof Kinds]?: Kinds[Name] extends 'text' ? string : boolean
}

/** Fails with what is wrong with the command line. */
export function parseOptions<const Kinds extends OptionKinds>(
  argv: readonly string[],
  kinds: Kinds,
): Result<Options<Kinds>, string> {
  const options = Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => [
      name,
      { type: kind === 'text' ? ('string' as const) : ('boolean' as const) },
    ]),
  )
  try {
    return ok(parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values as Options<Kinds>)
  } catch (thrown) {
    return failed(messageOf(thrown))
  }
}
