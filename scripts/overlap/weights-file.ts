import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeWeights } from '../../src/speech/weights-text.ts'

/** The models of our own: what makes each, what says where its weights lie, and the module's name and export. */
const models = {
  overlap: { script: 'train-overlap.ts', layout: 'overlap-network.ts', name: 'overlapWeights' },
  'overlap-head': { script: 'train-overlap-head.ts', layout: 'overlap-head.ts', name: 'overlapHeadWeights' },
  'turn-end': { script: 'train-turn-end.ts', layout: 'turn-end-head.ts', name: 'turnEndWeights' },
} as const

/** Into `src/speech/MODEL-weights.ts`. */
export function writeWeights(model: keyof typeof models, weights: Float32Array): void {
  const { script, layout, name } = models[model]
  const path = join(import.meta.dir, '..', '..', 'src', 'speech', `${model}-weights.ts`)
  const lines = [
    `/** Made by scripts/${script}; \`${layout}\` says what lies where. */`,
    '// biome-ignore format: one line',
    `export const ${name} = '${encodeWeights(weights)}'`,
    '',
  ]
  writeFileSync(path, lines.join('\n'))
  console.log(`wrote ${path}`)
}

/** A file of 32-bit floats and nothing else. */
export function floatsOf(path: string): Float32Array {
  const bytes = readFileSync(path)
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}
