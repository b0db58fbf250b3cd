import { parseArgs } from 'node:util'
import { SystemClock } from '#base/clock.ts'
import { systemRandom } from '#base/random.ts'
import { messageOf } from '#base/result.ts'
import { type OptionKind, type StandinCommand, UsageError } from './standin/command.ts'
import { deepgramStandin } from './standin/deepgram.ts'
import { openAiStandin } from './standin/openai.ts'
import { sentences } from './standin/rehearsal.ts'
import { spoken } from './standin/rehearsal-voice.ts'

/** Stand-ins for vendors that run by themselves, so that calls can be rehearsed without a key and without a bill. */
const standins: Readonly<Record<string, StandinCommand>> = { openai: openAiStandin, deepgram: deepgramStandin }
const names = Object.keys(standins).join(', ')

const help = `Usage: just standin openai [options]
       just standin deepgram [options]

Speaks OpenAI's Realtime API, or Deepgram's sockets and its Aura over HTTP, on this machine. It hears when a caller speaks
and when they have finished, understands nothing, and answers with fixed sentences: in the local voice where its models
are here, else in tones.

  --port N         (default 8765 for openai, 8766 for deepgram; 0: any that is free)
  --host ADDRESS   (default 127.0.0.1)
  --key KEY        the only key that is accepted (default: any, and none is needed)
  --pace N         how many times faster than real time a reply comes; 0: all at once (default 3)
  --delay MS       from the end of the caller's turn to the first audio (default 300)
  --voice NAME     speech, tones, or auto: speech where its models are here (default auto)
  --reply-ms MS    the length of a reply in tones
  --fault-at N     which reply of a session has the fault (default 2; of openai the first is the greeting)
  --quiet          says nothing of what happens
  --help

openai:
${openAiStandin.help}
deepgram:
${deepgramStandin.help}`

const common: Readonly<Record<string, OptionKind>> = {
  host: { type: 'string', default: '127.0.0.1' },
  key: { type: 'string' },
  pace: { type: 'string', default: '3' },
  delay: { type: 'string', default: '300' },
  voice: { type: 'string', default: 'auto' },
  'reply-ms': { type: 'string' },
  fault: { type: 'string' },
  'fault-at': { type: 'string', default: '2' },
  quiet: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
}

function readArguments(args: readonly string[], options: Readonly<Record<string, OptionKind>>) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (thrown) {
    throw new UsageError(messageOf(thrown))
  }
}

async function main(args: readonly string[]): Promise<void> {
  const vendor = args.find((arg) => !arg.startsWith('-'))
  const command = vendor === undefined ? undefined : standins[vendor]
  const { values, positionals } = readArguments(args, { ...common, ...command?.options })
  if (values.help === true) {
    console.log(help)
    return
  }
  if (vendor === undefined) throw new UsageError(`which stand-in? There are: ${names}`)
  if (command === undefined) throw new UsageError(`there is no stand-in "${vendor}"; there are: ${names}`)
  const [, ...rest] = positionals
  if (rest.length > 0) throw new UsageError(`what is "${rest.join(' ')}"?`)
  if (!['auto', 'speech', 'tones'].includes(String(values.voice)))
    throw new UsageError('--voice is auto, speech or tones')
  const start = command.prepare(values)

  const clock = new SystemClock()
  // It takes some seconds where the models are here.
  if (values.voice !== 'tones') console.log('The local voice makes its sentences …')
  const voice = values.voice === 'tones' ? null : await spoken(sentences, clock, systemRandom)
  if (voice === null && values.voice === 'speech') throw new Error('the voice is not here: run just models')
  const standin = start(voice, clock)
  const wrong = values.fault === undefined ? '' : `\nWhat goes wrong: ${String(values.fault)}.\n`
  console.log(`A stand-in for ${standin.name} listens; it answers in ${voice === null ? 'tones' : 'the local voice'}.

${standin.yaml}
${wrong}`)
  const ended = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.resolve())
  await ended.promise
  await standin.close()
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2))
  } catch (thrown) {
    const usage = thrown instanceof UsageError
    console.error(`error: ${messageOf(thrown)}${usage ? '\n\njust standin --help says more.' : ''}`)
    process.exitCode = usage ? 2 : 1
  }
}
