import { describe, expect, test } from 'bun:test'
import type { LineSound } from '#call/line-echo.ts'
import type { OverlapScore } from '#call/overlap-model.ts'
import { OverlookedVoice, type Overlooks } from '#call/overlooked-voice.ts'
import type { SpeechEvent } from '#call/speech-detector.ts'

const frameMs = 20
/** A frame of this level: a square wave. */
const frame = (dbfs: number) =>
  Int16Array.from({ length: 160 }, (_, index) => (index % 2 === 0 ? 1 : -1) * Math.round(32_768 * 10 ** (dbfs / 20)))

function setUp(sound: LineSound = 'other') {
  const events: SpeechEvent[] = []
  const begun: { readonly pastMs: number; readonly agoMs: number }[] = []
  const heard = { frames: 0 }
  let score: OverlapScore | null = null
  let lineSound = sound
  const voice = new OverlookedVoice({
    sampleRateHz: 8000,
    listener: {
      get score() {
        return score
      },
      begin: (past, agoMs) => void begun.push({ pastMs: past.length / 8, agoMs }),
      push: () => {
        heard.frames += 1
      },
    },
    past: (durationMs) => new Int16Array(durationMs * 8),
    soundOf: () => lineSound,
    event: (event) => void events.push(event),
  })
  const play = (dbfs: number, ms: number, overlooks: Overlooks = 'reply') => {
    // No voice keeps its level: every other 40 ms are softer.
    for (let at = 0; at < ms; at += frameMs) voice.frame(frame(dbfs - (at % 80 < 40 ? 0 : 3)), overlooks)
  }
  play(-60, 2000)
  return {
    voice,
    events,
    begun,
    heard,
    play,
    sure: (interruption: number) => {
      score = { interruption, backchannel: 1 - interruption, noise: 0 }
    },
    isNow: (what: LineSound) => {
      lineSound = what
    },
    noise: (noise: number) => {
      score = { interruption: 0, backchannel: 1 - noise, noise }
    },
  }
}

describe('a voice that the detector does not hear', () => {
  test('begins where the model is sure of it, from its onset on, and ends with its level', () => {
    const { voice, events, begun, play, sure } = setUp()
    sure(0.9)
    play(-25, 340)
    expect(begun).toEqual([{ pastMs: 400, agoMs: 100 }])
    expect(events).toEqual([])
    play(-25, 80)
    expect(events).toEqual([{ type: 'speech_started', agoMs: 400 }])
    expect(voice.quietMs).toBe(0)
    play(-60, 280)
    expect(voice.quietMs).toBe(280)
    expect(events).toHaveLength(1)
    play(-60, 20)
    expect(events[1]).toEqual({ type: 'speech_stopped', agoMs: 300 })
    expect(voice.quietMs).toBeNull()
  })

  test('in the agent’s silence is whatever is no noise for sure: a hum is an answer there', () => {
    const { begun, events, play, noise } = setUp()
    noise(0.05)
    play(-25, 380, 'silence')
    expect([begun.length, events.length]).toEqual([1, 0])
    play(-25, 20, 'silence')
    expect(events).toEqual([{ type: 'speech_started', agoMs: 400 }])
    play(-60, 300, 'silence')
    expect(events[1]).toEqual({ type: 'speech_stopped', agoMs: 300 })
    const coughs = setUp()
    coughs.noise(0.06)
    coughs.play(-25, 2000, 'silence')
    expect([coughs.begun.length, coughs.events.length]).toEqual([1, 0])
  })

  test('over the reply a hum is none', () => {
    const { begun, events, play, noise } = setUp()
    noise(0)
    play(-25, 2000)
    expect([begun.length, events.length]).toEqual([1, 0])
  })

  test('is judged by where it is, where the reply ends meanwhile', () => {
    const { begun, events, play, noise } = setUp()
    noise(0)
    play(-25, 500)
    play(-25, 60, 'silence')
    expect([begun.length, events]).toEqual([1, [{ type: 'speech_started', agoMs: 560 }]])
  })

  test('a tone of the network is none, whatever the model takes it for', () => {
    const { voice, begun, events, noise } = setUp()
    noise(0)
    // Busy, as most of Europe has it: 425 Hz, 500 ms on and off.
    for (let at = 0; at < 24_000; at += 160) {
      const on = at % 8000 < 4000
      const samples = Int16Array.from({ length: 160 }, (_, index) =>
        on ? 3000 * Math.sin((2 * Math.PI * 425 * (at + index)) / 8000) : 0,
      )
      voice.frame(samples, 'silence')
    }
    expect([begun.length, events.length]).toEqual([3, 0])
  })

  test('is none where the model is not sure, or only for a moment', () => {
    const { begun, events, play, sure } = setUp()
    sure(0.79)
    play(-25, 1000)
    sure(0.95)
    play(-25, 40)
    sure(0.5)
    play(-25, 1000)
    play(-60, 2000)
    expect([begun.length, events.length]).toEqual([1, 0])
  })

  test('nobody is asked about a click, nor about what lies little over the line’s own noise', () => {
    const { begun, play, sure } = setUp()
    sure(0.99)
    play(-20, 80)
    play(-60, 400)
    // A noise that lasts is the floor after a while.
    play(-40, 10_000, null)
    play(-30, 1000)
    expect(begun).toEqual([])
    play(-20, 200)
    expect(begun).toHaveLength(1)
  })

  test('nothing is looked for where the detector hears somebody, and the agent’s own echo is nobody', () => {
    const { begun, events, heard, play, sure, voice } = setUp()
    sure(0.99)
    play(-25, 1000, null)
    expect(begun).toEqual([])
    play(-60, 3000)
    play(-25, 200)
    expect(begun).toHaveLength(1)
    const before = heard.frames
    // It hears it after all.
    play(-25, 400, null)
    expect([heard.frames, events.length, voice.speaking]).toEqual([before, 0, false])
    const echoed = setUp('echo')
    echoed.sure(0.99)
    echoed.play(-25, 1000)
    // What comes up over it would begin there, and so it is looked at anew each time.
    expect(echoed.begun.map(({ agoMs }) => agoMs)).toEqual([100, 100, 100])
    expect(echoed.events).toEqual([])
  })

  test('an echo that has just ended is nobody either, however sure the model is', () => {
    const { events, play, sure, isNow } = setUp('echo')
    sure(0.99)
    play(-25, 600)
    isNow('silence')
    play(-25, 100)
    isNow('other')
    play(-60, 200)
    play(-25, 40)
    expect(events).toEqual([])
    play(-25, 20)
    // From where it was last known to be the echo: 240 + 100 + 200 + 60 ms.
    expect(events).toEqual([{ type: 'speech_started', agoMs: 600 }])
  })

  test('is none any more where it stays for long and the detector hears nothing of it', () => {
    const { events, play, sure } = setUp()
    sure(0.9)
    play(-25, 9980)
    expect(events).toHaveLength(1)
    play(-25, 20)
    expect(events[1]).toEqual({ type: 'speech_stopped', agoMs: 0 })
    // It is the line's own noise from now on.
    play(-25, 5000)
    expect(events).toHaveLength(2)
  })

  test('nor is what stays for long and the model is not sure of', () => {
    const { events, begun, play, sure } = setUp()
    sure(0.6)
    play(-25, 2600)
    sure(0.9)
    play(-25, 5000)
    expect([events.length, begun.length]).toEqual([0, 1])
  })

  test('goes on as the detector’s, once that hears it as well', () => {
    const { voice, events, play, sure } = setUp()
    sure(0.9)
    play(-25, 500)
    expect(voice.speaking).toBe(true)
    voice.handOver()
    play(-60, 1000, null)
    expect([voice.speaking, events.length]).toEqual([false, 1])
  })
})
