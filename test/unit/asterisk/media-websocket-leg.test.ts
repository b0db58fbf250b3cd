import { describe, expect, test } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import { settle } from '../../fakes/manual-clock.ts'
import { loud, mediaLeg } from '../../fakes/media-websocket-leg.ts'

describe('a media WebSocket leg begins', () => {
  test('with MEDIA_START', () => {
    const { owned, asterisk } = mediaLeg({ started: false })
    expect(owned).toEqual([])
    asterisk.start()
    expect(owned).toEqual(['began'])
  })

  test('with audio, when that comes first; MEDIA_START may follow, and tells the form', () => {
    const { leg, owned, asterisk, heard, socket, run } = mediaLeg({ started: false, form: 'plain_text' })
    leg.receiveAudio(new Uint8Array(640).fill(1))
    expect([owned, heard.length]).toEqual([['began'], 320])
    run(1, loud)
    asterisk.start()
    run(60, loud)
    expect(owned).toEqual(['began'])
    expect(socket.texts).toContain('GET_STATUS')
    expect(socket.texts.filter((text) => text.startsWith('{'))).toEqual([])
  })

  test('with audio, and MEDIA_START never comes: JSON is spoken, an interruption flushes, the queue is asked after', () => {
    const { leg, asterisk, run } = mediaLeg({ started: false })
    leg.receiveAudio(new Uint8Array(640).fill(1))
    run(20, loud)
    run(4, loud, () => false)
    expect(asterisk.queueLength).toBe(4)
    leg.flush()
    expect([asterisk.queueLength, leg.aheadMs]).toEqual([0, 0])
    run(100, loud)
    expect(asterisk.commands.filter((command) => command === 'GET_STATUS').length).toBeGreaterThanOrEqual(2)
    expect(leg.playedMs).toBeGreaterThan(1000)
  })

  test('with audio, no MEDIA_START, and then it stands still: full, and lost after five seconds', () => {
    const { leg, run, socket, events } = mediaLeg({ started: false })
    leg.receiveAudio(new Uint8Array(640).fill(1))
    run(10, loud)
    socket.onText = () => {}
    socket.onBinary = () => {}
    const answers = run(200, loud)
    expect(answers.indexOf('full')).toBeWithin(1, 61)
    expect(new Set(answers.slice(answers.indexOf('full')))).toEqual(new Set(['full']))
    expect(events).toEqual([])
    run(120, loud)
    expect(events).toEqual([{ type: 'ended', cause: 'media_lost' }])
  })

  test('with audio, no MEDIA_START, and it knows only the older form: found out by its silence', () => {
    const { leg, run, asterisk, events } = mediaLeg({ started: false, form: 'plain_text' })
    const hears = () => {
      leg.receiveAudio(new Uint8Array(640).fill(1))
      return true
    }
    hears()
    const answers = run(500, loud, hears)
    expect(answers.filter((answer) => answer === 'full').length).toBeLessThan(5)
    expect(asterisk.commands.filter((command) => command === 'GET_STATUS').length).toBeGreaterThan(5)
    expect(events).toEqual([])
  })

  test('with another format than was asked for: the protocol is broken, and the log names both', () => {
    const { owned, events, logged, counters } = mediaLeg({ startFormat: 'ulaw' })
    expect(events).toEqual([{ type: 'ended', cause: 'protocol_error' }])
    expect(owned).toEqual(['failing', 'gone'])
    expect(logged).toEqual([expect.objectContaining({ asked: 'slin16', started: 'ulaw' })])
    expect(counters.violations).toEqual({ format_mismatch: 1 })
  })

  test('lost before that: its owner hears of it, and it ends', () => {
    const { leg, owned, events, socket } = mediaLeg({ started: false })
    leg.lost('media_lost')
    expect([owned, events, socket.terminations]).toEqual([
      ['failing', 'gone'],
      [{ type: 'ended', cause: 'media_lost' }],
      1,
    ])
  })
})

describe('a media WebSocket leg writes', () => {
  test.each([
    ['slin', 320],
    ['slin16', 640],
    ['slin48', 1920],
    ['ulaw', 160],
    ['alaw', 160],
  ] as const)('%s as one message per frame, of the size that Asterisk cuts into', (format, bytes) => {
    const { run, asterisk } = mediaLeg({ format })
    run(5, loud)
    expect(asterisk.arrived.map((message) => message.length)).toEqual(Array<number>(5).fill(bytes))
    expect(asterisk.played).toEqual(asterisk.arrived)
  })

  test('slin in little-endian order', () => {
    const { run, socket } = mediaLeg({ format: 'slin' })
    run(1, 0x0123)
    expect([...(socket.messages[0] ?? [])].slice(0, 4)).toEqual([0x23, 0x01, 0x23, 0x01])
  })

  test('an Asterisk that cuts into other sizes is told to keep the rest, after each flush as well', () => {
    const { leg, asterisk, run } = mediaLeg({ optimalFrameBytes: 480 })
    run(6, loud)
    leg.flush()
    run(6, loud)
    expect(asterisk.commands.filter((command) => /BUFFERING|FLUSH/.test(command))).toEqual([
      'START_MEDIA_BUFFERING',
      'FLUSH_MEDIA',
      'START_MEDIA_BUFFERING',
    ])
    while (asterisk.queueLength > 0) asterisk.tick()
    const bytes = Buffer.concat(asterisk.played)
    expect(bytes.length).toBeGreaterThan(0)
    expect(bytes.length % 480).toBe(0)
    // Nothing was lost in the cutting: every sample is the one that was written.
    expect(new Set(new Int16Array(Uint8Array.from(bytes).buffer))).toEqual(new Set([loud]))
  })
})
describe('a peer that does not read', () => {
  test('has 200 ms waiting for it at most, then full, and after 5 s it is lost', () => {
    const { run, socket, counters, events } = mediaLeg()
    socket.stuck = true
    const answers = run(40, loud)
    expect(answers.indexOf('full')).toBe(10)
    expect(new Set(answers.slice(10))).toEqual(new Set(['full']))
    expect(counters.framesRefused).toBe(30)
    run(205, loud)
    expect(events).toEqual([])
    run(10, loud)
    expect(events).toEqual([{ type: 'ended', cause: 'media_lost' }])
    expect(socket.terminations).toBe(1)
    expect(run(1, loud)).toEqual(['closed'])
  })

  test('takes some now and then: not lost', () => {
    const { leg, run, socket, events } = mediaLeg()
    socket.stuck = true
    for (let second = 0; second < 20; second += 1) {
      run(50, loud)
      socket.waiting = Math.max(0, socket.waiting - 640)
      leg.receiveText('{"event":"STATUS","queue_length":0}')
    }
    expect(events).toEqual([])
  })

  test('whose kernel takes all, but who says nothing: full 200 ms after it was asked, lost after five seconds', () => {
    const { run, socket, events } = mediaLeg()
    socket.onText = () => {}
    socket.onBinary = () => {}
    const answers = run(150, loud)
    // Asked after one second.
    expect(answers.indexOf('full')).toBeWithin(59, 62)
    expect(events).toEqual([])
    run(200, loud)
    expect(events).toEqual([{ type: 'ended', cause: 'media_lost' }])
  })

  test('who speaks, but does not answer: full after a second', () => {
    const { leg, run, socket, events } = mediaLeg()
    socket.onText = () => {}
    const answers = run(150, loud, () => {
      leg.receiveAudio(new Uint8Array(640))
      return true
    })
    expect(answers.indexOf('full')).toBeWithin(99, 103)
    expect(events).toEqual([])
  })
})

describe('a media WebSocket leg hears', () => {
  test.each(['slin', 'slin16', 'ulaw', 'alaw'] as const)('%s whole, in whatever pieces it comes', (format) => {
    const random = seededRandom(11)
    const whole = mediaLeg({ format })
    const pieces = mediaLeg({ format })
    const bytes = Uint8Array.from({ length: 19_200 }, () => Math.floor(random.next() * 256))
    const perFrame = whole.asterisk.optimalFrameBytes
    for (let offset = 0; offset < bytes.length; offset += perFrame) {
      whole.leg.receiveAudio(bytes.subarray(offset, offset + perFrame))
    }
    for (let offset = 0; offset < bytes.length; ) {
      const size = 1 + Math.floor(random.next() ** 2 * 5 * perFrame)
      pieces.leg.receiveAudio(bytes.subarray(offset, offset + size))
      offset += size
    }
    expect(pieces.heard.length).toBe(19_200 / (format.startsWith('slin') ? 2 : 1))
    expect(pieces.heard).toEqual(whole.heard)
    if (format.startsWith('slin')) expect(pieces.heard).toEqual([...new Int16Array(bytes.buffer)])
  })

  test('digits, and counts what it does not know', () => {
    const { leg, asterisk, events, counters } = mediaLeg()
    asterisk.digit('7')
    leg.receiveText('{"event":"MEDIA_LATER"}')
    leg.receiveText('{"event":')
    leg.receiveText('{"event":"ERROR","error_text":"no"}')
    expect(events).toEqual([{ type: 'dtmf', digit: '7' }])
    expect([counters.unknownEvents, counters.malformedEvents, counters.errors]).toEqual([1, 1, 1])
  })

  test('far more audio than real time: the protocol is broken', () => {
    const { leg, clock, events } = mediaLeg()
    for (let burst = 0; burst < 249; burst += 1) leg.receiveAudio(new Uint8Array(640))
    expect(events).toEqual([])
    clock.advance(1000)
    for (let burst = 0; burst < 74; burst += 1) leg.receiveAudio(new Uint8Array(640))
    expect(events).toEqual([])
    for (let burst = 0; burst < 5; burst += 1) leg.receiveAudio(new Uint8Array(640))
    expect(events).toEqual([{ type: 'ended', cause: 'protocol_error' }])
  })

  test('texts without end: the protocol is broken', () => {
    const { leg, events, counters } = mediaLeg()
    for (let text = 0; text < 300; text += 1) leg.receiveText('{"event":"DTMF_END","digit":"1"}')
    expect(events.at(-1)).toEqual({ type: 'ended', cause: 'protocol_error' })
    expect(counters.violations).toEqual({ flood: 1 })
  })
})

describe('a media WebSocket leg ends', () => {
  test('with a goodbye of the far side: the caller; without one: the media are lost', () => {
    for (const [clean, cause] of [
      [true, 'caller'],
      [false, 'media_lost'],
    ] as const) {
      const { leg, events, owned } = mediaLeg()
      leg.socketClosed(clean)
      leg.socketClosed(!clean)
      expect(events).toEqual([{ type: 'ended', cause }])
      expect(owned).toEqual(['began', 'gone'])
    }
  })

  test('by close: a goodbye, and the end when the far side answers it', async () => {
    const { leg, socket, events, frame, clock } = mediaLeg()
    const closing = leg.close('agent')
    void leg.close('caller')
    expect([socket.closes, socket.terminations, leg.write(frame(1))]).toEqual([1, 0, 'closed'])
    leg.flush()
    expect(socket.texts).toEqual([])
    leg.socketClosed(true)
    await closing
    expect(events).toEqual([{ type: 'ended', cause: 'agent' }])
    expect(clock.pending).toBe(0)
  })

  test('by close, though the far side never answers: after a second by force, after two in any case', async () => {
    const { leg, socket, events, clock } = mediaLeg()
    let done = false
    void leg.close('agent').then(() => {
      done = true
    })
    clock.advance(999)
    expect(socket.terminations).toBe(0)
    clock.advance(1)
    expect(socket.terminations).toBe(1)
    clock.advance(1000)
    await settle()
    expect([done, events]).toEqual([true, [{ type: 'ended', cause: 'agent' }]])
    expect(clock.pending).toBe(0)
  })

  test('once: nothing is heard after it', () => {
    const { leg, asterisk, events, heard } = mediaLeg()
    leg.lost('media_lost')
    leg.receiveAudio(new Uint8Array(640))
    asterisk.digit('1')
    leg.socketClosed(true)
    expect([events.length, heard.length]).toEqual([1, 0])
  })
})
