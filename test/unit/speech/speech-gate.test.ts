import { describe, expect, test } from 'bun:test'
import { SpeechGate, type SpeechGateEvent } from '#speech/speech-gate.ts'

const window = 256 // 32 ms at 8 kHz

/** Feeds one probability a window; answers each event with the window (from 0) after which it came. */
function run(probabilities: readonly number[], minSpeechMs = 96, minSilenceMs = 160): [number, SpeechGateEvent][] {
  const gate = new SpeechGate({ sampleRateHz: 8000, threshold: 0.5, minSpeechMs, minSilenceMs })
  return probabilities.flatMap((probability, index) => {
    const event = gate.push(probability, (index + 1) * window)
    return event === null ? [] : [[index, event] as [number, SpeechGateEvent]]
  })
}

const times = (count: number, probability: number) => Array.from({ length: count }, () => probability)

describe('SpeechGate', () => {
  test('speech starts after min_speech_ms and says how long ago it began', () => {
    // 96 ms are 3 windows; silence fills windows 0 to 3, so the third of speech is window 6.
    expect(run([...times(4, 0.1), ...times(5, 0.9)])).toEqual([[6, { type: 'speech_started', agoMs: 96 }]])
  })

  test('a click shorter than min_speech_ms is no speech', () => {
    expect(run([0.1, 0.9, 0.9, 0.1, 0.9, 0.9, 0.1])).toEqual([])
  })

  test('speech stops after min_silence_ms and says how long ago it ended', () => {
    const events = run([...times(4, 0.9), ...times(6, 0.1)])
    // 160 ms are 5 windows: 4 to 8.
    expect(events[1]).toEqual([8, { type: 'speech_stopped', agoMs: 160 }])
  })

  test('between the thresholds nothing begins and nothing ends', () => {
    expect(run(times(20, 0.45))).toEqual([])
    expect(run([...times(4, 0.9), ...times(20, 0.4)]).map(([, event]) => event.type)).toEqual(['speech_started'])
  })

  test('0.15 below the threshold is the border to silence', () => {
    expect(run([...times(4, 0.9), ...times(10, 0.34)]).map(([, event]) => event.type)).toContain('speech_stopped')
    expect(run([...times(4, 0.9), ...times(10, 0.36)]).map(([, event]) => event.type)).not.toContain('speech_stopped')
  })

  test('a word in between begins the silence anew', () => {
    const events = run([...times(3, 0.9), ...times(4, 0.1), 0.9, ...times(5, 0.1)])
    expect(events.map(([at, event]) => [at, event.type])).toEqual([
      [2, 'speech_started'],
      [12, 'speech_stopped'],
    ])
  })

  test('agoMs counts from the newest audio when the verdict is late', () => {
    const gate = new SpeechGate({ sampleRateHz: 8000, threshold: 0.5, minSpeechMs: 32, minSilenceMs: 100 })
    expect(gate.push(0.9, 256, 256 + 80)).toEqual({ type: 'speech_started', agoMs: 42 })
  })

  describe('quietMs', () => {
    const gateOf = (minSilenceMs = 400) =>
      new SpeechGate({ sampleRateHz: 8000, threshold: 0.5, minSpeechMs: 96, minSilenceMs })
    /** The quiet after each window, in milliseconds. */
    const quietAfter = (gate: SpeechGate, probabilities: readonly number[]) =>
      probabilities.map((probability, index) => {
        gate.push(probability, (index + 1) * window)
        return gate.quietMs((index + 1) * window)
      })

    test('before any speech it is quiet from the beginning', () => {
      const gate = gateOf()
      expect(gate.quietMs(0)).toBe(0)
      expect(quietAfter(gate, [0.1, 0.1])).toEqual([32, 64])
    })

    test('it is known long before the stop is: 96 ms of noise, then quiet', () => {
      const gate = gateOf()
      expect(quietAfter(gate, [0.9, 0.9, 0.9, 0.1, 0.1, 0.1])).toEqual([0, 0, 0, 32, 64, 96])
      expect(gate.speaking).toBe(true)
    })

    test('it goes on past the stop, and ends with the next loud window', () => {
      const gate = gateOf(64)
      expect(quietAfter(gate, [0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.9, 0.1])).toEqual([0, 0, 0, 32, 64, 96, 0, 32])
      expect(gate.speaking).toBe(false)
    })

    test('a window between the thresholds neither begins nor ends it', () => {
      expect(quietAfter(gateOf(), [0.9, 0.9, 0.9, 0.4, 0.1, 0.4, 0.9])).toEqual([0, 0, 0, 0, 32, 64, 0])
    })

    test('audio that is not judged yet counts as quiet only behind a quiet window', () => {
      const gate = gateOf()
      gate.push(0.9, window)
      expect(gate.quietMs(window + 80)).toBe(0)
      expect(gate.unjudgedMs(window + 80)).toBe(10)
      expect(gate.unjudgedMs(window - 80)).toBe(0)
      gate.push(0.1, 2 * window)
      expect(gate.quietMs(2 * window + 80)).toBe(42)
      gate.push(0.4, 3 * window)
      expect(gate.quietMs(3 * window + 80)).toBe(64)
    })
  })

  test('reset forgets speech without an event', () => {
    const gate = new SpeechGate({ sampleRateHz: 16000, threshold: 0.5, minSpeechMs: 32, minSilenceMs: 32 })
    gate.push(0.9, 512)
    expect(gate.speaking).toBe(true)
    gate.reset()
    expect(gate.speaking).toBe(false)
    expect(gate.push(0.1, 1024)).toBeNull()
  })
})
