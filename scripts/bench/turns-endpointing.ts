import type { EndpointingSettings } from '#call/endpointing.ts'
import { loadConfiguration } from '#config/load.ts'
import { builtInSource } from '#config/source.ts'
import { vendorSchemas } from '#providers/schemas.ts'
import { material } from '../../test/material/material.ts'
import type { Split } from '../../test/material/voices.ts'
import { type EndpointingOutcome, type JudgedTurn, judgeTurns, tryEndpointing } from './turns-pauses.ts'

/**
 * `just bench turns --only endpointing`: at equal shares of callers who are cut off, how much sooner the model lets the
 * agent answer than silence alone. The model's settings are chosen on the tune voices, or they would be chosen on what
 * they are shown with.
 */
export interface EndpointingFigures {
  readonly endpointing: {
    readonly turns: number
    readonly defaults: EndpointingOutcome
    readonly rows: readonly EndpointingRow[]
  }
}

interface EndpointingRow {
  /** Of the tune split's callers: what the model's settings were allowed. */
  readonly cut_off_max: number
  readonly settings: Pick<EndpointingSettings, 'minSilenceMs' | 'maxSilenceMs' | 'doneProbability'>
  readonly model: EndpointingOutcome
  /** The shortest silence that cuts off no more callers than the model did. */
  readonly silenceMs: number
  readonly silence: EndpointingOutcome
  /** 1 − mean delay with the model / with silence alone. */
  readonly mean_gain: number
}

const cutOffMax = [0.05, 0.1, 0.2, 0.3] as const
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
  const tried = allSettings(own).map((settings) => ({ settings, ...tryEndpointing(tune, settings, minSilenceMs) }))
  const rows: EndpointingRow[] = []
  for (const most of cutOffMax) {
    const allowed = tried.filter(({ cutOffRate }) => cutOffRate <= most)
    const best = allowed.sort((a, b) => a.meanMs - b.meanMs)[0]
    if (best !== undefined) rows.push(rowOf(most, best.settings, turns, minSilenceMs))
  }
  const defaults = tryEndpointing(turns, own, minSilenceMs)
  return {
    figures: { endpointing: { turns: turns.length, defaults, rows } },
    lines: [
      `endpointing, ${turns.length} turns of the ${job.split} voices, all with pauses in them or short answers; end of speech → end of the turn`,
      `as it is by default: ${said(defaults)}`,
      ...rows.map(
        ({ settings, model, silenceMs, silence, mean_gain: gain }) =>
          `model, ${settings.minSilenceMs} to ${settings.maxSilenceMs} ms, done at ${settings.doneProbability}: ${said(model)}; silence of ${silenceMs} ms: ${said(silence)}; ${Math.round(gain * 100)} % sooner by the mean`,
      ),
    ],
  }
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
  most: number,
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
  }
}

const said = ({ cutOffRate, meanMs, p50Ms, p95Ms }: EndpointingOutcome) =>
  `${(cutOffRate * 100).toFixed(1)} % cut off, mean ${Math.round(meanMs)}, p50 ${Math.round(p50Ms)}, p95 ${Math.round(p95Ms)} ms`
