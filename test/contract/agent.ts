import { describe, expect, test } from 'bun:test'
import type { AgentEvent, AgentInput, CallContext, Provider, SessionOf } from '#agent/provider.ts'
import { seededRandom } from '#base/random.ts'
import { callContext } from '../fakes/context.ts'
import { ManualClock, settle } from '../fakes/manual-clock.ts'

/** What every agent promises, a vendor's own or a cascade; an agent's test hands in how to make one. */
export interface AgentUnderTest {
  readonly provider: Provider<'agent'>
  /** Lets everything that is under way come to its end. */
  rest(clock: ManualClock): Promise<void>
  /** For agents that answer turns: the next turn holds no words, or its answer fails. */
  readonly deaf?: () => void
  readonly mute?: () => void
}

const frame = (value = 1) => ({ sampleRateHz: 8000 as const, samples: new Int16Array(160).fill(value) })

const inputs: readonly AgentInput[] = [
  { type: 'audio', frame: frame() },
  { type: 'speech_started', agoMs: 50 },
  { type: 'speech_stopped' },
  { type: 'turn_committed' },
  { type: 'turn_resumed' },
  { type: 'interrupted', heardMs: 500 },
  { type: 'not_interrupted' },
  { type: 'reply_heard' },
  { type: 'say', text: 'Hello there.' },
]

export function agentContract(name: string, make: () => AgentUnderTest): void {
  const setUp = async (overrides: Partial<CallContext> = {}) => {
    const under = make()
    const clock = new ManualClock()
    const session = await under.provider.open(callContext(clock, overrides))
    const events: AgentEvent[] = []
    session.onEvent((event) => events.push(event))
    const rest = () => under.rest(clock)
    return { ...under, clock, session, events, rest, types: () => events.map((event) => event.type) }
  }

  describe(`${name} keeps the contract of an agent`, () => {
    test('it says who it is and whether it is ready; starting and closing it twice is once', async () => {
      const { provider } = make()
      expect([provider.role, provider.name === '']).toEqual(['agent', false])
      expect(['engine', 'provider', 'none']).toContain(provider.turnDetection)
      const readiness = provider.readiness()
      if (!readiness.ready) expect(readiness.reason).not.toBe('')
      provider.start()
      provider.start()
      await provider.close()
      await provider.close()
    })

    test('closing: closed is the last event, once, and nothing is taken any more', async () => {
      const { session, events, types, rest } = await setUp()
      for (const input of inputs) session.send(input)
      await Promise.all([session.close(), session.close()])
      expect(types().filter((type) => type === 'closed')).toHaveLength(1)
      expect(types().at(-1)).toBe('closed')
      const count = events.length
      for (const input of inputs) expect(session.send(input)).toBe('closed')
      await session.close()
      await rest()
      expect(events.length).toBe(count)
    })

    test('it may be closed at once, and out of its own event', async () => {
      const first = await setUp()
      await first.session.close()
      expect(first.types()).toEqual(['closed'])

      const second = await setUp()
      const seen: string[] = []
      let closing: Promise<void> | null = null
      second.session.onEvent((event) => {
        seen.push(event.type)
        closing ??= second.session.close()
      })
      second.session.send({ type: 'audio', frame: frame() })
      second.session.send({ type: 'say', text: 'Hello there.' })
      await second.rest()
      await (closing ?? second.session.close())
      expect([seen.filter((type) => type === 'closed').length, seen.at(-1)]).toEqual([1, 'closed'])
    })

    test('anything may be sent in any order: each is answered with a word, and nothing is thrown', async () => {
      const random = seededRandom(17)
      const { session, events, rest } = await setUp()
      for (let step = 0; step < 2000; step += 1) {
        const input = inputs[Math.floor(random.next() * inputs.length)]
        if (input !== undefined) expect(['sent', 'full', 'closed']).toContain(session.send(input))
        if (random.next() < 0.3) await settle(Math.floor(random.next() * 8))
      }
      await rest()
      await session.close()
      expect(events.filter((event) => event.type === 'closed')).toHaveLength(1)
    })

    test('its audio has the rate of the leg, and whole samples', async () => {
      const { session, events, rest } = await setUp()
      session.send({ type: 'audio', frame: frame() })
      session.send({ type: 'say', text: 'Hello there.' })
      await rest()
      const audio = events.filter((event) => event.type === 'audio')
      expect(audio.length).toBeGreaterThan(0)
      for (const { frame: made } of audio) {
        expect([made.sampleRateHz, made.samples instanceof Int16Array]).toEqual([8000, true])
      }
      await session.close()
    })

    test('closed, it leaves no timer', async () => {
      const { session, clock, rest } = await setUp()
      for (const input of inputs) session.send(input)
      await session.close()
      await rest()
      expect(clock.pending).toBe(0)
    })

    test('a call that is over before it began can still be closed', async () => {
      const abort = new AbortController()
      const { session, types } = await setUp({ signal: abort.signal })
      abort.abort()
      await session.close()
      expect(types()).toEqual(['closed'])
    })
  })

  if (make().provider.turnDetection === 'none') return
  describe(`${name} answers turns`, () => {
    const turn = (session: SessionOf<'agent'>) => {
      session.send({ type: 'speech_started', agoMs: 0 })
      for (let count = 0; count < 10; count += 1) session.send({ type: 'audio', frame: frame(count) })
      session.send({ type: 'speech_stopped' })
      session.send({ type: 'turn_committed' })
    }

    test('a turn has one outcome: reply started, audio, reply done', async () => {
      const { session, types, rest } = await setUp()
      for (let round = 0; round < 3; round += 1) {
        turn(session)
        await rest()
      }
      const outcomes = types().filter((type) =>
        ['reply_started', 'reply_done', 'nothing_heard', 'fault'].includes(type),
      )
      expect(outcomes).toEqual([
        'reply_started',
        'reply_done',
        'reply_started',
        'reply_done',
        'reply_started',
        'reply_done',
      ])
      expect(types().indexOf('reply_started')).toBeLessThan(types().indexOf('audio'))
      await session.close()
    })

    test('a turn without words: nothing heard, and no reply', async () => {
      const { session, types, rest, deaf } = await setUp()
      deaf?.()
      turn(session)
      await rest()
      expect(types().filter((type) => /reply|nothing|fault|audio/.test(type))).toEqual(['nothing_heard'])
      await session.close()
    })

    test('a failure is one fault and no throw, and the session goes on', async () => {
      const { session, types, rest, mute } = await setUp()
      mute?.()
      turn(session)
      await rest()
      expect(types().filter((type) => /reply|nothing|fault/.test(type))).toEqual(['fault'])
      session.send({ type: 'say', text: 'I am sorry.' })
      await rest()
      expect(types().filter((type) => /reply|nothing|fault/.test(type))).toEqual([
        'fault',
        'reply_started',
        'reply_done',
      ])
      await session.close()
    })

    test.each([
      ['turn_resumed', { type: 'turn_resumed' }],
      ['interrupted', { type: 'interrupted', heardMs: 20 }],
    ] as const)('after %s nothing of that reply comes, at whatever moment it was', async (_name, cut) => {
      for (let moment = 0; moment < 25; moment += 1) {
        const { session, events, types, rest } = await setUp()
        turn(session)
        await settle(moment)
        const done = types().includes('reply_done')
        session.send(cut)
        const before = events.length
        await rest()
        const beside = ['transcript', 'stage', 'turn_end', 'incident', 'usage']
        const after = events.slice(before).filter((event) => !beside.includes(event.type))
        expect({ moment, done, after }).toEqual({ moment, done, after: [] })
        await session.close()
      }
    })

    test('something to say is a reply like any other', async () => {
      const { session, types, rest } = await setUp()
      session.send({ type: 'say', text: 'Hello there.' })
      await rest()
      expect(types().filter((type) => type.startsWith('reply'))).toEqual(['reply_started', 'reply_done'])
      await session.close()
    })
  })
}
