import type { EndpointingSettings } from '#call/endpointing.ts'
import { loadConfiguration } from '#config/load.ts'
import { builtInSource } from '#config/source.ts'
import { vendorSchemas } from '#providers/schemas.ts'
import { material } from '../../test/material/material.ts'
import type { Split } from '../../test/material/voices.ts'
import { type EndpointingOutcome, type JudgedTurn, judgeTurns, tryEndpointing } from './turns-pauses.ts'

/**
 * `just bench turns --only endpointing`: at equal shares of callers who are cut off, how much sooner the model lets the
 * agent answer than silence alone. First as it is by default, then with settings that are chosen on the tune voices, or
 * they would be chosen on what they are shown with. Words count where the recogniser of this machine knows the language,
 * which is English: so those callers are shown by themselves as well.
 */
export interface EndpointingFigures {
  readonly endpointing: Readonly<Record<CallerGroup, GroupFigures>>
}

interface GroupFigures {
  readonly turns: number
  readonly human: number
  readonly defaults: EndpointingRow
  /** Of turns of a kind, as it is by default. */
  readonly cut_off_by_kind: Readonly<Record<string, number>>
  readonly rows: readonly EndpointingRow[]
}

interface EndpointingRow {
  /** Of the tune split's callers: what the model's settings were allowed; null for the defaults. */
  readonly cut_off_max: number | null
  readonly settings: Pick<EndpointingSettings, 'minSilenceMs' | 'maxSilenceMs' | 'doneProbability'>
  readonly model: EndpointingOutcome
  /** The shortest silence that cuts off no more callers than the model did. */
  readonly silenceMs: number
  readonly silence: EndpointingOutcome
  /** 1 − delay with the model / with silence alone. */
  readonly mean_gain: number
  readonly p50_gain: number
}

const callerGroups = {
  english: ({ language }: JudgedTurn) => language === 'en',
  other: ({ language }: JudgedTurn) => language !== 'en' && language !== 'cs',
  czech: ({ language }: JudgedTurn) => language === 'cs',
  all: () => true,
}
type CallerGroup = keyof typeof callerGroups
const groupNames: Readonly<Record<CallerGroup, string>> = {
  english: 'English, with words',
  other: 'other languages, without words',
  czech: 'Czech, which the model was not trained on',
  all: 'all',
}

const cutOffMax = [0.02, 0.03, 0.05, 0.08, 0.12] as const
const minSilences = [240, 300, 400, 500, 600, 700, 800, 900]
const maxSilences = [1000, 1200, 1400, 1600, 2000, 2500]
const doneProbabilities = [0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99]
const silences = Array.from({ length: 140 }, (_, index) => 200 + index * 20)

export async function benchEndpointing(job: {
  readonly split: Split
  readonly seed: number
  readonly scale: number
}): Promise<{ readonly lines: readonly string[]; readonly figures: EndpointingFigures }> {
  const loaded = loadConfiguration({ ...builtInSource, env: { ASTERISK_ARI_PASSWORD: 'none' }, vendors: vendorSchemas })
  if (!loaded.ok) throw new Error(`the configuration built in does not load: ${loaded.error[0]?.message}`)
  const { vad, turn_taking: turnTaking } = loaded.value.configuration
  const { threshold, min_speech_ms: minSpeechMs, min_silence_ms: minSilenceMs } = vad
  const own: EndpointingSettings = {
    stop: turnTaking.stop,
    silenceMs: vad.end_silence_ms,
    minSilenceMs: turnTaking.min_silence_ms,
    maxSilenceMs: turnTaking.max_silence_ms,
    doneProbability: turnTaking.done_probability,
  }
  const judged = async (split: Split) => {
    const stuff = await material(split, { seed: job.seed, coding: 'mulaw', onProgress: (line) => console.error(line) })
    const max = Math.max(1, Math.round(stuff.turns.length * job.scale))
    return await judgeTurns(stuff, { threshold, minSpeechMs, minSilenceMs }, job.seed, max)
  }
  const tune = await judged('tune')
  const turns = job.split === 'tune' ? tune : await judged(job.split)
  const lines: string[] = []
  const groups: Partial<Record<CallerGroup, GroupFigures>> = {}
  for (const [group, isOf] of Object.entries(callerGroups) as [CallerGroup, (turn: JudgedTurn) => boolean][]) {
    const [chosenOn, shownOn] = [tune.filter(isOf), turns.filter(isOf)]
    if (chosenOn.length === 0 || shownOn.length === 0) continue
    const figures = groupFigures(chosenOn, shownOn, own, minSilenceMs)
    groups[group] = figures
    lines.push(...linesOf(group, job.split, figures))
  }
  return { figures: { endpointing: groups as Record<CallerGroup, GroupFigures> }, lines }
}

function groupFigures(
  tune: readonly JudgedTurn[],
  turns: readonly JudgedTurn[],
  own: EndpointingSettings,
  minSilenceMs: number,
): GroupFigures {
  const tried = allSettings(own).map((settings) => ({ settings, ...tryEndpointing(tune, settings, minSilenceMs) }))
  const rows = cutOffMax.flatMap((most) => {
    const allowed = tried.filter(({ cutOffRate }) => cutOffRate <= most)
    const best = allowed.sort((a, b) => a.meanMs - b.meanMs)[0]
    return best === undefined ? [] : [rowOf(most, best.settings, turns, minSilenceMs)]
  })
  const kinds = Map.groupBy(turns, ({ kind }) => kind)
  return {
    turns: turns.length,
    human: turns.filter(({ human }) => human).length,
    defaults: rowOf(null, own, turns, minSilenceMs),
    cut_off_by_kind: Object.fromEntries(
      [...kinds].map(([kind, of]) => [kind, tryEndpointing(of, own, minSilenceMs).cutOffRate]),
    ),
    rows,
  }
}

function linesOf(group: CallerGroup, split: Split, figures: GroupFigures): string[] {
  const kinds = Object.entries(figures.cut_off_by_kind).map(([kind, rate]) => `${kind} ${(rate * 100).toFixed(1)} %`)
  return [
    `endpointing, ${groupNames[group]}: ${figures.turns} turns of the ${split} voices, ${figures.human} of them people's; end of speech → end of the turn`,
    `  as it is by default: ${compared(figures.defaults)}`,
    `  cut off by default, by kind of turn: ${kinds.join(', ')}`,
    ...figures.rows.map(
      (row) => `  chosen for ${Math.round((row.cut_off_max ?? 0) * 100)} % on the tune voices: ${compared(row)}`,
    ),
  ]
}

function compared({ settings, model, silenceMs, silence, mean_gain, p50_gain }: EndpointingRow): string {
  const percent = (share: number) => `${Math.round(share * 100)} %`
  return `${settings.minSilenceMs} to ${settings.maxSilenceMs} ms, done at ${settings.doneProbability}: ${said(model)}; silence of ${silenceMs} ms: ${said(silence)}; sooner by ${percent(mean_gain)} of the mean, ${percent(p50_gain)} of the median`
}

function allSettings(own: EndpointingSettings): EndpointingSettings[] {
  return minSilences.flatMap((minSilenceMs) =>
    maxSilences.flatMap((maxSilenceMs) =>
      doneProbabilities.map((doneProbability) => ({
        ...own,
        stop: 'model',
        minSilenceMs,
        maxSilenceMs,
        doneProbability,
      })),
    ),
  )
}

function rowOf(
  most: number | null,
  settings: EndpointingSettings,
  turns: readonly JudgedTurn[],
  minSilenceMs: number,
): EndpointingRow {
  const { minSilenceMs: min, maxSilenceMs, doneProbability } = settings
  const model = tryEndpointing(turns, settings, minSilenceMs)
  const bySilence = (silenceMs: number) =>
    tryEndpointing(turns, { ...settings, stop: 'silence', silenceMs }, minSilenceMs)
  const silenceMs = silences.find((ms) => bySilence(ms).cutOffRate <= model.cutOffRate) ?? Number.NaN
  const silence = bySilence(silenceMs)
  return {
    cut_off_max: most,
    settings: { minSilenceMs: min, maxSilenceMs, doneProbability },
    model,
    silenceMs,
    silence,
    mean_gain: 1 - model.meanMs / silence.meanMs,
    p50_gain: 1 - model.p50Ms / silence.p50Ms,
  }
}

const said = ({ cutOffRate, meanMs, p50Ms, p95Ms }: EndpointingOutcome) =>
  `${(cutOffRate * 100).toFixed(1)} % cut off, mean ${Math.round(meanMs)}, p50 ${Math.round(p50Ms)}, p95 ${Math.round(p95Ms)} ms`

if (import.meta.main) {
  const { lines, figures } = await benchEndpointing({ split: 'report', seed: 1, scale: 1 })
  for (const line of lines) console.log(line)
  if (process.argv.includes('--json')) console.log(JSON.stringify(figures))
  process.exit(0)
}
