// Prints what the material holds, by class, split and kind of voice. `--json` for programs, `--dump DIR` also writes
// every clip as a WAV with a manifest.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeWav } from '../bed/wav-file.ts'
import { activeLevelDbfs, RATE_HZ, toMs } from './audio.ts'
import { type Clip, durationMs, material, type Turn } from './material.ts'
import type { Split } from './voices.ts'

const SEED = 1
const SPLITS: readonly Split[] = ['tune', 'report']

interface Row {
  readonly split: Split
  readonly class: string
  readonly human: number
  readonly synthetic: number
  readonly voices: number
  readonly humanVoices: number
  readonly seconds: number
  readonly msMin: number
  readonly msMedian: number
  readonly msMax: number
  readonly levelDbfsMin: number
  readonly levelDbfsMax: number
  readonly pauses: number
}

function rowOf(split: Split, name: string, sounds: readonly (Clip | Turn)[]): Row {
  const lengths = sounds.map(durationMs).sort((a, b) => a - b)
  const levels = sounds.map(({ samples }) => activeLevelDbfs(samples)).sort((a, b) => a - b)
  const human = sounds.filter((sound) => sound.human)
  const round = (value: number | undefined, digits = 0) => Number((value ?? 0).toFixed(digits))
  return {
    split,
    class: name,
    human: human.length,
    synthetic: sounds.length - human.length,
    voices: new Set(sounds.map(({ voice }) => voice)).size,
    humanVoices: new Set(human.map(({ voice }) => voice)).size,
    seconds: round(lengths.reduce((sum, ms) => sum + ms, 0) / 1000),
    msMin: round(lengths[0]),
    msMedian: round(lengths[Math.floor(lengths.length / 2)]),
    msMax: round(lengths.at(-1)),
    levelDbfsMin: round(levels[0], 1),
    levelDbfsMax: round(levels.at(-1), 1),
    pauses: sounds.reduce((sum, sound) => sum + ('pauses' in sound ? sound.pauses.length : 0), 0),
  }
}

const argv = process.argv.slice(2)
const dump = argv.includes('--dump') ? argv[argv.indexOf('--dump') + 1] : undefined
const rows: Row[] = []
const manifest: unknown[] = []
for (const split of SPLITS) {
  const { clips, turns, noises } = await material(split, {
    seed: SEED,
    onProgress: (line) => console.error(`material: ${line}`),
  })
  const classes = Map.groupBy<string, Clip | Turn>([...clips, ...turns], (sound) =>
    'label' in sound ? sound.label : `turn_${sound.kind}`,
  )
  for (const name of [...classes.keys()].sort()) rows.push(rowOf(split, name, classes.get(name) ?? []))
  if (dump !== undefined) await write(dump, split, [...clips, ...turns], noises)
}
if (dump !== undefined) await Bun.write(join(dump, 'manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`)
if (argv.includes('--json')) console.log(JSON.stringify({ seed: SEED, rows }))
else console.table(rows)

async function write(
  folder: string,
  split: Split,
  sounds: readonly (Clip | Turn)[],
  noises: readonly { kind: string; samples: Int16Array }[],
): Promise<void> {
  mkdirSync(join(folder, split), { recursive: true })
  for (const { samples, id, ...rest } of sounds) {
    const path = join(folder, split, `${id}.wav`)
    await writeWav(path, { sampleRateHz: RATE_HZ, samples })
    const label = 'label' in rest ? rest.label : `turn_${rest.kind}`
    manifest.push({ path, ...rest, label, durationMs: toMs(rest.offsetSample - rest.onsetSample) })
  }
  for (const [i, { kind, samples }] of noises.entries()) {
    await writeWav(join(folder, split, `noise-${kind}-${i}.wav`), { sampleRateHz: RATE_HZ, samples })
  }
}
