import { describe, expect, test } from 'bun:test'
import type { AriResult } from '#asterisk/ari-client.ts'
import { failed, ok } from '#base/result.ts'
import { ariError } from '../../fakes/ari.ts'
import { FakeLeg } from '../../fakes/leg.ts'
import { settle } from '../../fakes/manual-clock.ts'
import { caller, causes, setUp } from './stasis-bench.ts'

// Between the event that brings a channel and the call that it becomes: the variables of the dialplan.

const { channelvars: _brought, ...channel } = caller

/** A bench whose Asterisk is asked for variables, and answers when it is told to. */
function asked(keys: Parameters<typeof setUp>[1] = {}) {
  const bench = setUp(10, keys)
  const questions: string[] = []
  const answer = Promise.withResolvers<AriResult<string>>()
  bench.ari.getVariable = (_channelId, variable) => {
    questions.push(variable)
    return answer.promise
  }
  /** The values in the order in which they are asked for: agent, provider, pipeline, greeting, prompt, DID, dialled number. */
  const say = async (...values: string[]) => {
    const between = /\$\{PATCHCORD_AGENT\}(.*?)\$\{/.exec(questions[0] ?? '')?.[1] ?? ''
    answer.resolve(ok(Array.from({ length: 7 }, (_, index) => values[index] ?? '').join(between)))
    await settle()
  }
  const refuse = async (status: number | null) => {
    answer.resolve(failed(ariError(status)))
    await settle()
  }
  return { ...bench, questions, say, refuse }
}

describe('a channel whose variables must be asked for', () => {
  test('is expected meanwhile, and then a call that has them; one question is enough', async () => {
    const bench = asked()
    bench.enter(channel)
    bench.enter(channel)
    expect([bench.store.size, bench.store.expects(channel.id), bench.questions.length]).toEqual([0, true, 1])
    await bench.say('', '', '', 'Hi there.', 'Be kind.')
    expect(bench.store.expects(channel.id)).toBe(false)
    expect(bench.agent.contexts).toMatchObject([{ callId: channel.id, greeting: 'Hi there.', prompt: 'Be kind.' }])
    await bench.store.live[0]?.end('caller')
    expect(bench.world.observer.facts[0]?.choice.origins).toMatchObject({ greeting: 'variable', prompt: 'variable' })
  })

  test('an argument wins, and the variable is there for the rest', async () => {
    const bench = asked()
    bench.enter(channel, ['greeting=Hello, you'])
    await bench.say('', '', '', 'Hi there.', 'Be kind.')
    expect(bench.agent.contexts).toMatchObject([{ greeting: 'Hello, you', prompt: 'Be kind.' }])
  })

  test('a caller who hangs up meanwhile never becomes a call, and nothing is asked of Asterisk for them', async () => {
    const bench = asked()
    bench.enter(channel)
    for (const type of ['ChannelHangupRequest', 'StasisEnd', 'ChannelDestroyed'] as const)
      bench.app.event({ type, channel })
    await bench.refuse(404)
    expect([bench.store.size, bench.store.unknown.channel, causes(bench)]).toEqual([0, 0, []])
    expect([bench.ari.requests, bench.warnings]).toEqual([[], []])
  })

  test('an engine that stops waits for them, and gives them back', async () => {
    const bench = asked()
    bench.enter(channel)
    let empty = false
    void bench.store.whenEmpty().then(() => {
      empty = true
    })
    bench.admission.draining = true
    await settle()
    expect(empty).toBe(false)
    await bench.say()
    expect([empty, bench.ari.variables]).toEqual([true, ['PATCHCORD_RESULT=draining']])
  })

  test.each([[404], [null]])(
    'where Asterisk does not say it (%s), the call goes on without, and the log tells',
    async (status) => {
      const bench = asked()
      bench.enter(channel)
      await bench.refuse(status)
      expect([bench.store.size, bench.warnings.length]).toEqual([1, 1])
      expect(bench.agent.contexts).toMatchObject([{ greeting: 'Hello.' }])
    },
  )
})

describe('a key that is pressed before the call is there', () => {
  const place = { context: 'internal', extension: '200', priority: 1 }
  const press = (bench: ReturnType<typeof setUp>, digit: string) =>
    bench.app.event({ type: 'ChannelDtmfReceived', channel, digit })

  test('while the variables are asked for: is kept, and leads where it leads', async () => {
    const bench = asked({ '0': { do: 'transfer', place } })
    bench.enter(channel)
    press(bench, '7')
    press(bench, '0')
    expect([bench.store.unknown.channel, bench.ari.requests]).toEqual([0, []])
    await bench.say()
    expect(causes(bench)).toEqual(['transferred'])
    expect(bench.world.observer.facts).toMatchObject([{ digits: 2 }])
    expect(bench.ari.variables).toEqual(['PATCHCORD_RESULT=transferred'])
    expect(bench.ari.requests.join()).toContain(`continue ${channel.id}`)
    expect(bench.ari.requests.join()).not.toContain('answer')
  })

  test('of a caller who hangs up meanwhile: goes with them', async () => {
    const bench = asked({ '0': { do: 'transfer', place } })
    bench.enter(channel)
    press(bench, '0')
    bench.app.event({ type: 'StasisEnd', channel })
    await bench.say()
    expect([bench.store.size, causes(bench), bench.ari.requests]).toEqual([0, [], []])
  })

  test('before its media has come: counts, whichever way audio takes; afterwards the media brings it', async () => {
    const bench = setUp(10, { '0': { do: 'transfer', place } })
    bench.enter()
    press(bench, '5')
    await settle()
    const [call] = bench.store.live
    expect(call?.hasMedia).toBeFalse()
    call?.attachLeg(new FakeLeg(8000))
    press(bench, '0')
    expect(call?.ended).toBeFalse()
    await call?.end('caller')
    expect(bench.world.observer.facts).toMatchObject([{ digits: 1 }])
  })
})

test('an Asterisk that does not say it in time: the caller is not kept waiting, and the question is given up', async () => {
  const bench = setUp()
  const signals: (AbortSignal | undefined)[] = []
  bench.ari.getVariable = (_channelId, _variable, signal) => {
    signals.push(signal)
    return new Promise(() => {})
  }
  bench.enter(channel)
  bench.world.clock.advance(990)
  await settle()
  expect([bench.store.size, signals[0]?.aborted]).toEqual([0, false])
  bench.world.clock.advance(10)
  await settle()
  expect([bench.store.size, signals[0]?.aborted]).toEqual([1, true])
  expect(bench.agent.contexts).toMatchObject([{ greeting: 'Hello.' }])
  expect(bench.warnings.join()).toContain('no answer within 1000 ms')
})

test('an answer in time leaves nothing behind', async () => {
  const bench = asked()
  bench.enter(channel)
  const before = bench.world.clock.pending
  await bench.say()
  await bench.store.live[0]?.end('caller')
  expect(bench.world.clock.pending).toBeLessThan(before)
})

describe('a name that there is not', () => {
  const cases: [string, string[], string][] = [
    ['an agent', ['agent=nobody'], 'unknown_agent'],
    ['a provider', ['provider=nobody'], 'unknown_provider'],
    ['a pipeline', ['pipeline=nobody'], 'unknown_pipeline'],
  ]
  test.each(cases)('%s: back to the dialplan', async (_name, args, result) => {
    const bench = setUp()
    bench.enter(caller, args)
    await settle()
    expect(bench.ari.requests).toEqual([`set ${caller.id} PATCHCORD_RESULT=${result}`, `continue ${caller.id}`])
    expect([bench.store.size, bench.admission.refused, bench.world.errors.length]).toEqual([0, { [result]: 1 }, 1])
  })

  test('out of a variable: the same', async () => {
    const bench = asked()
    bench.enter(channel)
    await bench.say('nobody')
    expect(bench.ari.variables).toEqual(['PATCHCORD_RESULT=unknown_agent'])
  })
})

test('a text that is too long is left out and named, never shown', async () => {
  const bench = setUp()
  bench.enter(caller, [`prompt=${'secret '.repeat(1000)}`, 'audio_transport=auto'])
  await settle()
  expect(bench.agent.contexts).toMatchObject([{ prompt: 'Be brief.' }])
  expect(bench.warnings.join()).toContain('"name":"prompt"')
  expect(bench.warnings.join()).not.toContain('secret')
})
