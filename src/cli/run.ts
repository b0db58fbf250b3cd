import { resolve } from 'node:path'
import type { Engine, EngineDeps } from '#app'
import { SystemClock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { messageOf } from '#base/result.ts'
import { version } from '#base/version.ts'
import { answeringName } from '#config/schema.ts'
import type { Environment } from '#config/secrets.ts'
import { usualFile } from '#config/source.ts'
import { Listener } from '#http/listener.ts'
import { type EngineStatus, notReadyReasons } from '#http/status.ts'
import { selfCommand } from '#speech/executable.ts'
import { editInChild } from './edit-child.ts'
import { type EngineConfig, engineConfig } from './engine-config.ts'
import { FileWatch } from './file-watch.ts'
import { IdleChild } from './idle-child.ts'
import { type CommandIo, exitCodes } from './io.ts'
import { parseOptions } from './options.ts'
import { examineAnew, rereadEngineConfig } from './reread.ts'
import { openRunLog } from './run-log.ts'
import { followSignals } from './run-signals.ts'

const help = `Usage: patchcord run [options]

Starts the engine: it takes calls on its AudioSocket port at once, keeps trying to reach the Asterisk of
its configuration, and stops on SIGTERM or Ctrl-C when running calls have ended. When the configuration
file changes, on SIGHUP, and when patchcord reload asks for it, it reads the file anew: the next call has
what changed, running calls keep what they began with.

  --config FILE     the configuration; else ./config/ai-agent.yaml, else the copy built in
  --env-file FILE   variables for it, one NAME=value a line; the environment's own win
  --provider NAME   answer calls with this provider or pipeline instead of the configured one
  --log-file FILE   write the log there too, as JSON lines; at 20 MB it is renamed to FILE.1
  --fetch-models    fetch what the local provider lacks while the engine runs
  --help            this text

Exit codes: 0 stopped as asked, 1 could not start, 2 wrong arguments or configuration.`

export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions(argv, {
    config: 'text',
    'env-file': 'text',
    provider: 'text',
    'log-file': 'text',
    'fetch-models': 'flag',
    help: 'flag',
  })
  if (!options.ok) {
    io.stderr(`${options.error}\n\n${help}`)
    return exitCodes.usage
  }
  if (options.value.help === true) {
    io.stdout(help)
    return exitCodes.ok
  }
  const configOptions = {
    config: options.value.config,
    envFile: options.value['env-file'],
    provider: options.value.provider,
  }
  const clock = new SystemClock()
  let engine: Engine | null = null
  const watch = new FileWatch({
    path: resolve(io.cwd, configOptions.config ?? usualFile),
    clock,
    changed: () => void engine?.reload('file'),
  })
  const loaded = engineConfig(io, configOptions)
  if (loaded === null) return exitCodes.usage

  const reader = new IdleChild({ command: selfCommand(['internal', 'configuration']), env: io.env, clock })
  const now = () => engine?.configuration ?? loaded.configuration
  const { log, flushed } = openRunLog(io, options.value['log-file'], clock, () => now().logging)
  const stopping = Promise.withResolvers<void>()
  followSignals({
    clock,
    actions: {
      stop: (signal) => {
        log.info('asked to stop', { signal, calls: engine?.store.size ?? 0 })
        stopping.resolve()
      },
      hurry: () => engine?.hurry(),
      reload: () => void engine?.reload('signal'),
    },
  })
  try {
    engine = await startEngine(loaded, {
      log,
      clock,
      read: () => rereadEngineConfig(io, configOptions, loaded, reader),
      file: {
        examine: (text) => examineAnew(io, { ...configOptions, text: text ?? undefined }, loaded, reader),
        edit: (path, name, key, value) => editInChild(path, name, key, value, { env: loaded.env, clock }),
      },
    })
  } catch (thrown) {
    io.stderr(messageOf(thrown))
    return exitCodes.failed
  }
  // A bug outside of any call must not take the calls along.
  process.on('uncaughtException', (thrown) => log.error('a fault of the engine', { why: messageOf(thrown) }))
  process.on('unhandledRejection', (thrown) => log.error('a fault of the engine', { why: messageOf(thrown) }))
  watch.start(log)
  log.info('engine started', {
    version,
    configuration: loaded.file,
    provider: answeringName(engine.configuration),
    audiosocket: engine.audioSocketAddress,
    http: engine.httpUrl,
  })
  for (const line of welcome(engine, engine.configuration.asterisk.app_name)) io.stdout(line)
  if (options.value['fetch-models'] === true) void fetchModels(loaded.configuration.models.dir, loaded.env, log)
  void announceReadiness(engine, io, clock, stopping.promise)
  await stopping.promise
  watch.close()
  await Promise.all([engine.stop(), reader.close()])
  log.info('engine stopped')
  await flushed()
  return exitCodes.ok
}

/** The port first: what follows takes longer to load than the rest of this command. Throws when a port is taken. */
async function startEngine(
  { configuration, env, secrets, fromEnvironment, provenance }: EngineConfig,
  deps: Pick<EngineDeps, 'log' | 'clock' | 'read' | 'file'>,
): Promise<Engine> {
  const http = new Listener(configuration.health.host, configuration.health.port)
  const { Engine: LoadedEngine } = await import('#app')
  return await LoadedEngine.start({ configuration, env, secrets, fromEnvironment, provenance, http, ...deps })
}

/**
 * In a process of its own: writing and hashing so much would hold up the audio of calls that other providers serve
 * meanwhile. The local provider takes the models up as they come.
 */
async function fetchModels(configured: string, env: Environment, log: Log): Promise<void> {
  const folder = configured === '' ? [] : ['--dir', configured]
  const child = Bun.spawn(selfCommand(['models', ...folder]), {
    env: { ...env },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const said = (await new Response(child.stderr).text()).trim().split('\n')
  if ((await child.exited) === exitCodes.ok) log.info('models are complete')
  else log.error('not all models could be fetched: run patchcord models', { why: said.slice(-3).join(' ') })
}

function welcome(engine: Engine, application: string): string[] {
  return [
    '',
    `patchcord ${version} takes calls at ${engine.audioSocketAddress} (AudioSocket); its state: ${engine.httpUrl}/health`,
    '',
    '  Without a telephone, in another terminal:   just dial      (or: patchcord dial)',
    `  From Asterisk with ARI, in extensions.conf: exten => 100,1,Stasis(${application})`,
    '    and an ARI user in ari.conf, whose name and password the engine finds in',
    '    ASTERISK_ARI_USERNAME and ASTERISK_ARI_PASSWORD (README.md, "Point an Asterisk at it").',
    '  From Asterisk without ARI:                  exten => 200,1,Answer()',
    `                                               same => n,AudioSocket(<a UUID>,${engine.audioSocketAddress})`,
    '',
  ]
}

function readyLine({ ariConnected, ariProblem }: EngineStatus): string {
  if (ariConnected) return 'Ready: calls are answered.'
  return `Ready for calls to the AudioSocket port; not yet for Stasis: ${ariProblem}`
}

/** Says once that calls are answered, and until then what is missing, each time it changes. */
async function announceReadiness(
  engine: Engine,
  io: CommandIo,
  clock: SystemClock,
  stopped: Promise<void>,
): Promise<void> {
  const over = new AbortController()
  void stopped.then(() => over.abort())
  let said = ''
  while (!over.signal.aborted) {
    // A missing Asterisk is no reason to wait: calls come to the AudioSocket port without it.
    const status = engine.status()
    const reasons = notReadyReasons({ ...status, ariConnected: true })
    const line = reasons.length > 0 ? `Not ready yet: ${reasons.join('; ')}` : readyLine(status)
    if (line !== said) io.stdout(line)
    said = line
    if (reasons.length === 0) return
    await clock.sleep(250, over.signal)
  }
}
