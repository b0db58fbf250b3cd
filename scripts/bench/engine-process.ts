import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Provider } from '#agent/provider.ts'
import { Engine } from '#app'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { loadConfiguration } from '#config/load.ts'
import type { Configuration } from '#config/schema.ts'
import { builtInSource } from '#config/source.ts'
import { type VendorsConfiguration, vendorSchemas } from '#providers/schemas.ts'
import { createLog } from '#telemetry/log.ts'
import { openSwitchboard } from './media-switchboard.ts'
import { answerOrchestrator } from './media-usage.ts'
import type { EngineJob } from './media-wire.ts'

/** The measured process of `just bench media` and `just bench provider`: the real engine without Asterisk. */
export type Settings = Configuration<VendorsConfiguration>

export interface Partner {
  readonly name: string
  readonly provider: Provider<'agent'>
  /** Sections in place of those built in. */
  readonly settings?: Partial<Settings>
}

/** @param partnerOf says who answers the calls, of the configuration built in */
export async function runEngine(
  job: EngineJob,
  clock: Clock,
  partnerOf: (settings: Settings, log: Log) => Partner,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'patchcord-bench-'))
  const loaded = loadConfiguration({ ...builtInSource, env: { ASTERISK_ARI_PASSWORD: 'none' }, vendors: vendorSchemas })
  if (!loaded.ok) throw new Error(`the configuration built in does not load: ${loaded.error[0]?.message}`)
  const { configuration } = loaded.value
  // Lines are made as ever, but only trouble is shown.
  const log = createLog({ level: 'info', format: 'json', clock, write: showTrouble })
  const { name, provider, settings } = partnerOf(configuration, log)

  const engine = await Engine.start({
    configuration: {
      ...configuration,
      ...settings,
      default_provider: name,
      // All doors at 8 kHz, so that their figures can be compared.
      asterisk: { ...configuration.asterisk, host: '127.0.0.1', port: job.mediaPort },
      audiosocket: {
        ...configuration.audiosocket,
        host: '127.0.0.1',
        port: 0,
        format: 'slin',
        max_connections: job.callsMax,
      },
      external_media: {
        ...configuration.external_media,
        host: '127.0.0.1',
        format: 'ulaw',
        port_min: 20_000,
        port_max: 31_999,
      },
      media_websocket: {
        ...configuration.media_websocket,
        direction: 'connect',
        format: 'slin',
        max_connections: job.callsMax,
      },
      llm: { ...configuration.llm, initial_greeting: '' },
      turn_taking: { ...configuration.turn_taking, stop: job.turnEnds ? 'model' : 'silence' },
      // Without admission, what is measured is how calls fare, and not when the engine would refuse another.
      limits: {
        ...configuration.limits,
        calls: job.callsMax,
        ...(job.admission ? {} : { loop_lag_ms: 1000, pacing_lateness_ms: 1000 }),
      },
      health: { ...configuration.health, host: '127.0.0.1', port: 0 },
      records: { ...configuration.records, file: join(folder, 'calls.jsonl') },
    },
    env: {},
    secrets: {},
    log,
    clock,
    providers: { [name]: provider },
    ari: false,
  })
  if (job.vad) while (!engine.detection.readiness.ready) await Bun.sleep(20)
  else await engine.detection.close()
  while (!provider.readiness().ready) await Bun.sleep(20)

  await answerOrchestrator({
    port: job.door === 'audiosocket' ? engine.media.audioSocket.port : openSwitchboard(engine, job.door).port,
    calls: () => engine.store.size,
    async drained() {
      const { text } = await engine.metrics.scrape()
      const value = /^ai_agent_underruns_total (\d+)$/m.exec(text)?.[1]
      if (value === undefined) throw new Error('the engine does not say how often its playout ran dry')
      const { lateTicks, framesSkipped } = engine.pacer.counters
      return { underruns: Number(value), lateTicks, framesGivenUp: framesSkipped }
    },
    async stop() {
      await engine.stop(0)
      rmSync(folder, { recursive: true, force: true })
    },
  })
}

function showTrouble(line: string): void {
  if (/"level":"(warn|error)"/.test(line)) console.error(line)
}
