import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { BedEngine } from '../bed/engine.ts'

// The configuration of a running engine is changed while calls run, as an operator does it: in the file.

const mainFile = join(import.meta.dir, '..', '..', 'src', 'main.ts')
let asterisk: Asterisk
let engine: BedEngine

beforeAll(async () => {
  asterisk = await startAsterisk()
  engine = await BedEngine.start({ asterisk: asterisk.ari, provider: 'loopback' })
}, 300_000)

afterAll(async () => {
  await engine?.stop()
  await asterisk?.stop()
})

const configuration = () => readFileSync(engine.configurationFile, 'utf8')

/** As editors do it: a new file, renamed over the old one. */
function save(text: string): void {
  const draft = join(engine.folder, '.engine.yaml.swp')
  writeFileSync(draft, text)
  renameSync(draft, engine.configurationFile)
}

/** Of the engine's child processes, what each is for: the word behind `internal`. */
function children(pid: number): string[] {
  const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  return pids.flatMap((child) => {
    try {
      const words = readFileSync(`/proc/${child}/cmdline`, 'utf8').split('\0')
      return [words[words.indexOf('internal') + 1] ?? '']
    } catch {
      // It has ended since.
      return []
    }
  })
}
const lines = (message: string) => engine.log.filter((line) => line.message === message)
const post = async () => await fetch(`${engine.httpUrl}/api/reload`, { method: 'POST' })

/** A caller that stays until they are told to go, and the engine's id of their call. */
async function caller(number: string) {
  const call = await asterisk.call({ extension: '100', callerId: number, steps: [{ waitMs: 60_000 }] })
  return { call, id: await engineCallFrom(engine, number) }
}

test('a call keeps provider and terms to its end; the next has what the file says since', async () => {
  const first = await caller('5550801')
  await engine.until('heard', 10_000, () => engine.steps(first.id).includes('first_caller_audio'))

  const changed = configuration().replace('default_provider: loopback', 'default_provider: local')
  const more = 'llm:\n  initial_greeting: This greeting is a new one.\nlimits:\n  call_seconds: 60\n'
  save(changed + more)
  await engine.until('reloaded', 30_000, () => lines('configuration reloaded').length === 1)
  expect(lines('configuration changed').map(({ key, from, to }) => `${key}: ${from} -> ${to}`)).toEqual([
    'default_provider: "loopback" -> "local"',
    expect.stringMatching(/^llm\.initial_greeting: "Hello!.*" -> "This greeting is a new one\."$/),
    'limits.call_seconds: 3600 -> 60',
  ])
  expect(await engine.health()).toMatchObject({ default_provider: 'local', active_calls: 1 })

  const second = await caller('5550802')
  await engine.until('greeted', 15_000, () => engine.steps(second.id).includes('greeting_finished'))
  const said = engine.log.filter((line) => line.message === 'transcript' && line.call === second.id)
  expect(said.map(({ side, text }) => [side, text])).toEqual([['agent', 'This greeting is a new one.']])

  // What is half-written, or wrong, or needs a restart, is refused, and what was in force stays.
  save(`${configuration()}barge_in: {enabled: tr`)
  await engine.until('refused', 10_000, () => lines('configuration refused').length > 0)
  expect(String(lines('configuration refused')[0]?.why)).toMatch(/engine\.yaml:\d+:\d+: /)
  save(changed.replace('reconnect_max_ms: 1000', 'reconnect_max_ms: 1500') + more)
  const refused = await post()
  expect([refused.status, await refused.json()]).toMatchObject([
    422,
    { outcome: 'refused', problems: [expect.stringMatching(/^asterisk\.reconnect_max_ms: .*restart/)] },
  ])

  // Back to the echo, by a signal: what the second call does not notice.
  save(changed.replace('default_provider: local', 'default_provider: loopback') + more)
  engine.signal('SIGHUP')
  await engine.until('the echo again', 10_000, async () => (await engine.health()).default_provider === 'loopback')
  const third = await caller('5550803')
  await engine.until('heard', 10_000, () => engine.steps(third.id).includes('first_caller_audio'))
  expect((await engine.health()).active_calls).toBe(3)
  expect(children(engine.pid).filter((name) => name !== 'configuration').length).toBeGreaterThan(0)

  // The log is the engine's and not a call's: what is too fine for it is not written from now on.
  save(configuration().replace('level: info', 'level: warn'))
  const command = Bun.spawn([process.execPath, '--no-env-file', mainFile, 'reload', '--url', engine.httpUrl], {
    stdin: 'ignore',
    stdout: 'pipe',
  })
  // Whether the file was noticed before the command had been heard is chance.
  expect(await new Response(command.stdout).text()).toMatch(
    /^(logging\.level: "info" -> "warn"|nothing changed since .*: logging\.level)\n$/,
  )
  expect(await command.exited).toBe(0)
  for (const { call } of [third, second, first]) {
    await call.hangup()
    await call.ended
  }
  await engine.untilIdle()
  const records = engine.records()
  const providerOf = (id: string) => records.find((record) => record.call_id === id)?.provider
  expect([first, second, third].map(({ id }) => providerOf(id))).toEqual(['loopback', 'local', 'loopback'])
  expect(lines('call summary')).toEqual([])
  expect(records.map(({ cause }) => cause)).toEqual(['caller', 'caller', 'caller'])
  // Nothing else has changed since: an unchanged file is no news.
  expect(await (await post()).json()).toMatchObject({ outcome: 'unchanged', changes: [], problems: [] })
  // The local provider has gone with its last call, and with it the processes of its model and its voice.
  // The reader of the configuration stays for a while: one, however often it was asked.
  await engine.until('without its children', 10_000, () => children(engine.pid).join() === 'configuration')
  await asterisk.untilQuiet()
}, 60_000)
