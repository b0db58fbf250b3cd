import { describe, expect, test } from 'bun:test'
import { silentLog } from '#base/log.ts'
import { failed } from '#base/result.ts'
import { Call } from '#call/call.ts'
import { reloadMaxSeconds } from '#config/reload.ts'
import { Reloader } from '../../../src/app/reloader.ts'
import { FakeGenerations } from '../../fakes/generations.ts'
import { settle } from '../../fakes/manual-clock.ts'

const deepgram = 'default_provider: deepgram'
const loopback = 'default_provider: loopback'

async function after(generations: FakeGenerations, text: string) {
  generations.text = text
  return await generations.reloader.reload('api')
}

function called(generations: FakeGenerations): Call {
  const call = generations.call()
  if (!(call instanceof Call)) throw new Error(`refused: ${call}`)
  return call
}

describe('a reload', () => {
  test('is in force for the next call; a running one keeps what it began with', async () => {
    const all = new FakeGenerations(`${loopback}\nllm: {initial_greeting: Hello.}`)
    const before = all.current
    const running = called(all)
    const answer = await after(all, `${loopback}\nllm: {initial_greeting: Good day.}\nlanguage: de`)
    expect(answer).toEqual({
      outcome: 'changed',
      changes: [
        { key: 'language', from: '"en"', to: '"de"', restart: false },
        { key: 'llm.initial_greeting', from: '"Hello."', to: '"Good day."', restart: false },
      ],
      warnings: [],
    })
    called(all)
    const [agent] = all.agents.filter(({ name, starts }) => name === 'loopback' && starts > 0)
    // The loopback is made of nothing that has changed: it is the same one.
    expect(agent?.contexts.map(({ greeting, language }) => [greeting, language])).toEqual([
      ['Hello.', 'en'],
      ['Good day.', 'de'],
    ])
    expect(all.current).not.toBe(before)
    await running.end('caller')
    expect(agent?.closed).toBe(0)
  })

  test('keeps a provider whose inputs are equal, and closes one that nobody uses any more', async () => {
    const all = new FakeGenerations(`${loopback}\nproviders: {loopback: {delay_ms: 100}}`)
    const first = all.current.provider
    const running = called(all)
    await after(all, `${loopback}\nproviders: {loopback: {delay_ms: 200}}`)
    const second = all.newest
    expect(all.current.provider).toBe(second)
    expect([first === second, second.starts]).toEqual([false, 1])
    const old = all.agents.find((agent) => agent === first)
    expect(old?.closed).toBe(0)
    await running.end('caller')
    expect([old?.closed, second.closed]).toEqual([1, 0])
    // And back: made anew, since the old one is closed.
    await after(all, `${loopback}\nproviders: {loopback: {delay_ms: 100}}`)
    expect([second.closed, all.newest === old, all.newest.closed]).toEqual([1, false, 0])
  })

  test('of one that still has a call, takes up the provider of that call again', async () => {
    const all = new FakeGenerations(`${loopback}\nproviders: {loopback: {delay_ms: 100}}`)
    const first = all.current.provider
    const running = called(all)
    await after(all, `${loopback}\nproviders: {loopback: {delay_ms: 200}}`)
    await after(all, `${loopback}\nproviders: {loopback: {delay_ms: 100}}`)
    expect(all.current.provider).toBe(first)
    await running.end('caller')
    expect(all.agents.find((agent) => agent === first)?.closed).toBe(0)
  })

  test('closes what it had loaded when another provider answers, though the first stays enabled', async () => {
    const all = new FakeGenerations('')
    const local = all.agents.find(({ name, starts }) => name === 'local' && starts === 1)
    await after(all, loopback)
    expect(local?.closed).toBe(1)
    expect(all.current.provider.name).toBe('loopback')
    expect(all.current.providerReadiness().local).toEqual({ ready: true })
  })

  test('takes the limits of calls at once, in both directions', async () => {
    const all = new FakeGenerations(`${loopback}\nlimits: {calls: 1}`)
    called(all)
    expect(all.call()).toBe('busy')
    await after(all, `${loopback}\nlimits: {calls: 2}`)
    called(all)
    expect(all.call()).toBe('busy')
    // More room needs a detector of its own; less does not.
    expect(all.detections).toEqual([1, 2])
    await after(all, `${loopback}\nlimits: {calls: 1}`)
    expect([all.call(), all.detections.length, all.current.detection.readiness.ready]).toEqual(['busy', 2, true])
  })

  test('keeps what was learnt of a provider, within the same bounds', async () => {
    const all = new FakeGenerations(loopback)
    all.current.warmUp.underran(100)
    await after(all, `${loopback}\nlanguage: de`)
    expect(all.current.warmUp.extraMs).toBe(100)
    await after(all, `${loopback}\nstreaming: {jitter_buffer_ms: 500}`)
    expect(all.current.warmUp.extraMs).toBe(0)
  })
})

describe('a reload is refused', () => {
  test('with file and line, where the file is wrong; what was in force stays', async () => {
    const all = new FakeGenerations(loopback)
    const before = all.current
    const answer = await after(all, `${loopback}\nlanguag: de\nvad: {threshold: 7}`)
    expect(answer).toEqual({
      outcome: 'refused',
      problems: [
        'a.yaml:2:1: languag: unknown key. Did you mean language?',
        expect.stringMatching(/^a\.yaml:3:18: vad\.threshold: expected a number from 0\.05 to 0\.95/),
      ],
    })
    expect(all.current).toBe(before)
  })

  test('whole, with each key that only a restart can bring', async () => {
    const all = new FakeGenerations(loopback)
    const before = all.current
    const answer = await after(all, `${loopback}\nlanguage: de\nhealth: {port: 1}\nasterisk: {host: pbx}`)
    expect(answer.outcome === 'refused' && answer.problems.map((line) => line.split(':')[0])).toEqual([
      'asterisk.host',
      'health.port',
    ])
    expect(JSON.stringify(answer)).toContain('restart')
    expect([all.current === before, all.current.settings.offer.language]).toEqual([true, 'en'])
  })

  test('where the new provider does not become ready while the present one is: what was new is closed', async () => {
    const all = new FakeGenerations(loopback)
    const before = all.current
    all.ready = { ready: false, reason: 'no key' }
    const answering = after(all, deepgram)
    await settle()
    const next = all.agents.findLast(({ name }) => name === 'deepgram')
    expect([next?.starts, next?.closed, all.current === before]).toEqual([1, 0, true])
    for (let second = 0; second < 31; second += 1) {
      all.clock.advance(1000)
      await settle()
    }
    expect(await answering).toEqual({
      outcome: 'refused',
      problems: ['calls could not be served with it, 30 seconds were waited for: provider deepgram: no key'],
    })
    expect([next?.closed, all.current === before, before.provider.readiness().ready]).toEqual([1, true, true])
  })

  test('by an engine that stops, and a wait that is under way ends', async () => {
    const all = new FakeGenerations(loopback)
    all.ready = { ready: false, reason: 'loading' }
    const answering = after(all, deepgram)
    await settle()
    await all.reloader.close()
    expect(await answering).toEqual({ outcome: 'refused', problems: ['the engine is stopping'] })
    expect(await all.reloader.reload('api')).toEqual({ outcome: 'refused', problems: ['the engine is stopping'] })
    expect(all.clock.pending).toBe(all.detections.length)
  })
})

describe('a reload waits', () => {
  test('until the new provider is ready, and calls go on with the present one meanwhile', async () => {
    const all = new FakeGenerations(loopback)
    all.ready = { ready: false, reason: 'loading' }
    const answering = after(all, deepgram)
    await settle()
    called(all)
    expect(all.current.provider.name).toBe('loopback')
    const next = all.agents.findLast(({ name }) => name === 'deepgram')
    if (next !== undefined) next.ready = { ready: true }
    all.clock.advance(100)
    expect((await answering).outcome).toBe('changed')
    expect(all.current.provider === next).toBe(true)
  })

  test('for nothing where the present provider takes no calls either', async () => {
    const all = new FakeGenerations(loopback)
    for (const agent of all.agents) agent.ready = { ready: false, reason: 'gone' }
    all.ready = { ready: false, reason: 'no key' }
    expect((await after(all, deepgram)).outcome).toBe('changed')
    expect(all.current.provider.name).toBe('deepgram')
  })

  test('a while for models that calls can do without, and then goes on without them', async () => {
    const all = new FakeGenerations(`turn_taking: {stop: silence, start: vad}\nvad: {overlooked_voices: false}`)
    expect(all.modelStarts).toEqual([])
    all.modelsReady = { ready: false, reason: 'not fetched' }
    const answering = after(all, '')
    await settle()
    expect(all.modelStarts).toEqual(['end of turn', 'overlaps'])
    for (let second = 0; second < 6; second += 1) {
      all.clock.advance(1000)
      await settle()
    }
    expect((await answering).outcome).toBe('changed')
  })
})

describe('reloads that meet', () => {
  test('are one more after the one under way, and all who asked get its answer', async () => {
    const all = new FakeGenerations(loopback)
    all.ready = { ready: false, reason: 'loading' }
    const first = after(all, deepgram)
    await settle()
    all.text = `${loopback}\nlanguage: de`
    const second = all.reloader.reload('file')
    all.text = `${loopback}\nlanguage: fr`
    const third = all.reloader.reload('signal')
    expect(third).toBe(second)
    const next = all.agents.findLast(({ name }) => name === 'deepgram')
    if (next !== undefined) next.ready = { ready: true }
    all.ready = { ready: true }
    all.clock.advance(100)
    expect((await first).outcome).toBe('changed')
    const answer = await second
    expect(answer.outcome === 'changed' && answer.changes.map(({ key, to }) => [key, to])).toEqual([
      ['default_provider', '"loopback"'],
      ['language', '"fr"'],
    ])
    expect(all.lines.filter(({ message }) => message === 'configuration reloaded').length).toBe(2)
  })

  test('give up a wait for what the file does not say any more: a good save is not kept from its calls', async () => {
    const all = new FakeGenerations(loopback)
    all.ready = { ready: false, reason: 'no key' }
    const begunMs = all.clock.now()
    const bad = after(all, deepgram)
    await settle()
    const next = all.agents.findLast(({ name }) => name === 'deepgram')
    const good = after(all, `${loopback}\nlanguage: de`)
    all.clock.advance(50)
    expect(await bad).toEqual({
      outcome: 'refused',
      problems: ['the file has changed again while this waited to become ready: it is read anew'],
    })
    expect([(await good).outcome, next?.closed, all.clock.now() - begunMs]).toEqual(['changed', 1, 50])
  })

  test('wait on where the file says the same: what is becoming ready is not begun anew', async () => {
    const all = new FakeGenerations(loopback)
    all.ready = { ready: false, reason: 'loading' }
    const first = after(all, deepgram)
    await settle()
    const next = all.agents.findLast(({ name }) => name === 'deepgram')
    const second = all.reloader.reload('file')
    for (let round = 0; round < 20; round += 1) {
      all.clock.advance(50)
      await settle()
    }
    expect(next?.closed).toBe(0)
    // Who joins the second one has changed the file, too.
    all.text = `${loopback}\nlanguage: de`
    expect(all.reloader.reload('api')).toBe(second)
    all.clock.advance(50)
    expect([(await first).outcome, (await second).outcome, next?.closed]).toEqual(['refused', 'changed', 1])
  })

  test('have their answers before the deadline, also where neither becomes ready', async () => {
    const all = new FakeGenerations(loopback)
    all.ready = { ready: false, reason: 'no key' }
    const begunMs = all.clock.now()
    const answers = [after(all, deepgram)]
    await settle()
    answers.push(all.reloader.reload('api'))
    let answered = false
    const both = Promise.all(answers).then((each) => {
      answered = true
      return each
    })
    while (!answered) {
      all.clock.advance(1000)
      await settle()
    }
    expect((await both).map(({ outcome }) => outcome)).toEqual(['refused', 'refused'])
    // Each of them reads the file in a child process, and the first one twice: 10 s are given to each.
    expect((all.clock.now() - begunMs) / 1000 + 30).toBeLessThan(reloadMaxSeconds)
  })

  test('are never two at a time, also when the first answer leads to another at once', async () => {
    const all = new FakeGenerations(loopback)
    let reading = 0
    let readingMax = 0
    const reloader = new Reloader({
      read: async () => {
        reading += 1
        readingMax = Math.max(readingMax, reading)
        await settle()
        reading -= 1
        return failed(['no'])
      },
      current: () => all.current,
      build: () => Promise.reject(new Error('nothing is built')),
      swap: () => {},
      clock: all.clock,
      log: silentLog,
    })
    const again = reloader.reload('api').then(() => reloader.reload('api'))
    const second = reloader.reload('file')
    await Promise.all([again, second])
    expect([readingMax, reloader.counts.refused]).toEqual([1, 2])
  })

  test('with a file that says the same, answer that nothing changed', async () => {
    const all = new FakeGenerations(loopback)
    const before = all.current
    expect(await after(all, `# a word\n${loopback}\n`)).toEqual({ outcome: 'unchanged', warnings: [], last: null })
    expect(all.current).toBe(before)
    expect(all.reloader.counts).toEqual({ changed: 0, unchanged: 1, refused: 0 })
  })

  test('with a file that was taken up already, answer what changed then', async () => {
    const all = new FakeGenerations(loopback)
    all.text = `${loopback}\nlanguage: de`
    await all.reloader.reload('file')
    const wallMs = all.clock.wallNow()
    all.clock.advance(1000)
    const last = { wallMs, trigger: 'file', changes: [{ key: 'language', from: '"en"', to: '"de"', restart: false }] }
    expect(await all.reloader.reload('api')).toMatchObject({ outcome: 'unchanged', last })
    // A refusal is no change.
    await after(all, 'languag: fr')
    expect(await after(all, `${loopback}\nlanguage: de`)).toMatchObject({ outcome: 'unchanged', last })
  })

  test('two hundred of them leave nothing behind', async () => {
    const all = new FakeGenerations(loopback)
    const running = called(all)
    for (let round = 0; round < 200; round += 1) {
      const broken = round % 5 === 4
      const answer = await after(
        all,
        broken ? `${loopback}\nvad: [` : `${loopback}\nproviders: {loopback: {delay_ms: ${round}}}`,
      )
      expect(answer.outcome).toBe(broken ? 'refused' : 'changed')
    }
    // Of the running call, and of the one in force; those that answer no calls are shared.
    const open = all.agents.filter(({ closed }) => closed === 0)
    expect(open.filter(({ starts }) => starts > 0).length).toBe(2)
    expect(all.providerPool.parts.length).toBe(open.length)
    await running.end('caller')
    expect(all.agents.filter(({ closed, starts }) => closed === 0 && starts > 0)).toEqual([all.newest])
  })
})

test('minutes of a provider are the same ones after a reload, and who answers beyond them is loaded with it', async () => {
  const limited = `${deepgram}\nlimits: {provider_minutes_per_day: 5, fallback_provider: loopback}`
  const all = new FakeGenerations(deepgram)
  called(all)
  await settle()
  all.clock.advance(5 * 60_000)
  called(all)
  await after(all, limited)
  const started = all.agents.filter(({ starts }) => starts > 0)
  expect(started.map(({ name }) => name)).toEqual(['deepgram', 'loopback'])
  called(all)
  expect(started.map(({ contexts }) => contexts.length)).toEqual([2, 1])
  await after(all, limited.replace('day: 5', 'day: 6'))
  called(all)
  expect(started.map(({ contexts }) => contexts.length)).toEqual([3, 1])
})
