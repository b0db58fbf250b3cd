import { seededRandom } from '../../src/base/random.ts'
import { edgesOf, levelled, muLawCoded, telephoneBand, toMs, toSamples } from '../../test/material/audio.ts'
import { withHesitation, withPlainPause } from '../../test/material/hesitations.ts'
import type { Turn } from '../../test/material/material.ts'
import { actedLines } from './acted-lines.ts'

/**
 * What actors say, as turns to train on: each line is over at its end and at none of the pauses that its actor made, and
 * of each that is long enough there is one with a pause in the middle of a phrase besides: of every other with the sign of
 * a hesitation, as the speech material makes it, of the others without one. As a telephone brings them.
 */
export type ActedTurn = Pick<Turn, 'samples' | 'offsetSample'>

const turnMs = { min: 350, max: 13_000 } as const
/** Of the recording, kept on both sides of what is said. */
const marginMs = 100

/** @param count of lines, drawn from all */
export async function* actedTurns(count: number, seed: number): AsyncGenerator<ActedTurn> {
  const random = seededRandom(seed)
  const drawn = (await actedLines())
    .map((line) => ({ line, order: random.next() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, count)
  for (const [index, { line }] of drawn.entries()) {
    const said = telephoneBand(await line.load())
    yield* turnOf(said)
    const paused = index % 2 === 0 ? withHesitation(said, random) : withPlainPause(said, random)
    if (paused !== null) yield* turnOf(paused.samples)
  }
}

function* turnOf(said: Float64Array): Generator<ActedTurn> {
  const rough = edgesOf(said)
  const margin = toSamples(marginMs)
  const clean = levelled(said.slice(Math.max(0, rough.onsetSample - margin), rough.offsetSample + margin))
  const { onsetSample, offsetSample } = edgesOf(clean)
  const ms = toMs(offsetSample - onsetSample)
  if (ms >= turnMs.min && ms <= turnMs.max) yield { samples: muLawCoded(clean), offsetSample }
}
