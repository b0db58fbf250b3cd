import { describe, expect, test } from 'bun:test'
import { realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { type Log, type LogFields, silentLog } from '#base/log.ts'
import { linesOf, startChild } from '#speech/child-process.ts'

async function allOf(lines: AsyncGenerator<string>): Promise<string[]> {
  const found: string[] = []
  for await (const line of lines) found.push(line)
  return found
}

function streamOf(...chunks: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks)
        controller.enqueue(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk)
      controller.close()
    },
  })
}

function run(script: string, env: Record<string, string | undefined>, log: Log = silentLog) {
  return startChild({ command: [process.execPath, '-e', script], folder: tmpdir(), log, env })
}

describe('startChild', () => {
  test('passes where programs and the home are, and nothing else', async () => {
    const env = { PATH: '/usr/bin', HOME: tmpdir(), OPENAI_API_KEY: 'hunter2', LANG: undefined, BUN_OPTIONS: '--bad' }
    const { child } = run('console.log(JSON.stringify([process.env, process.cwd()]))', env)
    const [text = ''] = await allOf(linesOf(child.stdout))
    expect(JSON.parse(text)).toEqual([{ PATH: '/usr/bin', HOME: tmpdir() }, realpathSync(tmpdir())])
  })

  test('its words are log lines, cut short, and the last are kept', async () => {
    const fields: (LogFields | undefined)[] = []
    const log: Log = { ...silentLog, debug: (_message, more) => fields.push(more) }
    const started = run(`console.error('first'); console.error('w'.repeat(5000)); process.exit(1)`, {}, log)
    await started.silent
    expect(fields.map((each) => each?.line)).toEqual(['first', 'w'.repeat(300)])
    expect(started.lastWords()).toBe('w'.repeat(300))
    expect(await started.child.exited).toBe(1)
  })

  test('a command that is not there is thrown', () => {
    expect(() => startChild({ command: ['/no/such/program'], folder: tmpdir(), log: silentLog })).toThrow()
  })
})

describe('linesOf', () => {
  test('lines come whole, however the bytes are cut', async () => {
    const bytes = new TextEncoder().encode('caf\u00e9\n')
    expect(await allOf(linesOf(streamOf('a', 'b\n\nc\n', bytes.slice(0, 4), bytes.slice(4), 'rest')))).toEqual([
      'ab',
      'c',
      'caf\u00e9',
      'rest',
    ])
  })

  test('a line without end does not grow for ever', async () => {
    const half = 'x'.repeat(600_000)
    const [line = ''] = await allOf(linesOf(streamOf(half, half, half)))
    expect(line.length).toBe(1 << 20)
  })
})
