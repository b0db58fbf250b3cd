import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReplyScript } from '../fakes/scripted-agent.ts'
import { BedEngine, type EngineOptions } from './engine.ts'
import { parseWav } from './wav-file.ts'

/**
 * The engine as a process of its own, with a scripted agent in the place of the loopback: what it says, and at which
 * pace, comes out of the environment. All else is the real engine, its speech detection too.
 */
export interface ScriptedEngineScript {
  /** A mono WAV at 8 kHz: each reply is the beginning of it. */
  readonly sound: string
  /** By call, in the order in which they come: one reply after the other, the greeting first; the last is repeated. */
  readonly calls: readonly (readonly ReplyScript[])[]
}

export const scriptVariable = 'PATCHCORD_BED_SCRIPT'

export async function startScriptedEngine(
  script: ScriptedEngineScript,
  options: Omit<EngineOptions, 'binary' | 'provider'>,
): Promise<BedEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'patchcord-scripted-'))
  const scriptFile = join(folder, 'script.json')
  writeFileSync(scriptFile, JSON.stringify(script))
  // The bed starts one file with `run --config FILE`; this one starts the module below.
  const starter = join(folder, 'engine')
  writeFileSync(starter, `#!/bin/sh\nexec '${process.execPath}' --no-env-file '${import.meta.path}' "$@"\n`)
  chmodSync(starter, 0o755)
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return await BedEngine.start({
    ...options,
    provider: 'loopback',
    binary: starter,
    env: { ...options.env, [scriptVariable]: scriptFile },
  })
}

/** Imported only here: a test that starts an engine needs none in its own process. */
async function main(file: string): Promise<void> {
  const { Engine } = await import('#app')
  const { SystemClock } = await import('#base/clock.ts')
  const { loadConfiguration } = await import('#config/load.ts')
  const { vendorSchemas } = await import('#providers/schemas.ts')
  const { createLog } = await import('#telemetry/log.ts')
  const { createScriptedAgent } = await import('../fakes/scripted-agent.ts')
  const env = process.env
  const script = JSON.parse(readFileSync(env[scriptVariable] ?? '', 'utf8')) as ScriptedEngineScript
  const sound = parseWav(new Uint8Array(readFileSync(script.sound))).samples
  const clock = new SystemClock()
  const known: string[] = []
  const loaded = loadConfiguration({ text: readFileSync(file, 'utf8'), file, env, vendors: vendorSchemas })
  if (!loaded.ok) throw new Error(`${file}: ${loaded.error.map((issue) => issue.message).join('; ')}`)
  const { configuration } = loaded.value
  const { level } = configuration.logging
  const engine = await Engine.start({
    configuration,
    env,
    secrets: {},
    log: createLog({ level, format: 'json', clock, write: (line) => void process.stderr.write(`${line}\n`) }),
    clock,
    providers: {
      loopback: createScriptedAgent({
        name: 'loopback',
        turnDetection: 'engine',
        clock,
        script: (number, _askedBy, { callId }) => {
          if (!known.includes(callId)) known.push(callId)
          const replies = script.calls[known.indexOf(callId) % script.calls.length] ?? []
          return replies[Math.min(number, replies.length) - 1] ?? []
        },
        sound: (_reply, from, count) => sound.slice(from, from + count),
      }),
    },
  })
  process.once('SIGTERM', () => void engine.stop(0).then(() => process.exit(0)))
}

if (import.meta.main) {
  const at = process.argv.indexOf('--config')
  await main(process.argv[at + 1] ?? '')
}
