import { expect, test } from 'bun:test'
import { createFallback } from '#agent/fallback.ts'
import type { PartRole } from '#agent/fallback-memory.ts'
import type { Provider, Roles, SessionOf, TtsInput } from '#agent/provider.ts'
import { silentLog } from '#base/log.ts'
import { type Random, seededRandom } from '#base/random.ts'
import { FakePartSession, fakePart } from '../fakes/cascade-parts.ts'
import { callContext } from '../fakes/context.ts'
import { ManualClock, settle } from '../fakes/manual-clock.ts'

// Lists whose members fail at any moment, cannot be opened, or end: whatever happens, a turn has one answer, of its own words.

const seeds = 300
const fault = { type: 'fault', code: 'broken', message: 'broken', retryable: true } as const

interface World<R extends PartRole> {
  readonly session: SessionOf<R>
  readonly events: Roles[R]['event'][]
  readonly chance: (share: number) => boolean
}

/** Three members, each session of which does what `act` makes of its inputs; any of them fails now and then. */
async function world<R extends PartRole>(
  role: R,
  random: Random,
  act: (session: FakePartSession<R>, alive: () => boolean) => (input: Roles[R]['input'], fails: boolean) => void,
  onFault: (session: SessionOf<R>) => void = () => {},
): Promise<World<R>> {
  const clock = new ManualClock()
  const chance = (share: number) => random.next() < share
  const members = Array.from({ length: 3 }, (): Provider<R> => {
    const part = fakePart(role)
    return {
      ...part,
      readiness: () => (chance(0.8) ? { ready: true } : { ready: false, reason: 'away' }),
      open: async () => {
        await settle(Math.floor(random.next() * 4))
        if (chance(0.15)) throw new Error('no')
        const session = new FakePartSession<R>()
        const behave = act(session, () => session.closes === 0)
        session.script = (input) => {
          if (session.closes > 0) return
          if (!chance(0.06)) return behave(input, false)
          if (chance(0.7)) {
            // A session goes on after a fault; what it was asked for it does not give.
            behave(input, true)
            queueMicrotask(() => session.emit(fault))
            return
          }
          session.closes += 1
          queueMicrotask(() => session.emit({ type: 'closed' }))
        }
        return session
      },
    }
  })
  const list = createFallback(role, members, { clock, random, log: silentLog, retryAfterMs: 1000 })
  const events: Roles[R]['event'][] = []
  for (;;) {
    const session = await list.open(callContext(clock)).catch(() => null)
    if (session === null) continue
    session.onEvent((event: Roles[R]['event']) => {
      events.push(event)
      if (event.type === 'fault') onFault(session as SessionOf<R>)
    })
    return { session: session as SessionOf<R>, events, chance }
  }
}

test('recognition: one final for each turn, in order, of its own words or none', async () => {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const random = seededRandom(seed)
    const { session, events, chance } = await world('stt', random, (fake, alive) => {
      let heard: number[] = []
      return (input, fails) => {
        if (input.type === 'audio') heard.push(input.frame.samples[0] ?? 0)
        if (input.type !== 'finalize') return
        const text = heard.join(' ')
        heard = []
        if (fails) return
        queueMicrotask(() => {
          if (alive()) fake.emit({ type: 'transcript', final: true, text })
        })
      }
    })
    const turns: string[] = []
    for (let turn = 0; turn < 8; turn += 1) {
      const words = Array.from({ length: 1 + Math.floor(random.next() * 5) }, (_, word) => turn * 10 + word)
      for (const word of words) {
        session.send({ type: 'audio', frame: { sampleRateHz: 8000, samples: new Int16Array(160).fill(word) } })
        if (chance(0.5)) await settle(2)
      }
      session.send({ type: 'finalize' })
      turns.push(words.join(' '))
      await settle(60)
    }
    const finals = events.flatMap((event) => (event.type === 'transcript' && event.final ? [event.text] : []))
    expect({ seed, finals: finals.length }).toEqual({ seed, finals: turns.length })
    for (const [index, text] of finals.entries())
      expect([seed, text]).toEqual([seed, text === '' ? '' : (turns[index] ?? '')])
    // Where there are no words, all of them have failed.
    const faults = events.filter(({ type }) => type === 'fault').length
    expect(finals.filter((text) => text === '').length).toBeLessThanOrEqual(faults)
    await session.close()
    expect([seed, events.at(-1)?.type]).toEqual([seed, 'closed'])
  }
})

test('a voice: each sentence once and in order, and none that sounds is begun again', async () => {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const random = seededRandom(seed)
    const speak = (fake: FakePartSession<'tts'>, alive: () => boolean) => {
      let queue = Promise.resolve()
      let reply = 0
      return (input: TtsInput, fails: boolean) => {
        // What comes after a sentence that is missing is not spoken.
        if (input.type === 'cancel' || fails) reply += 1
        if (input.type === 'cancel' || fails) return
        const mine = reply
        const wanted = () => alive() && mine === reply
        queue = queue.then(async () => {
          await settle(1)
          const frame = { sampleRateHz: 8000, samples: new Int16Array(8) } as const
          if (wanted()) fake.emit({ type: 'audio', frame })
          await settle(1)
          if (wanted()) fake.emit({ type: 'spoken', text: input.text })
        })
      }
    }
    // As a cascade does: after a fault nothing of that reply is wanted any more.
    const { session, events } = await world('tts', random, speak, (list) => void list.send({ type: 'cancel' }))
    for (let reply = 0; reply < 8; reply += 1) {
      const before = events.length
      const texts = ['a', 'b', 'c'].map((name) => `${reply}${name}`)
      for (const text of texts) session.send({ type: 'speak', text })
      await settle(80)
      const mine = events.slice(before).filter(({ type }) => type !== 'incident')
      const spoken = mine.flatMap((event) => (event.type === 'spoken' ? [event.text] : []))
      const failed = mine.some(({ type }) => type === 'fault')
      // All of them; or, where there was a fault, as many as came before it.
      expect({ seed, spoken }).toEqual({ seed, spoken: failed ? texts.slice(0, spoken.length) : texts })
      const sounds = mine.filter(({ type }) => type === 'audio').length
      expect([seed, sounds <= spoken.length + (failed ? 1 : 0)]).toEqual([seed, true])
    }
    await session.close()
  }
})
