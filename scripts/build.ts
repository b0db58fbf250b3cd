import { mkdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'

/**
 * Makes `dist/patchcord`: one executable with Bun, ONNX Runtime and Silero inside.
 *
 *   bun scripts/build.ts [--outfile FILE] [--entry FILE] [--target bun-linux-arm64]
 *
 * Workers are entry points of their own (see `src/speech/executable.ts` for their names inside). The executable reads no
 * .env, bunfig.toml or tsconfig.json of the folder it is started in: a preload there would run foreign code before the
 * first line of ours. eSpeak NG (GPL) must not be in it: the result is searched for it.
 */
const root = dirname(import.meta.dir)
const workers = ['src/speech/detection-worker.ts', 'src/speech/inference-worker.ts']
/** A name that eSpeak NG's WebAssembly wrapper is bound to hold. */
const gplMark = 'eSpeakNGWorker'

const { values } = parseArgs({
  options: {
    entry: { type: 'string', default: 'src/main.ts' },
    outfile: { type: 'string', default: join(root, 'dist', 'patchcord') },
    target: { type: 'string' },
  },
})

mkdirSync(dirname(values.outfile), { recursive: true })
const built = await Bun.build({
  entrypoints: [values.entry, ...workers].map((file) => (file.startsWith('/') ? file : join(root, file))),
  root,
  target: 'bun',
  minify: { syntax: true, whitespace: true },
  sourcemap: 'inline',
  compile: {
    outfile: values.outfile,
    autoloadDotenv: false,
    autoloadBunfig: false,
    // The language model's child imports a package from the model store, which takes its package.json to resolve.
    autoloadPackageJson: true,
    autoloadTsconfig: false,
    ...(values.target === undefined ? {} : { target: values.target as Bun.Build.CompileTarget }),
  },
})
for (const log of built.logs) console.error(String(log))
if (!built.success) process.exit(1)

// The maps are inside the executable; their copies beside it are of no use.
for (const map of new Bun.Glob('*.map').scanSync(dirname(values.outfile))) rmSync(join(dirname(values.outfile), map))

if (Buffer.from(await Bun.file(values.outfile).arrayBuffer()).includes(gplMark)) {
  console.error(`${values.outfile} contains eSpeak NG, which is under the GPL: it must be fetched, never bundled`)
  process.exit(1)
}
console.log(`${values.outfile}: ${(statSync(values.outfile).size / 1e6).toFixed(1)} MB`)
