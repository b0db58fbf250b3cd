import { describe, expect, test } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import { FakeMediaChannel } from '../../fakes/media-websocket-asterisk.ts'
import { loud, mediaLeg } from '../../fakes/media-websocket-leg.ts'

describe('what is ahead inside Asterisk', () => {
  test('stays at one frame while both keep time, and nothing is left out', () => {
    const { run, asterisk, counters } = mediaLeg()
    run(500, 0)
    expect(asterisk.queueLength).toBe(0)
    expect(asterisk.played.length).toBe(500)
    expect([counters.framesShed, counters.framesRefused]).toEqual([0, 0])
  })

  test('after a stall of ours and its catching up, silence is left out until little is ahead', () => {
    const { leg, run, asterisk, clock, frame, counters } = mediaLeg()
    run(50, loud)
    // 300 ms in which nothing runs here, while Asterisk plays on; then the pacer's five frames at once.
    for (let tick = 0; tick < 15; tick += 1) asterisk.tick()
    clock.stall(300)
    for (let owed = 0; owed < 5; owed += 1) leg.write(frame(loud))
    run(100, loud)
    // Not a frame of speech is lost for it …
    expect([asterisk.queueLength, counters.framesRefused, counters.framesShed]).toEqual([5, 0, 0])
    run(20, 0)
    // … and the first pause brings it down.
    expect(asterisk.queueLength).toBeLessThanOrEqual(2)
    expect(counters.framesShed).toBe(4)
    const before = asterisk.played.length
    run(200, 0)
    expect(asterisk.played.length - before).toBe(200)
    expect(counters.framesShed).toBe(4)
  })

  test('an Asterisk that misses a tick every other second never has more than 100 ms ahead, in a call of five minutes', () => {
    const { run, asterisk, counters } = mediaLeg()
    const random = seededRandom(3)
    let longest = 0
    let ticks = 0
    const missing = () => {
      ticks += 1
      longest = Math.max(longest, asterisk.queueLength)
      return ticks % 100 !== 0
    }
    for (let second = 0; second < 300; ) {
      // Speech of one to four seconds, and a pause of half a second to two.
      const speech = 1 + Math.floor(random.next() * 4)
      run(speech * 50, loud, missing)
      const pause = 0.5 + random.next() * 1.5
      run(Math.round(pause * 50), 0, missing)
      second += speech + pause
    }
    expect(ticks).toBeGreaterThan(14_000)
    // 100 ms ahead of a frame, the frame, and the one tick that was missed since Asterisk was last asked.
    expect(longest).toBeLessThanOrEqual(7)
    expect(counters.framesRefused).toBe(0)
    // What the missed ticks left over was taken out again, and not more.
    expect(counters.framesShed).toBeWithin(ticks / 100 - 10, ticks / 100 + 30)
  })

  test('speech without any pause is cut rather than late for ever', () => {
    const { run, asterisk, counters } = mediaLeg()
    let longest = 0
    let ticks = 0
    run(3000, loud, () => {
      ticks += 1
      longest = Math.max(longest, asterisk.queueLength)
      return ticks % 25 !== 0
    })
    // 100 ms ahead of a frame, the frame, and two ticks that were missed since Asterisk was last asked.
    expect(longest).toBeLessThanOrEqual(8)
    expect(counters.framesRefused).toBeGreaterThan(80)
    expect(counters.framesShed).toBe(0)
  })

  test('at MEDIA_XOFF frames are refused until MEDIA_XON', () => {
    const { leg, run, asterisk, socket, counters } = mediaLeg()
    // Someone else has filled the queue.
    for (let frame = 0; frame < 900; frame += 1) asterisk.receiveBinary(new Uint8Array(640))
    expect(counters.xoffs).toBe(1)
    expect(new Set(run(100, loud))).toEqual(new Set(['full']))
    expect(socket.messages).toEqual([])
    leg.flush()
    asterisk.receiveText('{"command":"FLUSH_MEDIA"}')
    asterisk.tick()
    expect(run(1, loud)).toEqual(['sent'])
  })

  test('MEDIA_XOFF that holds for long ends nothing: Asterisk answers', () => {
    const { leg, run, asterisk, events } = mediaLeg()
    for (let frame = 0; frame < 900; frame += 1) asterisk.receiveBinary(new Uint8Array(640))
    expect(new Set(run(1000, loud, () => false))).toEqual(new Set(['full']))
    expect(events).toEqual([])
    // What filled the queue has played.
    while (asterisk.queueLength > 0) asterisk.tick()
    const answers = run(60, loud)
    expect([answers.at(-1), events]).toEqual(['sent', []])
    expect(leg.aheadMs).toBeLessThanOrEqual(100)
  })

  test('a lost MEDIA_XON: STATUS tells as well', () => {
    const { leg, run, events } = mediaLeg()
    leg.receiveText('{"event":"MEDIA_XOFF","channel_id":"m1"}')
    expect(run(1, loud)).toEqual(['full'])
    expect([run(60, loud).at(-1), events]).toEqual(['sent', []])
  })

  test.each([100, 200, 400, 1000, 3000])(
    'Asterisk stands still for %d ms: what piled up is short, and soon gone',
    (stallMs) => {
      const { leg, run, asterisk, socket, events } = mediaLeg()
      const alive = () => {
        leg.receiveAudio(new Uint8Array(640))
        return true
      }
      run(120, loud, alive)
      const held: (() => void)[] = []
      const { onBinary, onText } = socket
      socket.onBinary = (bytes) => held.push(() => onBinary(Uint8Array.from(bytes)))
      socket.onText = (text) => held.push(() => onText(text))
      run(stallMs / 20, loud, () => false)
      Object.assign(socket, { onBinary, onText })
      for (const deliver of held) deliver()
      // 60 ms until its silence is noticed, 200 ms until it is believed, and the frame of each tick.
      expect(asterisk.queueLength).toBeLessThanOrEqual(15)
      let longest = 0
      run(30, loud, alive)
      run(50, loud, () => {
        longest = Math.max(longest, asterisk.queueLength)
        return alive()
      })
      expect(longest).toBeLessThanOrEqual(6)
      expect(events).toEqual([])
    },
  )

  test('a pause that nobody asked for is ended', () => {
    const { run, asterisk } = mediaLeg()
    asterisk.paused = true
    run(60, 0)
    expect(asterisk.paused).toBe(false)
    expect(asterisk.commands).toContain('CONTINUE_MEDIA')
  })
})

describe('a flush', () => {
  test('empties the queue, marks included, and says so in the form of the peer', () => {
    const { leg, run, asterisk } = mediaLeg({ form: 'plain_text' })
    run(5, loud, () => false)
    expect(asterisk.queueLength).toBe(5)
    leg.flush()
    expect([asterisk.queueLength, asterisk.commands.at(-1)]).toEqual([0, 'FLUSH_MEDIA'])
    expect(leg.aheadMs).toBe(0)
  })

  test('without anything written since is not sent', () => {
    const { leg, run, asterisk } = mediaLeg()
    leg.flush()
    run(1, loud)
    leg.flush()
    leg.flush()
    expect(asterisk.commands.filter((command) => command === 'FLUSH_MEDIA')).toHaveLength(1)
  })

  test('an answer that is older than it is not believed', () => {
    const { leg, run, asterisk, socket } = mediaLeg()
    run(49, loud)
    // The question goes out, its answer stays under way.
    socket.onText = () => {}
    run(2, loud)
    socket.onText = (text) => asterisk.receiveText(text)
    leg.flush()
    leg.receiveText('{"event":"STATUS","channel_id":"m1","queue_length":50,"media_paused":false}')
    expect(leg.aheadMs).toBe(0)
  })
})

describe('marks', () => {
  test('tell how much sound has been played: every 200 ms of it, and at its end', () => {
    const { leg, run, asterisk } = mediaLeg()
    run(9, loud)
    expect(leg.playedMs).toBe(0)
    run(2, loud)
    expect(leg.playedMs).toBe(200)
    run(3, loud)
    run(2, 0)
    expect(leg.playedMs).toBe(280)
    run(500, 0)
    expect(asterisk.commands.filter((command) => command.startsWith('MARK_MEDIA'))).toHaveLength(2)
  })

  test('what was flushed is not counted as played', () => {
    const { leg, run } = mediaLeg()
    run(11, loud)
    run(4, loud, () => false)
    leg.flush()
    run(11, loud)
    // 200 ms before the flush, 200 ms after it: the frames between never sounded.
    expect(leg.playedMs).toBe(400)
  })

  test('an Asterisk that answers none is asked no further', () => {
    const { run, asterisk } = mediaLeg()
    asterisk.receiveText = (text) => {
      if (text.includes('MARK_MEDIA')) asterisk.commands.push('MARK_MEDIA')
      if (text.includes('GET_STATUS')) FakeMediaChannel.prototype.receiveText.call(asterisk, text)
    }
    run(2000, loud)
    expect(asterisk.commands.filter((command) => command === 'MARK_MEDIA')).toHaveLength(16)
  })
})
