import { machine } from './bench/figures.ts'

/**
 * The figures of the documents. Each line says what was measured, on how many values, and what it should be; the
 * machine stands above. Nothing here passes or fails: machines are shared and noisy.
 */
const help = `Usage: just bench [start | greeting | pacing | speech | all] [options]

  start      process start to /live and to speech detection ready; --binary FILE measures that binary
  greeting   StasisStart to the first greeting frame, through a real Asterisk
  pacing     gaps between frames while callers keep the models busy
  speech     recognition, voice and speech detection: errors and speed

  --rounds N     repetitions of start and greeting (default 20)
  --seconds N    length of pacing (default 30)
  --talkers N    callers that talk during pacing (default 2)
  --hogs N       endless loops at nice 5 beside it during pacing (default 0)`

async function main(argv: readonly string[]): Promise<number> {
  const option = (name: string) => {
    const index = argv.indexOf(`--${name}`)
    return index < 0 ? undefined : argv[index + 1]
  }
  if (argv.includes('--help')) {
    console.log(help)
    return 0
  }
  const [what = 'all'] = argv.filter((word, index) => !word.startsWith('--') && !argv[index - 1]?.startsWith('--'))
  if (!['start', 'greeting', 'pacing', 'speech', 'all'].includes(what)) {
    console.error(help)
    return 2
  }
  console.log(machine())
  const wants = (name: string) => what === name || what === 'all'
  const print = (lines: readonly string[]) => lines.forEach((line) => console.log(line))
  const rounds = Number(option('rounds') ?? 20)
  if (wants('start')) print(await (await import('./bench/start.ts')).benchStart(rounds, option('binary')))
  if (wants('greeting')) print(await (await import('./bench/greeting.ts')).benchGreeting(rounds))
  if (wants('pacing')) {
    const { benchPacing } = await import('./bench/pacing.ts')
    print(
      await benchPacing(Number(option('seconds') ?? 30), Number(option('talkers') ?? 2), Number(option('hogs') ?? 0)),
    )
  }
  if (wants('speech'))
    await Bun.spawn([process.execPath, '--no-env-file', `${import.meta.dir}/bench/speech.ts`], {
      stdio: ['ignore', 'inherit', 'inherit'],
    }).exited
  return 0
}

process.exit(await main(process.argv.slice(2)))
