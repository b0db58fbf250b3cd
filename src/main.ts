import { exitCodes } from '#cli/io.ts'

/**
 * argv → command → exit code. Each command is loaded only when it is asked for, so that `run` starts without the
 * fetching code and `version` without anything.
 */
const help = `patchcord: a voice-agent engine for Asterisk

Usage: patchcord COMMAND [options]

  run        start the engine
  check      check a configuration file
  explain    which agent a call goes to, what it is given, and why
  models     fetch and verify the local models
  dial       place a call without Asterisk and record what comes back
  demo       engine, one call with human speech, and what became of it
  health     the state of a running engine
  reload     lets a running engine read its configuration anew
  provider   list the providers, or give calls to another one
  version    print the version

patchcord COMMAND --help says more.`

async function main(argv: readonly string[]): Promise<number> {
  const [command = '', ...rest] = argv
  switch (command) {
    case 'run':
      return (await import('#cli/run.ts')).run(rest, await processIo())
    case 'check':
      return (await import('#cli/check-command.ts')).check(rest, await processIo())
    case 'explain':
      return (await import('#cli/explain.ts')).explain(rest, await processIo())
    case 'models':
      return (await import('#cli/models-command.ts')).models(rest, await processIo())
    case 'dial':
      return (await import('#cli/dial.ts')).dial(rest, await processIo())
    case 'demo':
      return (await import('#cli/demo.ts')).demo(rest, await processIo())
    case 'health':
      return (await import('#cli/health.ts')).health(rest, await processIo())
    case 'reload':
      return (await import('#cli/reload.ts')).reload(rest, await processIo())
    case 'provider':
      return (await import('#cli/provider.ts')).provider(rest, await processIo())
    case 'version':
    case '--version':
      console.log((await import('#base/version.ts')).version)
      return exitCodes.ok
    // Children that the engine starts as itself; not for people.
    case 'internal':
      return (await import('#cli/internal.ts')).internal(rest)
    case '':
    case 'help':
    case '--help':
    case '-h':
      console.log(help)
      return command === '' ? exitCodes.usage : exitCodes.ok
    default:
      console.error(`Unknown command ${command}.\n\n${help}`)
      return exitCodes.usage
  }
}

const processIo = async () => (await import('#cli/process-io.ts')).processIo

const argv = Bun.argv.slice(2)
const code = await main(argv)
const { printed } = await import('#cli/process-io.ts')
// Whoever has stopped reading an engine's log does not keep the engine.
await printed(argv[0] === 'run' ? { clock: new (await import('#base/clock.ts')).SystemClock(), ms: 1000 } : undefined)
// A command that has ended leaves nothing behind that should keep the process.
process.exit(code)
