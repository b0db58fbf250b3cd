import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BedEngine, type EngineOptions } from './engine.ts'

/**
 * The engine as a process of its own, with a cascade of Deepgram's recognition, an OpenAI-compatible model and Deepgram's
 * voice in the place of the loopback: pipelines have no names in the file yet.
 */
export interface CascadeScript {
  /** Of the stand-in for Deepgram. */
  readonly deepgramUrl: string
  /** With its version path. */
  readonly llmUrl: string
  readonly listen: Readonly<Record<string, unknown>>
  readonly transport: 'websocket' | 'rest'
}

const scriptVariable = 'PATCHCORD_BED_CASCADE'

export async function startCascadeEngine(
  script: CascadeScript,
  options: Omit<EngineOptions, 'binary' | 'provider'>,
): Promise<BedEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'patchcord-cascade-'))
  // The bed starts one file with `run --config FILE`; this one starts the module below.
  const starter = join(folder, 'engine')
  writeFileSync(starter, `#!/bin/sh\nexec '${process.execPath}' --no-env-file '${import.meta.path}' "$@"\n`)
  chmodSync(starter, 0o755)
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return await BedEngine.start({
    ...options,
    provider: 'loopback',
    binary: starter,
    env: { ...options.env, [scriptVariable]: JSON.stringify(script) },
  })
}

/** Imported only here: a test that starts an engine needs none in its own process. */
async function main(file: string): Promise<void> {
  const { Engine } = await import('#app')
  const { createCascade } = await import('#agent/cascade.ts')
  const { SystemClock } = await import('#base/clock.ts')
  const { systemRandom: random } = await import('#base/random.ts')
  const { loadConfiguration } = await import('#config/load.ts')
  const { vendorSchemas } = await import('#providers/schemas.ts')
  const { createDeepgramStt } = await import('#providers/deepgram/stt.ts')
  const { createDeepgramTts } = await import('#providers/deepgram/tts.ts')
  const { createOpenAiCompatibleLlm } = await import('#providers/openai-compatible/llm.ts')
  const { createLog } = await import('#telemetry/log.ts')
  const env = process.env
  const script = JSON.parse(env[scriptVariable] ?? '') as CascadeScript
  const clock = new SystemClock()
  const loaded = loadConfiguration({ text: readFileSync(file, 'utf8'), file, env, vendors: vendorSchemas })
  if (!loaded.ok) throw new Error(`${file}: ${loaded.error.map((issue) => issue.message).join('; ')}`)
  const { configuration } = loaded.value
  const { level } = configuration.logging
  const log = createLog({ level, format: 'json', clock, write: (line) => void process.stderr.write(`${line}\n`) })
  const { deepgram, local } = configuration.providers
  const options = {
    ...deepgram,
    base_url: script.deepgramUrl,
    api_key_env: '',
    listen: { ...deepgram.listen, ...script.listen },
    speak: { ...deepgram.speak, transport: script.transport },
  }
  const deps = { clock, random, log, env }
  const engine = await Engine.start({
    configuration,
    env,
    log,
    clock,
    providers: {
      loopback: createCascade({
        name: 'loopback',
        stt: createDeepgramStt('deepgram', options, deps),
        llm: createOpenAiCompatibleLlm({ ...local.llm, base_url: script.llmUrl }, deps),
        tts: createDeepgramTts('deepgram', options, deps),
      }),
    },
  })
  process.once('SIGTERM', () => void engine.stop(0).then(() => process.exit(0)))
}

if (import.meta.main) {
  const at = process.argv.indexOf('--config')
  await main(process.argv[at + 1] ?? '')
}
