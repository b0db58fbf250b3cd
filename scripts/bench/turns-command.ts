import { messageOf } from '#base/result.ts'
import type { Split } from '../../test/material/voices.ts'
import { benchTurns, type TurnsBench, type TurnsCounts, wholeCounts } from './turns.ts'
import { benchDensity } from './turns-density.ts'
import { benchEndpointing } from './turns-endpointing.ts'

/** `just bench turns`: the calls, what one core can listen to, and endpointing by silence and by the model. */
export interface TurnsOptions {
  readonly split: string
  readonly seed: string
  /** A share of what is played in a whole run. */
  readonly scale: string
  readonly only: string
  readonly words: boolean
  readonly few: boolean
  readonly callers: string
  readonly json: boolean
}

const parts = ['all', 'calls', 'density', 'endpointing']
const callsAtOnce = 12

/** @returns the exit code; 2 where an option makes no sense */
export async function turnsCommand(options: TurnsOptions): Promise<number> {
  const [seed, scale] = [Number(options.seed), Number(options.scale)]
  const split = (['tune', 'report'] as const).find((name) => name === options.split)
  const callers = (['english', 'others'] as const).find((name) => name === options.callers)
  if (
    split === undefined ||
    callers === undefined ||
    !(seed >= 1) ||
    !(scale > 0 && scale <= 10) ||
    !parts.includes(options.only)
  ) {
    console.error(
      `error: --split tune or report, --seed from 1, --scale up to 10, --callers english or others, --only one of ${parts.join(', ')}; see --help`,
    )
    return 2
  }
  const wants = (part: string) => options.only === 'all' || options.only === part
  try {
    const figures: Record<string, unknown> = { split, seed, scale, callers }
    const add = (run: { readonly lines: readonly string[]; readonly figures: object }) => {
      for (const line of run.lines) console.log(line)
      Object.assign(figures, run.figures)
    }
    if (wants('calls')) add(await calls(split, seed, scale, callers, options))
    if (wants('density')) add(await benchDensity())
    if (wants('endpointing')) add(await benchEndpointing({ split, seed, scale: Math.min(1, scale) }))
    if (options.json) console.log(JSON.stringify(figures))
    return 0
  } catch (thrown) {
    console.error(`error: ${messageOf(thrown)}`)
    return 1
  }
}

function calls(
  split: Split,
  seed: number,
  scale: number,
  callers: TurnsBench['callers'],
  { words, few }: TurnsOptions,
) {
  const counts = Object.fromEntries(
    Object.entries(wholeCounts).map(([what, count]) => [what, Math.max(1, Math.round(count * scale))]),
  ) as unknown as TurnsCounts
  const progress = (line: string) => console.error(line)
  return benchTurns(
    { split, seed, calls: callsAtOnce, counts, settings: {}, words, sources: few ? 'few' : 'all', callers },
    progress,
  )
}
