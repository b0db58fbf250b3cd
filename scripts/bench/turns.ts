import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Random, seededRandom } from '#base/random.ts'
import { noiseSound } from '../../test/bed/sounds.ts'
import { writeWav } from '../../test/bed/wav-file.ts'
import { type Clip, type Material, material, type Turn } from '../../test/material/material.ts'
import type { Split } from '../../test/material/voices.ts'
import { type Sound, TurnsCaller } from './turns-caller.ts'
import {
  breakdown,
  isBackchannel,
  isInterruption,
  type Outcomes,
  type TurnsFigures,
  turnsFigures,
} from './turns-figures.ts'
import { echoVisit, overlapVisit, turnsVisit } from './turns-visits.ts'
import { callIdOf, type FromTurnsEngine, type ReplyKind, type TurnsJob } from './turns-wire.ts'

/**
 * `just bench turns`: callers of many voices take turns with the real engine through real sockets. They ask and pause,
 * interrupt, murmur, cough and bring the agent's own voice back, over line noise and babble; what they meet is measured
 * at their end of the line. The voices that thresholds were chosen on are not among them.
 */
export interface TurnsBench {
  readonly split: Split
  readonly seed: number
  /** Callers at once. */
  readonly calls: number
  /** How many of each kind are played. */
  readonly counts: TurnsCounts
  readonly settings: TurnsJob['settings']
  readonly words: boolean
  readonly sources: 'all' | 'few'
  /** `english`: the recogniser knows their language. `others`: it would make up English, so they are judged without. */
  readonly callers: 'english' | 'others'
}

export interface TurnsCounts {
  readonly words: number
  readonly phrases: number
  readonly backchannels: number
  readonly noises: number
  readonly turns: number
  readonly echoCalls: number
}

export const wholeCounts: TurnsCounts = {
  words: 160,
  phrases: 80,
  backchannels: 200,
  noises: 120,
  turns: 160,
  echoCalls: 8,
}

export interface TurnsRun {
  readonly figures: TurnsFigures
  readonly outcomes: Outcomes
  readonly lines: readonly string[]
}

/** Sounds of no voice at all are shorter than a caller's patience; what nobody would do on a telephone is left out. */
const noiseLabels: readonly Clip['label'][] = [
  'cough',
  'throat_clear',
  'sneeze',
  'laugh',
  'breath',
  'click',
  'door',
  'keyboard',
]
const overlapsPerCall = 7
/** Where a question is not answered, over a noise that never ends or in a voice that is not heard, another call goes on. */
const callsForAClipMax = 5
const turnsPerCall = 10
const echoTurnsPerCall = 5
/** Line noise of a quiet line, and the noises of the material this much below speech. */
const quietLineDbfs = -60
const speechOverNoiseDb = [20, 15, 10, 5, 0] as const
/** The material's noises are as loud as its speech. */
const echoDb = -15
const echoDelayMs = 120

type Visit = (outcomes: MutableOutcomes) => Promise<void>

interface MutableOutcomes {
  unplayed: number
  readonly overlaps: Outcomes['overlaps'][number][]
  readonly turns: Outcomes['turns'][number][]
  readonly echoes: Outcomes['echoes'][number][]
}

export async function benchTurns(bench: TurnsBench, progress: (line: string) => void): Promise<TurnsRun> {
  const stuff = await material(bench.split, {
    seed: bench.seed,
    coding: 'mulaw',
    sources: bench.sources,
    onProgress: progress,
  })
  const random = seededRandom(bench.seed)
  const { calls, settings } = bench
  const engine = await TurnsEngine.start({ calls, settings, words: bench.words && bench.callers === 'english' })
  const outcomes: MutableOutcomes = { overlaps: [], turns: [], echoes: [], unplayed: 0 }
  const voices = await replyVoices(stuff)
  try {
    engine.speakWith(voices.files)
    const visits = plan(bench, stuff, random, engine)
    progress(`${visits.length} calls, ${bench.calls} at once`)
    await Promise.all(
      Array.from({ length: bench.calls }, async () => {
        for (let visit = visits.shift(); visit !== undefined; visit = visits.shift()) await visit(outcomes)
      }),
    )
  } finally {
    await engine.stop()
    rmSync(voices.folder, { recursive: true, force: true })
  }
  const figures = turnsFigures(outcomes)
  const unplayed = outcomes.unplayed === 0 ? [] : [`NOT PLAYED, since no reply was under way: ${outcomes.unplayed}`]
  return { figures, outcomes, lines: [...Object.entries(figures).map(said), ...unplayed, ...breakdown(outcomes)] }
}

const said = ([name, value]: [string, unknown]) =>
  `${name} ${typeof value === 'number' ? value : JSON.stringify(value)}`

/** All calls in a random order, each with noise of its own. */
function plan(bench: TurnsBench, stuff: Material, random: Random, engine: TurnsEngine): Visit[] {
  const { counts, seed } = bench
  const understood = bench.callers === 'english'
  const speaks = ({ language }: Clip | Turn) => language === 'und' || (language === 'en') === understood
  const questions = stuff.turns.filter(({ kind }) => kind === 'answer')
  const line = linesOf(stuff, random)
  const visits: Visit[] = []
  const clips = shuffled(overlapsOf(counts, stuff, speaks), random)
  for (let at = 0; at < clips.length; at += overlapsPerCall) {
    const mine = clips.slice(at, at + overlapsPerCall)
    visits.push(overlaps(engine, mine, questions, line(), seededRandom(seed * 1000 + at)))
  }
  const turns = shuffled(drawn(stuff.turns.filter(speaks), counts.turns), random)
  for (let at = 0; at < turns.length; at += turnsPerCall) {
    const [mine, on] = [turns.slice(at, at + turnsPerCall), line()]
    visits.push(async (outcomes) => {
      const caller = await engine.call('tone_short', on)
      await turnsVisit(caller, mine, on.condition, (one) => outcomes.turns.push(one))
      caller.hangUp()
    })
  }
  for (let call = 0; call < counts.echoCalls; call += 1) {
    const mine = Array.from({ length: echoTurnsPerCall }, () => drawnBy(random, questions))
    const noise = noiseSound(997, quietLineDbfs, 8000, call + 1)
    visits.push(async (outcomes) => {
      const caller = await engine.call('voice', { noise, gain: 1, condition: 'echo' }, true)
      await echoVisit(caller, mine, (one) => outcomes.echoes.push(one))
      caller.hangUp()
    })
  }
  return shuffled(visits, random)
}

/** What is said over the agent. */
function overlapsOf(counts: TurnsCounts, { clips }: Material, speaks: (clip: Clip) => boolean): Clip[] {
  const some = (holds: (clip: Clip) => boolean, count: number) => drawn(clips.filter(holds), count)
  const noises = clips.filter(({ label }) => noiseLabels.includes(label))
  return [
    // A shout whose words nobody knows is neither an interruption for sure nor none.
    ...some((clip) => clip.label === 'interruption_word' && clip.text !== null && speaks(clip), counts.words),
    ...some((clip) => clip.label === 'interruption_phrase' && speaks(clip), counts.phrases),
    ...some((clip) => isBackchannel(clip) && speaks(clip), counts.backchannels),
    ...drawn(noises, counts.noises, ({ label }) => label),
  ]
}

/** One caller who speaks over a long reply, one clip after the other. */
function overlaps(
  engine: TurnsEngine,
  clips: readonly Clip[],
  questions: readonly Turn[],
  line: LineNoise,
  random: Random,
): Visit {
  return async (outcomes) => {
    let left = clips
    let on = line
    for (let call = 0; call < callsForAClipMax && left.length > 0; call += 1) {
      const caller = await engine.call('tone_long', on)
      const question = drawnBy(random, questions)
      left = await overlapVisit(caller, left, question, on.condition, random, (one) => outcomes.overlaps.push(one))
      caller.hangUp()
      on = quietLine(random)
    }
    outcomes.unplayed += left.length
  }
}

interface LineNoise {
  readonly noise: Int16Array
  readonly gain: number
  readonly condition: string
}

function quietLine(random: Random): LineNoise {
  const noise = noiseSound(997, quietLineDbfs, 8000, Math.floor(random.next() * 1e6))
  return { noise, gain: 1, condition: 'quiet line' }
}

/**
 * Every other line is a quiet one; the others have a noise of the material, at one of the ratios: all of them in turn, for
 * what is met on a handful of lines would else be chance.
 */
function linesOf({ noises }: Material, random: Random): () => LineNoise {
  const kinds = shuffled(noises, random)
  const ratios = shuffled(speechOverNoiseDb, random)
  let lines = 0
  return () => {
    const line = lines
    lines += 1
    if (line % 2 === 0) return quietLine(random)
    const noisy = (line - 1) / 2
    const kind = noisy % kinds.length
    const chosen = kinds[kind]
    // In every round over the kinds each has another ratio.
    const overDb = ratios[(kind + Math.floor(noisy / kinds.length)) % ratios.length] ?? 20
    if (chosen === undefined) throw new Error('the material has no noises')
    return { noise: chosen.samples, gain: 10 ** (-overDb / 20), condition: `${chosen.kind} at ${overDb} dB` }
  }
}

/** So many, as evenly over the voices as they go, or over other kinds; nothing twice before everything once. */
function drawn<T extends { readonly voice: string }>(
  all: readonly T[],
  count: number,
  kindOf: (one: T) => string = ({ voice }) => voice,
): T[] {
  if (all.length === 0) throw new Error('the material lacks a class')
  const inTurn = [...Map.groupBy(all, kindOf).values()]
    .flatMap((kind) => kind.map((one, round) => ({ one, round })))
    .sort((a, b) => a.round - b.round)
  return Array.from({ length: count }, (_, index) => (inTurn[index % inTurn.length] as { readonly one: T }).one)
}

const drawnBy = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T

function shuffled<T>(all: readonly T[], random: Random): T[] {
  return all
    .map((one) => ({ one, order: random.next() }))
    .sort((a, b) => a.order - b.order)
    .map(({ one }) => one)
}

/** What the agent says on lines with an echo: phrases of the material, two or three in a row. */
async function replyVoices({ clips }: Material): Promise<{ readonly folder: string; readonly files: string[] }> {
  const phrases = clips.filter(({ label }) => label === 'interruption_phrase').slice(0, 24)
  const folder = mkdtempSync(join(tmpdir(), 'patchcord-bench-'))
  const files: string[] = []
  for (let at = 0; at + 1 < phrases.length; at += 2) {
    const [first, second] = [phrases[at] as Clip, phrases[at + 1] as Clip]
    const samples = new Int16Array(first.samples.length + second.samples.length)
    samples.set(first.samples)
    samples.set(second.samples, first.samples.length)
    const file = join(folder, `${at}.wav`)
    await writeWav(file, { sampleRateHz: 8000, samples })
    files.push(file)
  }
  return { folder, files }
}

class TurnsEngine {
  private readonly port: number
  private readonly child: Bun.Subprocess
  // keyed by: call id
  private readonly callers: Map<string, TurnsCaller>

  private constructor(child: Bun.Subprocess, port: number, callers: Map<string, TurnsCaller>) {
    this.child = child
    this.port = port
    this.callers = callers
  }

  static async start(job: TurnsJob): Promise<TurnsEngine> {
    const callers = new Map<string, TurnsCaller>()
    const listening = Promise.withResolvers<number>()
    const child = Bun.spawn(
      [process.execPath, '--no-env-file', join(import.meta.dir, 'turns-engine.ts'), JSON.stringify(job)],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
        ipc: (message) => {
          const said = message as FromTurnsEngine
          if (said.type === 'listening') listening.resolve(said.port)
          if (said.type === 'event') callers.get(said.callId)?.told.push({ event: said.event, atMs: said.atMs })
        },
        onExit: (_child, code) => listening.reject(new Error(`the engine ended with ${code}`)),
      },
    )
    return new TurnsEngine(child, await listening.promise, callers)
  }

  speakWith(files: readonly string[]): void {
    this.child.send({ type: 'voices', files })
  }

  async call(kind: ReplyKind, { noise, gain }: LineNoise, echo = false): Promise<TurnsCaller> {
    const uuid = callIdOf(kind, crypto.randomUUID())
    const back = echo ? { gain: 10 ** (echoDb / 20), delayMs: echoDelayMs } : null
    const caller = await TurnsCaller.call(this.port, uuid, noise, gain, back)
    this.callers.set(uuid, caller)
    return caller
  }

  async stop(): Promise<void> {
    this.child.send({ type: 'stop' })
    await this.child.exited
  }
}

export type { Sound, Turn }
export { isInterruption }
