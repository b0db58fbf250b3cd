import { describe, expect, test } from 'bun:test'
import { constant, counted, isSilence, playoutBench } from './playout-bench.ts'

const withFiles = { files: true }

describe('mode file', () => {
  test('a reply is gathered whole, and played from one file; meanwhile the leg has silence', () => {
    const { leg, playout, files, events } = playoutBench({ mode: 'file' }, withFiles)
    playout.begin(20)
    playout.push(counted(100))
    playout.writeFrames(5)
    playout.push(counted(100, 801))
    expect(files.played).toEqual([])
    playout.end()
    playout.writeFrames(1)
    expect(files.played).toEqual([counted(200)])
    files.say('started')
    playout.writeFrames(10)
    expect([events, playout.heardMs]).toEqual([['started'], 200])
    files.say('finished')
    expect([events, playout.active, playout.heardMs]).toEqual([['started', 'done'], false, 200])
    expect(leg.written.every(isSilence)).toBe(true)
    // The way was chosen, nothing failed.
    expect(playout.counters).toMatchObject({ fallbacks: 0, filesFailed: 0, underruns: 0 })
  })

  test('what the file says is known as heard, frame by frame, so that its echo is', () => {
    const { playout, files } = playoutBench({ mode: 'file' }, withFiles)
    const audible: number[][] = []
    playout.line.sent = (samples) => audible.push([samples[0] ?? 0, samples.at(-1) ?? 0])
    playout.begin(0)
    // Two frames and a half of 160 samples.
    playout.push(counted(50))
    playout.end()
    playout.writeFrames(2)
    files.say('started')
    playout.writeFrames(1)
    playout.hold('paused')
    playout.writeFrames(2)
    playout.hold('none')
    playout.writeFrames(2)
    files.say('finished')
    playout.writeFrames(1)
    const nothing = [0, 0]
    expect(audible).toEqual([nothing, nothing, [1, 160], nothing, nothing, [161, 320], [321, 0], nothing])
  })

  test('goes beside the stream, so that the caller can still interrupt; of a leg that is gone, instead of it', () => {
    const { playout, files } = playoutBench({ mode: 'file' }, withFiles)
    for (const gone of [false, true, false]) {
      playout.begin(0)
      playout.push(counted(20))
      if (gone) playout.takeTheFilePath()
      playout.end()
      playout.writeFrames(1)
      files.say('finished')
    }
    expect(files.ways).toEqual(['beside', 'instead', 'beside'])
  })

  test('a reply by file is no clean one: it says nothing of the stream', () => {
    const { playout, files, warmUp } = playoutBench({ mode: 'file' }, withFiles)
    warmUp.underran(100)
    for (let reply = 0; reply < 8; reply += 1) {
      playout.begin(0)
      playout.push(counted(20))
      playout.end()
      playout.writeFrames(1)
      files.say('finished')
    }
    expect(warmUp.extraMs).toBe(100)
  })

  test('is mode stream where there are no files', () => {
    const { leg, playout } = playoutBench({ mode: 'file' })
    playout.begin(20)
    playout.push(constant(20))
    playout.writeFrames(1)
    expect(leg.written).toEqual([constant(20)])
  })

  test('a reply without any audio orders no file', () => {
    const { playout, files, events } = playoutBench({ mode: 'file' }, withFiles)
    playout.begin(20)
    playout.end()
    playout.writeFrames(1)
    expect([files.played, events]).toEqual([[], ['done']])
  })

  test('what comes while the file plays is the next file, and the reply is done once', () => {
    const { playout, files, events } = playoutBench({ mode: 'file', graceMs: 100 }, withFiles)
    playout.begin(0)
    playout.push(counted(40))
    playout.end()
    playout.writeFrames(1)
    files.say('started')
    playout.push(counted(40, 321))
    playout.writeFrames(10)
    files.say('finished')
    playout.writeFrames(1)
    expect(files.played).toEqual([counted(40), counted(40, 321)])
    files.say('started')
    playout.writeFrames(2)
    files.say('finished')
    expect([events, playout.heardMs]).toEqual([['started', 'done'], 80])
  })

  test('a file whose start was never told, and that has finished, was heard', () => {
    const { playout, files, events } = playoutBench({ mode: 'file' }, withFiles)
    playout.begin(0)
    playout.push(counted(40))
    playout.end()
    playout.writeFrames(1)
    files.say('finished')
    expect([events, playout.heardMs]).toEqual([['started', 'done'], 40])
  })
})

describe('a file that cannot be played', () => {
  test.each([8000, 16_000, 24_000, 48_000] as const)(
    'at %p Hz: before it started, all of it goes by stream',
    (rateHz) => {
      const { leg, playout, files, events } = playoutBench({ mode: 'file' }, { ...withFiles, rateHz })
      const reply = Int16Array.from({ length: rateHz / 10 - 7 }, (_, index) => 1 + index)
      playout.begin(0)
      playout.push(reply)
      playout.end()
      playout.writeFrames(1)
      files.say('failed')
      playout.writeFrames(5)
      expect(leg.heard.filter((sample) => sample !== 0)).toEqual([...reply])
      expect([playout.counters.filesFailed, events]).toEqual([1, ['started', 'done']])
    },
  )

  test('half-way, the rest goes by stream, and nothing twice', () => {
    const { leg, playout, files, events } = playoutBench({ mode: 'file' }, withFiles)
    playout.begin(0)
    playout.push(counted(100))
    playout.end()
    playout.writeFrames(1)
    files.say('started')
    playout.writeFrames(2)
    files.say('failed')
    expect(playout.heardMs).toBe(40)
    playout.writeFrames(3)
    expect(leg.written.slice(-3)).toEqual([counted(20, 321), counted(20, 481), counted(20, 641)])
    expect([playout.heardMs, events]).toEqual([100, ['started', 'done']])
  })

  test.each([24_000, 48_000] as const)(
    'a second one at %p Hz, before it started: no sample is lost by rounding',
    (rateHz) => {
      // 7 and 14 samples are no whole number of the milliseconds that heardMs counts in.
      for (const odd of [1, 7, 11, 14, 29]) {
        const { leg, playout, files } = playoutBench({ mode: 'file', graceMs: 0 }, { ...withFiles, rateHz })
        playout.begin(0)
        playout.push(new Int16Array(odd).fill(3))
        playout.end()
        playout.writeFrames(1)
        files.say('started')
        playout.push(new Int16Array(100).fill(5))
        playout.writeFrames(1)
        files.say('finished')
        playout.writeFrames(1)
        expect(files.played.map((file) => file.length)).toEqual([odd, 100])
        files.say('failed')
        playout.writeFrames(1)
        expect(leg.heard.filter((sample) => sample === 5)).toHaveLength(100)
      }
    },
  )

  test('at once, inside the order', () => {
    const { leg, playout, files } = playoutBench({ mode: 'file' }, withFiles)
    files.failsAtOnce = 1
    playout.begin(0)
    playout.push(counted(20))
    playout.end()
    playout.writeFrames(1)
    expect(leg.written).toEqual([counted(20)])
  })

  test('while a lost leg is being made anew, it waits for the next one', () => {
    const { leg, playout, files, events } = playoutBench({ mode: 'file' }, withFiles)
    playout.begin(0)
    playout.push(counted(40))
    playout.end()
    playout.writeFrames(1)
    playout.setLeg(null)
    files.say('failed')
    playout.writeFrames(20)
    expect(events).toEqual([])
    playout.setLeg(leg)
    playout.writeFrames(2)
    expect([leg.written.slice(-2), events]).toEqual([
      [counted(20), counted(20, 161)],
      ['started', 'done'],
    ])
  })

  test('while the leg is gone for good, the reply is over: there is no way left', () => {
    const { playout, files, events } = playoutBench({}, withFiles)
    playout.begin(0)
    playout.push(counted(40))
    playout.end()
    playout.setLeg(null)
    expect(playout.takeTheFilePath()).toBe(true)
    playout.writeFrames(1)
    files.say('failed')
    playout.writeFrames(1)
    expect([events, playout.heardMs]).toEqual([['leg_lost', 'done'], 0])
  })
})

describe('the rest of a reply takes the file path', () => {
  test('when its provider has been silent for so long, from where the stream stopped', () => {
    const { leg, playout, files, events } = playoutBench({ fallbackMs: 200 }, withFiles)
    playout.begin(0)
    playout.push(counted(40))
    // Two frames of the reply; the tenth frame time of waiting for more is the 200th millisecond.
    playout.writeFrames(2 + 9)
    expect(events).toEqual(['started'])
    playout.writeFrames(1)
    expect(events).toEqual(['started', 'no_audio'])
    playout.push(counted(60, 321))
    playout.end()
    playout.writeFrames(1)
    expect([files.played, files.ways]).toEqual([[counted(60, 321)], ['beside']])
    files.say('started')
    playout.writeFrames(3)
    files.say('finished')
    expect(events).toEqual(['started', 'no_audio', 'done'])
    expect(leg.heard.filter((sample) => sample !== 0)).toEqual([...counted(40)])
    expect([playout.heardMs, playout.counters.fallbacks]).toEqual([100, 1])
  })

  test('when it was announced and did not come for so long', () => {
    const { playout, events } = playoutBench({ fallbackMs: 200 }, withFiles)
    playout.announce()
    playout.writeFrames(10)
    playout.begin(0)
    expect(events).toEqual(['no_audio'])
  })

  test.each([
    ['it was announced and came in time', true, 9],
    ['nobody announced it', false, 50],
  ])('not when %s', (_name, announced, frames) => {
    const { playout, events } = playoutBench({ fallbackMs: 200 }, withFiles)
    if (announced) playout.announce()
    playout.writeFrames(frames)
    playout.begin(0)
    expect(events).toEqual([])
  })

  test('when the leg has taken nothing for so long, the frame that it refused first', () => {
    const { leg, playout, files, events } = playoutBench({ fallbackMs: 200 }, withFiles)
    playout.begin(0)
    playout.push(counted(60))
    playout.end()
    playout.writeFrames(1)
    leg.answer = 'full'
    playout.writeFrames(9)
    expect(events).toEqual(['started'])
    playout.writeFrames(2)
    expect(events).toEqual(['started', 'leg_stuck'])
    expect([files.played, files.ways]).toEqual([[counted(40, 161)], ['instead']])
  })

  test('a leg that takes a frame now and then is not stuck', () => {
    const { leg, playout, events } = playoutBench({ fallbackMs: 200 }, withFiles)
    playout.begin(0)
    playout.push(counted(1000))
    for (let round = 0; round < 10; round += 1) {
      leg.answer = 'full'
      playout.writeFrames(9)
      leg.answer = 'sent'
      playout.writeFrames(1)
    }
    expect([events, playout.heardMs]).toEqual([['started'], 200])
  })

  test('a leg that stays stuck after a file has failed is given its time again', () => {
    const { leg, playout, files, events } = playoutBench({ fallbackMs: 200 }, withFiles)
    files.failsAtOnce = 100
    leg.answer = 'full'
    playout.begin(0)
    playout.push(counted(60))
    playout.end()
    playout.writeFrames(100)
    // 2 s of frames, of which each try takes 200 ms.
    expect(events.length).toBeLessThanOrEqual(10)
    expect(files.played.every((file) => file.length === 480)).toBe(true)
  })

  test('when the leg is gone for good; a reply that takes it already is not told twice', () => {
    const { playout, files, events } = playoutBench({}, withFiles)
    playout.begin(0)
    playout.push(counted(100))
    playout.end()
    playout.writeFrames(2)
    playout.setLeg(null)
    expect([playout.takeTheFilePath(), playout.takeTheFilePath()]).toEqual([true, true])
    playout.writeFrames(1)
    expect([files.played, events]).toEqual([[counted(60, 321)], ['started', 'leg_lost']])
    expect(playout.takeTheFilePath()).toBe(true)
    expect(playout.counters.fallbacks).toBe(1)
  })

  test('not where there are no files, or no reply', () => {
    const without = playoutBench()
    without.playout.begin(0)
    expect(without.playout.takeTheFilePath()).toBe(false)
    const idle = playoutBench({}, withFiles)
    expect(idle.playout.takeTheFilePath()).toBe(false)
    expect([without.events, idle.events]).toEqual([[], []])
  })
})

describe('a flush of what plays from a file', () => {
  test('its late events mean nothing to the next reply, though that one is a file as well', () => {
    const { playout, files, events } = playoutBench({ mode: 'file' }, withFiles)
    for (const value of [3, 9]) {
      playout.begin(0)
      playout.push(constant(40, value))
      playout.end()
      playout.writeFrames(1)
      if (value === 3) playout.flush()
    }
    files.say('started', 0)
    files.say('finished', 0)
    expect([events, playout.active, playout.heardMs]).toEqual([[], true, 0])
    files.say('started', 1)
    files.say('finished', 1)
    expect(events).toEqual(['started', 'done'])
  })

  test('stops it, tells what was heard of stream and file, and its late events mean nothing', () => {
    const { leg, playout, files, events } = playoutBench({ fallbackMs: 200 }, withFiles)
    playout.begin(0)
    playout.push(counted(100))
    playout.end()
    playout.writeFrames(1)
    playout.setLeg(null)
    playout.takeTheFilePath()
    playout.setLeg(leg)
    playout.writeFrames(1)
    files.say('started')
    playout.writeFrames(2)
    expect([playout.flush(), files.stops, playout.active]).toEqual([60, 1, false])
    expect(leg.flushes).toBe(1)
    playout.begin(0)
    playout.push(constant(20, 9))
    playout.end()
    files.say('finished')
    playout.writeFrames(1)
    expect(leg.written.at(-1)).toEqual(constant(20, 9))
    expect(events).toEqual(['started', 'leg_lost', 'started', 'done'])
  })
})
