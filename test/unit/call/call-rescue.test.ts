import { describe, expect, test } from 'bun:test'
import { fakeAgent } from '../../fakes/agent.ts'
import { ringingCall, type TestCall } from '../../fakes/calls.ts'
import { FakeFilePlayer } from '../../fakes/file-player.ts'
import { FakeLeg } from '../../fakes/leg.ts'
import { settle } from '../../fakes/manual-clock.ts'

/** Samples of 8 kHz that tell their own place. */
const counted = (ms: number) => Int16Array.from({ length: ms * 8 }, (_, index) => 1 + index)
const audible = (leg: FakeLeg) => leg.heard.filter((sample) => sample !== 0)

interface Options {
  readonly call?: Parameters<typeof ringingCall>[0]
  readonly files?: boolean
  /** Leaves the caller silent. */
  readonly silent?: boolean
}

/** In a reply of one second, of which 200 ms have left; the caller has just been heard. */
async function speaking(options: Options = {}): Promise<TestCall & { files: FakeFilePlayer }> {
  const made = ringingCall({ ...options.call, plan: { greeting: '', ...options.call?.plan } })
  const files = new FakeFilePlayer()
  if (options.files === true) made.pbx.files = files
  await settle()
  made.call.answered()
  made.call.attachLeg(made.leg)
  made.call.bridged()
  made.agent.session.emit({ type: 'audio', frame: { sampleRateHz: 8000, samples: counted(1000) } })
  made.agent.session.emit({ type: 'reply_done' })
  made.world.clock.advance(200)
  if (options.silent !== true) made.leg.audio(new Int16Array(160).fill(1000))
  return { ...made, files }
}

/** The new media path is there and in the bridge. */
function reopenWith({ call, pbx }: TestCall): FakeLeg {
  const next = new FakeLeg()
  pbx.reopen = () => {
    call.attachLeg(next)
    return Promise.resolve(true)
  }
  return next
}

const causes = ({ world }: TestCall) => world.observer.facts.map((facts) => facts.cause)

/** Nothing of the call is left, and no timer runs. */
function expectOver(made: TestCall, cause: string): void {
  expect(causes(made)).toEqual([cause as never])
  expect([made.world.store.size, made.world.pacer.size, made.world.clock.pending]).toEqual([0, 0, 0])
  expect([made.pbx.released, made.world.errors]).toEqual([[cause as never], []])
}

describe('a media path that is lost in mid-call', () => {
  const losses: [string, (made: TestCall) => void][] = [
    ['its connection ends', ({ leg }) => leg.end('caller')],
    ['its connection breaks', ({ leg }) => leg.end('media_lost')],
    ['Asterisk takes its channel away', ({ call }) => call.mediaLost()],
    ['connection, then channel', ({ call, leg }) => [leg.end('caller'), call.mediaLost(), call.mediaLost()]],
    ['channel, then connection', ({ call, leg }) => [call.mediaLost(), leg.end('media_lost'), call.mediaLost()]],
  ]
  test.each(losses)('is made anew, once: %s; the reply goes on with nothing lost or doubled', async (_name, lose) => {
    const made = await speaking()
    const next = reopenWith(made)
    lose(made)
    await settle()
    expect([made.pbx.reopenings, made.world.observer.restarts, made.call.ended]).toEqual([1, 1, false])
    made.world.clock.advance(2000)
    expect([...audible(made.leg), ...audible(next)]).toEqual([...counted(1000)])
    expect(made.leg.closedWith).toEqual(
      _name.startsWith('its connection') || _name.startsWith('conn') ? [] : ['media_lost'],
    )
    await made.call.end('caller')
    expectOver(made, 'caller')
    expect(made.world.observer.facts[0]?.audio).toMatchObject({ restarts: 1, underruns: 0, fallbacks: 0 })
  })

  test('the reply waits until the new channel is in the bridge, not only for its leg', async () => {
    const made = await speaking()
    const opened = Promise.withResolvers<boolean>()
    made.pbx.reopen = () => opened.promise
    const next = new FakeLeg()
    made.leg.end('media_lost')
    made.world.clock.advance(100)
    expect(made.call.attachLeg(next)).toBe('attached')
    made.world.clock.advance(100)
    expect(audible(next)).toEqual([])
    opened.resolve(true)
    await settle()
    made.world.clock.advance(2000)
    expect([...audible(made.leg), ...audible(next)]).toEqual([...counted(1000)])
  })

  test('a second time it waits for its channel as well', async () => {
    const made = await speaking()
    const second = reopenWith(made)
    made.leg.end('media_lost')
    await settle()
    second.audio(new Int16Array(160))
    made.pbx.reopen = () => new Promise(() => {})
    second.end('media_lost')
    const third = new FakeLeg()
    expect(made.call.attachLeg(third)).toBe('attached')
    made.world.clock.advance(1000)
    expect(audible(third)).toEqual([])
  })

  test('the bridge may be ready before the leg is', async () => {
    const made = await speaking()
    made.pbx.reopen = () => Promise.resolve(true)
    made.leg.end('media_lost')
    await settle()
    made.world.clock.advance(500)
    const next = new FakeLeg()
    expect(made.call.attachLeg(next)).toBe('attached')
    made.world.clock.advance(5000)
    expect([...audible(made.leg), ...audible(next)]).toEqual([...counted(1000)])
    expect(made.call.ended).toBe(false)
  })

  test('the caller is heard on the new leg, and the old one’s late words mean nothing', async () => {
    const made = await speaking()
    const next = reopenWith(made)
    made.call.mediaLost()
    await settle()
    made.leg.audio(new Int16Array(160))
    made.leg.emit({ type: 'dtmf', digit: '1' })
    made.leg.emit({ type: 'ended', cause: 'protocol_error' })
    next.audio(new Int16Array(160))
    next.emit({ type: 'dtmf', digit: '2' })
    expect(made.call.ended).toBe(false)
    await made.call.end('caller')
    expect(made.world.observer.facts[0]).toMatchObject({ digits: 1, audio: { framesIn: 2 } })
    expect(next.closedWith).toEqual(['caller'])
  })

  test('a second leg is refused: while the first stands, after the new one is there, and when nothing is under way', async () => {
    const made = await speaking()
    expect(made.call.attachLeg(new FakeLeg())).toBe('refused')
    reopenWith(made)
    made.leg.end('media_lost')
    await settle()
    expect(made.call.attachLeg(new FakeLeg())).toBe('refused')
  })

  test('the figures of both legs are added up', async () => {
    const made = await speaking()
    const next = reopenWith(made)
    Object.assign(made.leg.stats, { lost: 1, late: 2, duplicates: 3, reordered: 4, concealed: 5 })
    made.leg.end('media_lost')
    await settle()
    Object.assign(next.stats, { lost: 10, late: 20, duplicates: 30, reordered: 40, concealed: 50 })
    await made.call.end('caller')
    expect(made.world.observer.facts[0]?.audio).toMatchObject({
      lost: 11,
      late: 22,
      duplicates: 33,
      reordered: 44,
      concealed: 55,
    })
  })
})

describe('a media path is not made anew', () => {
  const cases: [string, string, Options, (made: TestCall) => void][] = [
    [
      'where the caller had not been heard for more than 5 s',
      'media_lost',
      {},
      ({ world, leg }) => [world.clock.advance(5001), leg.end('media_lost')],
    ],
    ['where the peer broke the protocol', 'protocol_error', {}, ({ leg }) => leg.end('protocol_error')],
    [
      'for a call without ARI, which has no way to ask for it',
      'media_lost',
      { call: { plan: { origin: 'dialplan' } } },
      ({ leg }) => leg.end('media_lost'),
    ],
  ]
  test.each(cases)('%s: the call ends with %s', async (_name, cause, options, lose) => {
    const made = await speaking({ ...options, files: true })
    lose(made)
    await settle()
    expect([made.pbx.reopenings, made.world.observer.restarts]).toEqual([0, 0])
    expectOver(made, cause)
  })

  test('where the caller was never heard: the rest of the reply comes from a file, and then the call ends', async () => {
    const made = await speaking({ silent: true, files: true })
    made.leg.end('media_lost')
    made.world.clock.advance(20)
    expect([made.pbx.reopenings, made.files.ways, made.call.ended]).toEqual([0, ['instead'], false])
    made.files.say('started')
    made.files.say('finished')
    await settle()
    expect([...audible(made.leg), ...(made.files.played[0] ?? [])]).toEqual([...counted(1000)])
    expectOver(made, 'media_lost')
  })

  test('where the caller was never heard and there are no files: the call ends', async () => {
    const made = await speaking({ silent: true })
    made.leg.end('media_lost')
    await settle()
    expect(made.pbx.reopenings).toBe(0)
    expectOver(made, 'media_lost')
  })

  test('where it had been heard 5 s ago it still is', async () => {
    const made = await speaking()
    reopenWith(made)
    made.world.clock.advance(5000)
    made.leg.end('media_lost')
    await settle()
    expect([made.pbx.reopenings, made.call.ended]).toEqual([1, false])
  })

  test('before the call is bridged', async () => {
    const made = ringingCall()
    await settle()
    made.call.answered()
    made.call.attachLeg(made.leg)
    made.leg.audio(new Int16Array(160))
    made.leg.end('media_lost')
    await settle()
    expect(made.pbx.reopenings).toBe(0)
    expectOver(made, 'media_lost')
  })

  test('a fourth time', async () => {
    const made = await speaking()
    let { leg } = made
    for (let loss = 0; loss < 3; loss += 1) {
      const next = reopenWith(made)
      leg.end('media_lost')
      await settle()
      leg = next
      leg.audio(new Int16Array(160))
      expect(made.call.ended).toBe(false)
    }
    leg.end('media_lost')
    await settle()
    expect(made.pbx.reopenings).toBe(3)
    expectOver(made, 'media_lost')
    expect(made.world.observer.facts[0]?.audio.restarts).toBe(3)
  })

  test('after the end', async () => {
    const made = await speaking()
    await made.call.end('caller')
    made.call.mediaLost()
    await settle()
    expect(made.pbx.reopenings).toBe(0)
    expectOver(made, 'caller')
  })
})

describe('a media path that cannot be made anew', () => {
  const failures: [string, (made: TestCall) => void][] = [
    ['Asterisk refuses', ({ pbx }) => Object.assign(pbx, { reopen: () => Promise.resolve(false) })],
    ['Asterisk does not answer within 3 s', ({ pbx }) => Object.assign(pbx, { reopen: () => new Promise(() => {}) })],
    ['no leg comes within 3 s', ({ pbx }) => Object.assign(pbx, { reopen: () => Promise.resolve(true) })],
    [
      'its leg is there, and the bridge does not take it',
      ({ pbx, call }) =>
        Object.assign(pbx, {
          reopen: () => {
            call.attachLeg(new FakeLeg())
            return Promise.resolve(false)
          },
        }),
    ],
  ]

  test.each(failures)('%s: without files the call ends', async (_name, fail) => {
    const made = await speaking()
    fail(made)
    made.leg.end('media_lost')
    await settle()
    made.world.clock.advance(3000)
    await settle()
    expectOver(made, 'media_lost')
  })

  test.each(failures)('%s: the rest of the reply is played from a file, then the call ends', async (_name, fail) => {
    const made = await speaking({ files: true })
    fail(made)
    made.leg.end('media_lost')
    await settle()
    made.world.clock.advance(3020)
    await settle()
    expect([made.files.ways, made.world.observer.fallbacks, made.call.ended]).toEqual([
      ['instead'],
      ['leg_lost'],
      false,
    ])
    made.files.say('started')
    made.world.clock.advance(100)
    made.files.say('finished')
    await settle()
    expect([...audible(made.leg), ...(made.files.played[0] ?? [])]).toEqual([...counted(1000)])
    expectOver(made, 'media_lost')
    // The leg was lost, and not one that takes nothing.
    expect(made.world.observer.oneWays).not.toContain('agent_not_sent')
  })

  test('a leg that the bridge does not take is closed at once, and gets nothing of the reply', async () => {
    const made = await speaking({ files: true })
    const next = new FakeLeg()
    made.pbx.reopen = () => {
      made.call.attachLeg(next)
      return Promise.resolve(false)
    }
    made.leg.end('media_lost')
    await settle()
    expect([next.closedWith, audible(next), made.call.ended]).toEqual([['media_lost'], [], false])
  })

  test('a leg that comes too late is refused, and the file goes on', async () => {
    const made = await speaking({ files: true })
    made.leg.end('media_lost')
    await settle()
    expect(made.call.attachLeg(new FakeLeg())).toBe('refused')
    made.call.mediaLost()
    expect([made.pbx.reopenings, made.call.ended]).toEqual([1, false])
  })

  test('outside a reply there is nothing to play, and the call ends', async () => {
    const made = await speaking({ files: true })
    made.world.clock.advance(2000)
    made.leg.audio(new Int16Array(160))
    made.leg.end('media_lost')
    await settle()
    expect(made.files.played).toEqual([])
    expectOver(made, 'media_lost')
  })

  test('a file that fails as well ends the call', async () => {
    const made = await speaking({ files: true })
    made.leg.end('media_lost')
    await settle()
    made.world.clock.advance(20)
    made.files.say('failed')
    made.world.clock.advance(20)
    await settle()
    expectOver(made, 'media_lost')
    expect(made.world.observer.facts[0]?.audio.filesFailed).toBe(1)
  })

  test('a reply that the caller cuts off meanwhile does not keep the call: its end would never come', async () => {
    const made = await speaking({ files: true, call: { plan: { keys: { '1': { do: 'interrupt' } } } } })
    made.world.clock.advance(300)
    made.leg.audio(new Int16Array(160))
    made.world.detector.speech('speech_started')
    made.leg.end('media_lost')
    await settle()
    expect([made.call.turnState, made.call.ended]).toEqual(['overlap', false])
    // Nothing is heard of their voice any more; a key is.
    made.call.digit('1')
    made.world.clock.advance(2000)
    await settle()
    expect(made.world.observer.interruptions).toHaveLength(1)
    expectOver(made, 'media_lost')
  })

  test('an agent that takes no turns never takes the file path', async () => {
    const made = await speaking({ files: true, call: { agent: fakeAgent('none') } })
    made.leg.end('media_lost')
    await settle()
    expect(made.files.played).toEqual([])
    expectOver(made, 'media_lost')
  })
})

describe('a call that ends while its media path is being made anew', () => {
  test('leaves no timer; the answer that comes late means nothing, and its leg is refused', async () => {
    const made = await speaking({ files: true })
    const opened = Promise.withResolvers<boolean>()
    made.pbx.reopen = () => opened.promise
    made.leg.end('media_lost')
    made.world.clock.advance(1000)
    await made.call.end('caller')
    expectOver(made, 'caller')
    opened.resolve(false)
    await settle()
    expect(made.call.attachLeg(new FakeLeg())).toBe('refused')
    expect(made.world.observer.fallbacks).toEqual([])
    expectOver(made, 'caller')
  })

  test('since the caller has gone: the cause is theirs', async () => {
    const made = await speaking({ files: true })
    made.pbx.reopen = () => {
      void made.call.end('caller')
      return Promise.resolve(false)
    }
    made.leg.end('media_lost')
    await settle()
    expectOver(made, 'caller')
  })
})
