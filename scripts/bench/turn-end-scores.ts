import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import type { ModelStore } from '#speech/model-store.ts'
import type { SmartTurn } from '#speech/smart-turn.ts'
import { Voice } from '#speech/voice.ts'
import { synthetic } from '../../test/bed/speech.ts'
import {
  areaUnderCurve,
  begunTurns,
  cutSentence,
  cutTurns,
  digitTurns,
  onLine,
  type SaidTurn,
  saidOnly,
  type TurnSet,
  wholeTurns,
} from '../../test/bed/turn-ends.ts'
import { readWav } from '../../test/bed/wav-file.ts'
import { percentile } from './figures.ts'

/**
 * How the end-of-turn model scores human and synthetic turns at 8 kHz, with line noise of −60 dBFS: what the limits of
 * endpointing are chosen by. Every line names its material; all of it comes from packages, and is the same each time.
 */
export interface TurnEndScores {
  /** Human sentences, whole against cut, by the silence after the last word. */
  readonly by_silence: readonly SilenceScore[]
  /** At 100 ms and 200 ms of silence: min, p10, p25, p50, p75, p90, max. */
  readonly sets: readonly {
    readonly name: string
    readonly n: number
    readonly ms100: readonly number[]
    readonly ms200: readonly number[]
  }[]
}

interface SilenceScore {
  readonly silence_ms: number
  readonly auc: number
  /** Share that scores at least so much. */
  readonly at: readonly { readonly limit: number; readonly whole: number; readonly cut: number }[]
}

const silencesMs = [60, 100, 150, 200, 300, 400]
const reportedMs = [100, 200]
const limits = [0.3, 0.5, 0.7, 0.8, 0.9, 0.95]
const shares = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]
/** Of the prompts one in so many: what counts is the spread, not the third digit. */
const everyPrompt = 6

const yes = ['Yes.', 'Yeah.', 'Yes, please.', 'Sure.', 'Okay.', 'Yep.']
const no = ['No.', 'Nope.', 'No, thanks.', 'Not really.']
const short = ['Tomorrow.', 'At five.', 'Two people.', 'Four two one.', 'My name is Smith.', 'The blue one.', 'Hello?']
const whole = [
  'I would like to book a table for two people, please.',
  'Can you tell me when my package will arrive?',
  'My order number is four two one seven.',
  'I need to speak to somebody about my bill.',
  'What are your opening hours on Saturday?',
  'The appointment on Tuesday does not work for me.',
]
/** Spoken with no full stop: the voice stays up, as a speaker does who searches for the next word. */
const unfinished = [
  'I would like to book a table for',
  'Can you tell me when my',
  'My order number is',
  'I need to speak to somebody about the',
  'What are your',
  'The appointment on Tuesday, um',
]

export async function scoreTurnEnds(
  model: SmartTurn,
  store: ModelStore,
): Promise<{ readonly lines: readonly string[]; readonly figures: TurnEndScores }> {
  const over = await wholeTurns(everyPrompt)
  const notOver = await cutTurns(everyPrompt)
  // keyed by: name of the set
  const known = new Map<string, number[][]>()
  for (const set of [...over, ...notOver]) known.set(set.name, await scoresOf(model, set, silencesMs))
  const scoredAt = (sets: readonly TurnSet[], at: number) => sets.flatMap(({ name }) => known.get(name)?.[at] ?? [])
  const bySilence = silencesMs.map((silenceMs, at) =>
    silenceScore(silenceMs, scoredAt(over, at), scoredAt(notOver, at)),
  )
  const sets = []
  const others = [await begunTurns(), ...(await digitTurns(20, 7)), ...(await spoken(store))]
  for (const set of [...over, ...notOver, ...others]) {
    const scores = known.get(set.name) ?? (await scoresOf(model, set, reportedMs))
    const spread = (silenceMs: number) => {
      const at = (known.has(set.name) ? silencesMs : reportedMs).indexOf(silenceMs)
      return shares.map((share) => rounded(percentile(scores[at] ?? [], share)))
    }
    sets.push({ name: set.name, n: set.turns.length, ms100: spread(100), ms200: spread(200) })
  }
  return { lines: linesOf(bySilence, sets), figures: { by_silence: bySilence, sets } }
}

/** For each silence the scores of all turns. */
async function scoresOf(model: SmartTurn, set: TurnSet, silences: readonly number[]): Promise<number[][]> {
  const all: number[][] = []
  for (const silenceMs of silences) {
    const scores: number[] = []
    for (const turn of set.turns) scores.push(await model.judge(onLine(turn, silenceMs), 8000))
    all.push(scores)
  }
  return all
}

function silenceScore(silenceMs: number, over: readonly number[], notOver: readonly number[]): SilenceScore {
  const reach = (scores: readonly number[], limit: number) =>
    rounded(scores.filter((each) => each >= limit).length / scores.length)
  const at = limits.map((limit) => ({ limit, whole: reach(over, limit), cut: reach(notOver, limit) }))
  return { silence_ms: silenceMs, auc: rounded(areaUnderCurve(over, notOver)), at }
}

function linesOf(bySilence: readonly SilenceScore[], sets: TurnEndScores['sets']): string[] {
  const percent = (share: number) => `${Math.round(share * 100)} %`
  const spread = (values: readonly number[]) => values.map((value) => value.toFixed(2)).join(' ')
  return [
    'human sentences, whole and cut; by the silence that was heard: area under the curve; share of whole / cut that score at least',
    ...bySilence.map(
      ({ silence_ms, auc, at }) =>
        `  ${silence_ms} ms: ${auc.toFixed(2)}; ${at.map((each) => `${each.limit}: ${percent(each.whole)} / ${percent(each.cut)}`).join(', ')}`,
    ),
    'scores after 100 ms | 200 ms of silence: min p10 p25 p50 p75 p90 max',
    ...sets.map(({ name, n, ms100, ms200 }) => `  ${name} (${n}): ${spread(ms100)} | ${spread(ms200)}`),
  ]
}

/** The same texts by both voices: of a robot, and of the Piper voice that the engine itself speaks with. */
async function spoken(store: ModelStore): Promise<TurnSet[]> {
  const sets: TurnSet[] = []
  for (const [voice, say] of [
    ['eSpeak', robot],
    ['Piper', await piper(store)],
  ] as const) {
    const said = (texts: readonly string[]) => inTurn(texts, say)
    const sentences = await said(whole)
    sets.push({ name: `${voice}: yes`, turns: await said(yes) })
    sets.push({ name: `${voice}: no`, turns: await said(no) })
    sets.push({ name: `${voice}: short answers`, turns: await said(short) })
    sets.push({ name: `${voice}: sentences, whole`, turns: sentences })
    sets.push({ name: `${voice}: sentences, cut`, turns: sentences.flatMap(cutSentence) })
    sets.push({ name: `${voice}: sentences, the end not said`, turns: await said(unfinished) })
  }
  return sets
}

async function inTurn(texts: readonly string[], say: (text: string) => Promise<Int16Array>): Promise<SaidTurn[]> {
  const turns: SaidTurn[] = []
  for (const text of texts) turns.push(saidOnly(await say(text)))
  return turns
}

async function robot(text: string): Promise<Int16Array> {
  return (await readWav((await synthetic(text)).path)).samples
}

async function piper(store: ModelStore): Promise<(text: string) => Promise<Int16Array>> {
  const clock = new SystemClock()
  const models = ['piper-en-us-joe-medium', 'phonemizer']
  const fetched = await store.ensure(models, () => {})
  if (!fetched.ok) throw new Error(fetched.error.map(({ message }) => message).join('\n'))
  const model = store.path('piper-en-us-joe-medium', 'en_US-joe-medium.onnx')
  const voice = new Voice({ clock, log: silentLog, model, phonemizerFolder: store.path('phonemizer') })
  voice.start()
  while (!voice.readiness.ready) await clock.sleep(10)
  const never = new AbortController().signal
  return async (text) => {
    const parts: Int16Array[] = []
    const spokenText = await voice.speak(text, 8000, never, (samples) => parts.push(samples.slice()))
    if (!spokenText.ok) throw new Error(spokenText.error.message)
    return Int16Array.from(parts.flatMap((part) => [...part]))
  }
}

const rounded = (value: number) => Math.round(value * 1000) / 1000
