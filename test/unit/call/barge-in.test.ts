import { describe, expect, test } from 'bun:test'
import { type BargeInSettings, decideOverlap, type OverlapEvidence } from '#call/barge-in.ts'
import { turnSettings } from '../../fakes/call-world.ts'

const settings: BargeInSettings = {
  ...turnSettings.bargeIn,
  start: 'model',
  minMs: 240,
  onOverlap: 'duck',
  pauseAfterMs: 220,
  pauseMaxMs: 200,
}
const early: OverlapEvidence = {
  sinceOnsetMs: 140,
  voicedMs: 140,
  ended: false,
  protectedMs: 0,
  echo: false,
  judgement: 'undecided',
  words: null,
  wordsDue: false,
  pausedMs: 0,
}
const decide = (evidence: Partial<OverlapEvidence>, settled: Partial<BargeInSettings> = {}) => {
  const { hold, verdict } = decideOverlap({ ...early, ...evidence }, { ...settings, ...settled })
  return verdict ?? hold
}

describe('while it is not known what speech over the agent is', () => {
  test('the reply is ducked, then paused, and after the longest pause it goes on softly', () => {
    expect(decide({})).toBe('ducked')
    expect(decide({ sinceOnsetMs: 219 })).toBe('ducked')
    expect(decide({ sinceOnsetMs: 220 })).toBe('paused')
    expect(decide({ sinceOnsetMs: 400, pausedMs: 199 })).toBe('paused')
    expect(decide({ sinceOnsetMs: 420, pausedMs: 200 })).toBe('ducked')
  })

  test('it is held as the configuration says', () => {
    expect(decide({}, { onOverlap: 'pause' })).toBe('paused')
    expect(decide({ sinceOnsetMs: 5000 }, { onOverlap: 'none' })).toBe('none')
  })
})

describe('what speech over the agent is', () => {
  test('an interruption as soon as it is known, at any moment', () => {
    expect(decide({ judgement: 'interruption' })).toBe('interruption')
    expect(decide({ judgement: 'interruption', sinceOnsetMs: 3000, pausedMs: 200 })).toBe('interruption')
    expect(decide({ judgement: 'interruption', ended: true })).toBe('interruption')
  })

  test('a backchannel or a noise lets the reply go on, and is final only when it is over', () => {
    for (const judgement of ['backchannel', 'noise'] as const) {
      expect(decide({ judgement })).toBe('none')
      expect(decide({ judgement, ended: true, wordsDue: true })).toBe('none')
      expect(decide({ judgement, ended: true })).toBe(judgement)
    }
  })

  test('not known at its end: words that are on their way are waited for; then its length decides', () => {
    expect(decide({ ended: true, wordsDue: true, sinceOnsetMs: 500 })).toBe('paused')
    expect(decide({ ended: true, voicedMs: 240, sinceOnsetMs: 500 })).toBe('interruption')
    expect(decide({ ended: true, voicedMs: 239, sinceOnsetMs: 500 })).toBe('noise')
  })

  test('the agent’s own echo: the reply goes on, whatever it sounds like', () => {
    expect(decide({ echo: true, judgement: 'interruption' })).toBe('none')
    expect(decide({ echo: true, judgement: 'interruption', ended: true })).toBe('echo')
  })

  test('nothing, where barge-in is off or the moment is protected', () => {
    expect(decide({ judgement: 'interruption' }, { enabled: false })).toBe('none')
    expect(decide({ judgement: 'interruption', ended: true }, { enabled: false })).toBe('ignored')
    expect(decide({ judgement: 'interruption', protectedMs: 1 })).toBe('none')
    expect(decide({ judgement: 'interruption', protectedMs: 1, ended: true })).toBe('ignored')
    expect(decide({ judgement: 'interruption', protectedMs: 0 })).toBe('interruption')
  })
})

describe('what starts an interruption', () => {
  test('vad: a voice of min_ms, whatever it sounds like', () => {
    expect(decide({ voicedMs: 239, judgement: 'interruption' }, { start: 'vad' })).toBe('ducked')
    expect(decide({ voicedMs: 240, judgement: 'backchannel' }, { start: 'vad' })).toBe('interruption')
    expect(decide({ voicedMs: 200, ended: true }, { start: 'vad' })).toBe('noise')
  })

  test('model: its judgement; where there is none, as vad', () => {
    expect(decide({ voicedMs: 900, judgement: 'backchannel' })).toBe('none')
    expect(decide({ voicedMs: 240, judgement: null })).toBe('interruption')
  })

  test('transcript: only words, of another kind than a listener’s', () => {
    const start = 'transcript' as const
    expect(decide({ words: 0, judgement: 'interruption', voicedMs: 900 }, { start })).toBe('ducked')
    expect(decide({ words: 0, judgement: 'interruption', ended: true }, { start })).toBe('noise')
    expect(decide({ words: 1, judgement: 'backchannel', ended: true }, { start })).toBe('backchannel')
    expect(decide({ words: 1, judgement: 'interruption' }, { start })).toBe('interruption')
    // Nobody writes words down: by sound, and where that cannot be judged either, by length.
    expect(decide({ words: null, judgement: 'interruption' }, { start })).toBe('interruption')
    expect(decide({ words: null, judgement: null, voicedMs: 240 }, { start })).toBe('interruption')
  })

  test('min_words: so many, whatever they are', () => {
    const settled = { start: 'min_words', minWords: 2 } as const
    expect(decide({ words: 1, judgement: 'interruption', voicedMs: 900 }, settled)).toBe('ducked')
    expect(decide({ words: 2, judgement: 'backchannel' }, settled)).toBe('interruption')
    expect(decide({ words: 1, ended: true }, settled)).toBe('backchannel')
    expect(decide({ words: 1, ended: true, wordsDue: true, sinceOnsetMs: 300 }, settled)).toBe('paused')
  })
})

test('no evidence leaves the reply held for ever: speech that is over has a verdict, or words are due', () => {
  const judgements = ['interruption', 'backchannel', 'noise', 'undecided', null] as const
  for (const start of ['model', 'vad', 'transcript', 'min_words'] as const) {
    for (const judgement of judgements) {
      for (const words of [null, 0, 1, 5]) {
        for (const echo of [true, false]) {
          for (const protectedMs of [0, 100]) {
            for (const voicedMs of [60, 240, 2000]) {
              const evidence = { ...early, judgement, words, echo, protectedMs, voicedMs, ended: true }
              const decision = decideOverlap(evidence, { ...settings, start })
              expect(decision.verdict).not.toBeNull()
              expect(decision.hold).toBe('none')
            }
          }
        }
      }
    }
  }
})
