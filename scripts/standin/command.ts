import type { Clock } from '#base/clock.ts'

/** A stand-in that runs by itself: `just standin NAME`. */
export interface StandinCommand {
  /** Its own options, in the form of the help. */
  readonly help: string
  readonly options: Readonly<Record<string, OptionKind>>
  /** Throws a `UsageError`; what it returns starts the server. */
  prepare(values: OptionValues): (voice: StandinVoice, clock: Clock) => RunningStandin
}

export interface OptionKind {
  readonly type: 'string' | 'boolean'
  readonly default?: string | boolean
  readonly short?: string
}

export type OptionValues = Readonly<Record<string, string | boolean | undefined>>

/** Of each sentence of the rehearsal; null: tones. */
export type StandinVoice = readonly { readonly samples: Int16Array; readonly sampleRateHz: number }[] | null

export interface RunningStandin {
  /** What it stands in for. */
  readonly name: string
  /** The lines of a configuration that lead to it. */
  readonly yaml: string
  close(): Promise<void>
}

export class UsageError extends Error {}

export function textOf(values: OptionValues, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}

export function numberOf(
  values: OptionValues,
  name: string,
  min: number,
  max: number,
  fraction = false,
): number | null {
  const text = textOf(values, name)
  if (text === undefined) return null
  const value = Number(text)
  const right = text.trim() !== '' && value >= min && value <= max && (fraction || Number.isInteger(value))
  if (!right) throw new UsageError(`--${name} is a ${fraction ? '' : 'whole '}number from ${min} to ${max}`)
  return value
}

export function faultOf(values: OptionValues, known: readonly string[]): string {
  const fault = textOf(values, 'fault') ?? ''
  if (fault !== '' && !known.includes(fault)) throw new UsageError(`--fault is one of ${known.join(', ')}`)
  return fault
}

/** One line of what happens in a session. */
export function say(id: string, clock: Clock, what: string): void {
  console.log(`${new Date(clock.wallNow()).toISOString().slice(11, 23)} ${id.slice(0, 12)} ${what}`)
}
