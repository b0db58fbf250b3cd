import { describe, expect, test } from 'bun:test'
import { createFallback } from '#agent/fallback.ts'
import { chooseCandidate, Rests } from '#agent/fallback-choice.ts'
import type { PartRole } from '#agent/fallback-memory.ts'
import type { Roles, SessionOf } from '#agent/provider.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { type FakePart, fakePart } from '../../fakes/cascade-parts.ts'
import { callContext } from '../../fakes/context.ts'
import { ManualClock, settle } from '../../fakes/manual-clock.ts'

const fault = { type: 'fault', code: 'unreachable', message: 'gone', retryable: true } as const

/** Three of one role, in their order, and a session of a call. */
class Bench<R extends PartRole> {
  readonly clock = new ManualClock()
  readonly members: readonly [FakePart<R>, FakePart<R>, FakePart<R>]
  readonly provider
  readonly events: Roles[R]['event'][] = []
  readonly incidents: string[] = []

  constructor(role: R) {
    this.members = [fakePart(role), fakePart(role), fakePart(role)]
    const deps = { clock: this.clock, random: seededRandom(1), log: silentLog, retryAfterMs: 30_000 }
    this.provider = createFallback(role, this.members, deps)
  }

  async open(): Promise<SessionOf<R>> {
    const session = await this.provider.open(callContext(this.clock))
    session.onEvent((event: Roles[R]['event']) => {
      if (event.type === 'incident') this.incidents.push(event.code)
      else this.events.push(event)
    })
    return session as SessionOf<R>
  }

  /** What each of them was told since the last look. */
  told(): string[][] {
    return this.members.map(({ session }) =>
      session.taken().map((input) => ('text' in input ? input.text : input.type)),
    )
  }

  get counts(): Readonly<Record<string, number>> {
    return this.provider.events?.() ?? {}
  }
}

describe('who is asked next', () => {
  const ready = { ready: true, restsUntilMs: 0 }
  const rests = { ready: true, restsUntilMs: 500 }
  const not = { ready: false, restsUntilMs: 0 }
  test.each([
    ['the first that is ready', [ready, ready], [], 0],
    ['not one that is not ready', [not, ready], [], 1],
    ['not one that rests', [rests, ready], [], 1],
    ['one that rests rather than one that is not ready', [not, rests], [], 1],
    ['of none that is ready the first', [not, not], [], 0],
    ['none twice', [ready, rests, not], [0], 1],
    ['nobody, once all were tried', [ready, ready], [0, 1], null],
  ] as const)('%s', (_what, candidates, tried, expected) => {
    expect(chooseCandidate(candidates, new Set<number>(tried), 100)).toBe(expected)
  })

  test('one that fails rests longer each time, and not at all once it has worked', () => {
    const list = new Rests(2, 1000, { next: () => 1, uuid: () => '' })
    list.failed(0, 0)
    list.failed(0, 500)
    expect([list.until(0), list.until(1)]).toEqual([1000, 0])
    list.failed(0, 1000)
    expect(list.until(0)).toBe(3000)
    for (let nowMs = 3000; nowMs < 1e7; nowMs = list.until(0)) list.failed(0, nowMs)
    list.failed(0, 1e7)
    expect(list.until(0) - 1e7).toBeLessThanOrEqual(600_000)
    list.worked(0)
    list.failed(0, 2e7)
    expect(list.until(0)).toBe(2e7 + 1000)
  })
})

describe('a list opens', () => {
  test('the first that can be opened, and is ready as soon as one is', async () => {
    const bench = new Bench('llm')
    const [first, second] = bench.members
    first.ready = { ready: false, reason: 'no key' }
    expect(bench.provider.readiness()).toEqual({ ready: true })
    second.fails = new Error('no')
    const session = await bench.open()
    session.send({ type: 'generate', messages: [] })
    expect(bench.told()).toEqual([[], [], ['generate']])
    expect(bench.counts).toEqual({ fallback_failed: 1, fallback_passed_over: 1 })
    // The next call: what failed rests, what is ready now comes first.
    first.ready = { ready: true }
    const next = await bench.open()
    next.send({ type: 'generate', messages: [] })
    expect(bench.told()).toEqual([['generate'], [], []])
  })

  test('nothing, with the reasons of all', async () => {
    const bench = new Bench('stt')
    for (const member of bench.members) {
      member.fails = new Error('no')
      member.ready = { ready: false, reason: 'no key' }
    }
    expect(bench.provider.readiness()).toEqual({
      ready: false,
      reason: 'fake-stt: no key; fake-stt: no key; fake-stt: no key',
    })
    await expect(bench.open()).rejects.toThrow(/none of fake-stt/)
  })
})

describe('recognition', () => {
  const audio = (value: number) =>
    ({ type: 'audio', frame: { sampleRateHz: 8000, samples: new Int16Array(160).fill(value) } }) as const

  test('that fails: the next hears the turn from its beginning, and what is said meanwhile', async () => {
    const bench = new Bench('stt')
    const session = await bench.open()
    const shared = audio(1)
    session.send(shared)
    session.send({ type: 'speech_started', agoMs: 90 })
    bench.members[0].session.emit(fault)
    // The frame's memory is used again.
    shared.frame.samples.fill(9)
    session.send(audio(2))
    await settle()
    const heard = bench.members[1].session.inputs.map((input) =>
      input.type === 'audio' ? input.frame.samples[0] : input.type,
    )
    expect(heard).toEqual([1, 'speech_started', 2])
    session.send({ type: 'finalize' })
    bench.members[1].session.emit({ type: 'transcript', final: true, text: 'Hello.' })
    expect(bench.events).toEqual([{ type: 'transcript', final: true, text: 'Hello.' }])
    expect(bench.counts).toEqual({ fallback_failed: 1, fallback_replaced: 1 })
    expect(bench.incidents).toEqual(['stt_replaced'])
    // Nothing of the one that was replaced is heard any more.
    bench.members[0].session.emit({ type: 'transcript', final: true, text: '' })
    expect(bench.events).toHaveLength(1)
    expect(bench.members[0].session.closes).toBe(1)
  })

  test('that fails when the turn is over: the words come all the same, once', async () => {
    const bench = new Bench('stt')
    const session = await bench.open()
    session.send(audio(1))
    session.send({ type: 'finalize' })
    bench.members[0].session.emit({ type: 'transcript', final: true, text: 'One.' })
    session.send(audio(2))
    session.send({ type: 'finalize' })
    bench.members[0].session.emit(fault)
    await settle()
    bench.members[1].session.emit(fault)
    await settle()
    expect(bench.told().slice(1)).toEqual([
      ['audio', 'finalize'],
      ['audio', 'finalize'],
    ])
    bench.members[2].session.emit({ type: 'transcript', final: true, text: 'Two.' })
    expect(bench.events.map((event) => ('text' in event ? event.text : event.type))).toEqual(['One.', 'Two.'])
  })

  test('where all have failed: one fault, one empty final, and the next turn has all of them again', async () => {
    const bench = new Bench('stt')
    const session = await bench.open()
    session.send(audio(1))
    session.send({ type: 'finalize' })
    for (const member of bench.members) {
      member.session.emit(fault)
      await settle()
    }
    expect(bench.events).toEqual([fault, { type: 'transcript', final: true, text: '' }])
    expect(bench.counts.fallback_exhausted).toBe(1)
    bench.told()
    session.send(audio(2))
    session.send({ type: 'speech_started', agoMs: 0 })
    await settle()
    expect(bench.told()).toEqual([['audio', 'speech_started'], [], []])
  })

  test('where all have failed before the turn is over, it is no fault yet: they are asked again at its end', async () => {
    const bench = new Bench('stt')
    const session = await bench.open()
    session.send(audio(1))
    for (const member of bench.members) {
      member.session.emit(fault)
      await settle()
    }
    expect([bench.events, bench.incidents]).toEqual([[], ['stt_replaced', 'stt_replaced', 'stt_exhausted']])
    bench.told()
    session.send({ type: 'finalize' })
    await settle()
    expect(bench.told()[0]).toEqual(['audio', 'finalize'])
    bench.members[0].session.emit({ type: 'transcript', final: true, text: 'Hello.' })
    expect(bench.events).toEqual([{ type: 'transcript', final: true, text: 'Hello.' }])
  })

  test('a session that has ended is asked no more; its turn is not lost', async () => {
    const bench = new Bench('stt')
    const session = await bench.open()
    bench.members[0].session.emit({ type: 'closed' })
    await settle()
    session.send(audio(1))
    expect(bench.told()).toEqual([[], ['audio'], []])
    expect(bench.events).toEqual([])
  })

  test('a turn without an end is kept to its newest 40 s', async () => {
    const bench = new Bench('stt')
    const session = await bench.open()
    for (let count = 0; count < 3000; count += 1) session.send(audio(1))
    bench.members[0].session.emit(fault)
    await settle()
    expect(bench.members[1].session.inputs).toHaveLength(2000)
  })
})

describe('a language model', () => {
  const generate = { type: 'generate', messages: [{ role: 'user', content: 'Hi' }] } as const

  test('that fails before its first word: the next is asked the same', async () => {
    const bench = new Bench('llm')
    const session = await bench.open()
    session.send(generate)
    bench.members[0].session.emit(fault)
    await settle()
    expect(bench.members[1].session.inputs).toEqual([generate])
    bench.members[1].session.emit({ type: 'text', delta: 'Hello' })
    bench.members[1].session.emit({ type: 'done' })
    expect(bench.events.map(({ type }) => type)).toEqual(['text', 'done'])
    // The call stays with it; another call begins with the first once it has rested.
    session.send(generate)
    expect(bench.told()).toEqual([['generate'], ['generate', 'generate'], []])
    const soon = await bench.open()
    soon.send(generate)
    bench.clock.advance(30_000)
    const later = await bench.open()
    later.send(generate)
    expect(bench.told()).toEqual([['generate'], ['generate'], []])
  })

  test('that fails within its answer: the fault is passed on, and the next serves what comes then', async () => {
    const bench = new Bench('llm')
    const session = await bench.open()
    session.send(generate)
    bench.members[0].session.emit({ type: 'text', delta: 'Hel' })
    bench.members[0].session.emit(fault)
    await settle()
    expect(bench.events.map(({ type }) => type)).toEqual(['text', 'fault'])
    session.send(generate)
    expect(bench.told()).toEqual([['generate'], ['generate'], []])
  })

  test('and what is asked while no other can be opened is asked of all anew', async () => {
    const bench = new Bench('llm')
    const session = await bench.open()
    session.send(generate)
    bench.members[0].session.emit({ type: 'text', delta: 'Hel' })
    for (const member of bench.members.slice(1)) member.fails = new Error('no')
    bench.members[0].session.emit(fault)
    expect(session.send(generate)).toBe('sent')
    await settle()
    expect(bench.told()[0]).toEqual(['generate', 'generate'])
    bench.members[0].session.emit({ type: 'text', delta: 'Here.' })
    expect(bench.events.map((event) => ('delta' in event ? event.delta : event.type))).toEqual([
      'Hel',
      'fault',
      'Here.',
    ])
  })

  test('a question that was taken back while the next is opened is not asked', async () => {
    const bench = new Bench('llm')
    const session = await bench.open()
    session.send(generate)
    bench.members[0].session.emit(fault)
    session.send({ type: 'cancel' })
    await settle()
    expect(bench.told()[1]).toEqual([])
  })
})

describe('a voice', () => {
  const audio = { type: 'audio', frame: { sampleRateHz: 8000, samples: new Int16Array(160) } } as const

  test('that fails between two sentences: the next speaks the rest', async () => {
    const bench = new Bench('tts')
    const session = await bench.open()
    for (const text of ['One.', 'Two.', 'Three.']) session.send({ type: 'speak', text })
    bench.members[0].session.emit(audio)
    bench.members[0].session.emit({ type: 'spoken', text: 'One.' })
    bench.members[0].session.emit(fault)
    await settle()
    expect(bench.told()[1]).toEqual(['Two.', 'Three.'])
    expect(bench.events.map(({ type }) => type)).toEqual(['audio', 'spoken'])
  })

  test('that fails in the midst of a sentence: it is not heard twice', async () => {
    const bench = new Bench('tts')
    const session = await bench.open()
    session.send({ type: 'speak', text: 'One.' })
    bench.members[0].session.emit(audio)
    bench.members[0].session.emit(fault)
    await settle()
    expect(bench.events.map(({ type }) => type)).toEqual(['audio', 'fault'])
    expect(bench.told()[1]).toEqual([])
  })
})

describe('a list closes', () => {
  test('with whatever is open, also while another is being opened', async () => {
    const bench = new Bench('tts')
    const session = await bench.open()
    bench.members[0].session.emit(fault)
    await session.close()
    expect(bench.members.map(({ session: each }) => each.closes)).toEqual([1, 1, 0])
    expect(bench.events).toEqual([{ type: 'closed' }])
    expect(session.send({ type: 'speak', text: 'x' })).toBe('closed')
    await bench.provider.close()
    expect(bench.members.map(({ closes }) => closes)).toEqual([1, 1, 1])
  })

  test('with the call', async () => {
    const bench = new Bench('llm')
    const call = new AbortController()
    const session = await bench.provider.open(callContext(bench.clock, { signal: call.signal }))
    session.onEvent((event) => void bench.events.push(event))
    call.abort()
    await settle()
    expect(bench.events).toEqual([{ type: 'closed' }])
    expect(bench.members[0].session.closes).toBe(1)
  })
})

test('what one of a list has used is told, also when another has taken its place', async () => {
  const bench = new Bench('llm')
  const session = await bench.open()
  session.send({ type: 'generate', messages: [] })
  const [first, second] = bench.members
  first.session.emit(fault)
  await settle()
  first.session.emit({ type: 'usage', tokens: null })
  second.session.emit({ type: 'done' })
  expect(bench.events).toEqual([{ type: 'usage', tokens: null }, { type: 'done' }])
})
