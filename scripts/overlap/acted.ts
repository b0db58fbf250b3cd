import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { wordsKind } from '../../src/call/backchannels.ts'
import { modelsFolder } from '../../src/speech/model-store.ts'
import { Moonshine } from '../../src/speech/moonshine.ts'
import { edgesOf, levelled, pausesIn, RATE_HZ, telephoneBand, toMs, toSamples } from '../../test/material/audio.ts'
import { materialFolder } from '../../test/material/packages.ts'
import { type ActedLine, actedLines } from '../actors/acted-lines.ts'
import type { LabelledClip } from './clips.ts'
import { transcribe } from './transcribe.ts'

/**
 * What actors say, as clips to train on: each stretch between two pauses, with the words that the recogniser finds in it,
 * for the games' own texts are not to be had by line. The words say what it is: assent and hums are a listener's, all
 * others a caller's who wants the turn. What begins like assent and goes on is neither, for half of it is both.
 */
interface Stretch {
  readonly from: number
  readonly to: number
  /** Null where it was too short or too long to be recognised, or went round in circles. */
  readonly text: string | null
}

/** Of the same actor: silences of this length are between two stretches. */
const pauseMsMin = 180
const marginMs = 100
const recognisedMarginMs = 80
const recognisedMs = { min: 100, max: 25_000 } as const
/** As the speech material has them, but no phrases: of those there are enough. */
const backchannelMs = { min: 120, max: 950 } as const
const interruptionMs = { min: 180, max: 950 } as const
const linesKeptAtOnce = 500
/** What the recogniser makes of a groan or a gulp, a hesitation, and a question that is spelled like a hum. */
const sayNothing = /^(you|thank you|u+m+|huh|uh|eh)\W*$/i

/** Lines whose words have been found, by name. */
type Words = Record<string, readonly Stretch[]>

/** The first call takes half an hour of one core, most of it the recogniser's; what it finds is kept. */
export async function actedClips(onProgress: (line: string) => void): Promise<LabelledClip[]> {
  const lines = await actedLines()
  const words = await wordsOf(lines, onProgress)
  const clips: LabelledClip[] = []
  for (const line of lines) {
    const stretches = (words[line.name] ?? []).flatMap((stretch) => {
      const label = labelOf(stretch)
      return label === null ? [] : [{ ...stretch, label }]
    })
    if (stretches.length === 0) continue
    const samples = await samplesOf(line)
    for (const stretch of stretches) clips.push(clipOf(line, samples, stretch))
  }
  onProgress(`acted: ${clips.length} clips, ${clips.filter(({ label }) => label === 1).length} of them assent`)
  return clips
}

async function samplesOf(line: ActedLine): Promise<Int16Array> {
  return levelled(telephoneBand(await line.load()))
}

async function wordsOf(lines: readonly ActedLine[], onProgress: (line: string) => void): Promise<Words> {
  const path = join(materialFolder('acted'), 'words.json')
  const words: Words = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
  const missing = lines.filter(({ name }) => words[name] === undefined)
  if (missing.length === 0) return words
  const recogniser = await Moonshine.load(join(modelsFolder(process.env), 'moonshine-tiny-en'), 1)
  for (let at = 0; at < missing.length; at += linesKeptAtOnce) {
    for (const line of missing.slice(at, at + linesKeptAtOnce)) {
      words[line.name] = await stretchesOf(await samplesOf(line), recogniser)
    }
    writeFileSync(path, JSON.stringify(words))
    onProgress(`acted: ${Object.keys(words).length} of ${lines.length} lines heard`)
  }
  return words
}

async function stretchesOf(samples: Int16Array, recogniser: Moonshine): Promise<Stretch[]> {
  const { onsetSample, offsetSample } = edgesOf(samples)
  const pauses = pausesIn(samples, pauseMsMin)
  const starts = [onsetSample, ...pauses.map(({ untilMs }) => toSamples(untilMs))]
  const ends = [...pauses.map(({ fromMs }) => toSamples(fromMs)), offsetSample]
  const stretches: Stretch[] = []
  for (const [index, from] of starts.entries()) {
    const to = ends[index] as number
    stretches.push({ from, to, text: await textOf(samples, from, to, recogniser) })
  }
  return stretches
}

async function textOf(samples: Int16Array, from: number, to: number, recogniser: Moonshine): Promise<string | null> {
  const ms = toMs(to - from)
  if (ms < recognisedMs.min || ms > recognisedMs.max) return null
  const margin = toSamples(recognisedMarginMs)
  const found = await transcribe(recogniser, samples.slice(Math.max(0, from - margin), to + margin), RATE_HZ)
  return found === null || found.looped ? null : found.text
}

/** Of `OverlapNetwork.probabilities`; null for what teaches nothing. */
function labelOf({ from, to, text }: Stretch): 0 | 1 | null {
  if (text === null || sayNothing.test(text.trim())) return null
  const ms = toMs(to - from)
  const kind = wordsKind(text, 'en')
  if (kind === 'open') return null
  if (kind === 'assent') return ms >= backchannelMs.min && ms <= backchannelMs.max ? 1 : null
  const [first = ''] = text.trim().split(/[\s,.!?]/)
  if (wordsKind(first, 'en') === 'assent') return null
  return ms >= interruptionMs.min && ms <= interruptionMs.max ? 0 : null
}

function clipOf(
  { scene }: ActedLine,
  line: Int16Array,
  { from, to, text, label }: Stretch & { readonly label: 0 | 1 },
): LabelledClip {
  const start = Math.max(0, from - toSamples(marginMs))
  const samples = line.slice(start, to + toSamples(marginMs))
  return {
    samples,
    onsetSample: from - start,
    offsetSample: to - start,
    label,
    kind: 'acted',
    voice: scene,
    human: true,
    text,
  }
}
