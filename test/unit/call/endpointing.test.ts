import { describe, expect, test } from 'bun:test'
import { type EndpointingSettings, type PauseEvidence, turnEnd } from '#call/endpointing.ts'

const settings: EndpointingSettings = {
  stop: 'model',
  silenceMs: 700,
  minSilenceMs: 240,
  maxSilenceMs: 1640,
  doneProbability: 0.5,
}
const nothing: PauseEvidence = { probability: null, words: null, providerDone: false, providerTells: false }

describe('the silence that ends a turn', () => {
  test.each([
    ['by silence, whatever a model says', { stop: 'silence' }, { probability: 0.99 }, 700, 'silence'],
    ['by the model, which has not answered yet or cannot say', {}, {}, 700, 'silence'],
    ['by the model: finished', {}, { probability: 0.5 }, 240, 'model'],
    ['by the model: surely finished', {}, { probability: 1 }, 240, 'model'],
    ['by the model: surely not', {}, { probability: 0 }, 1640, 'model'],
    // √(1 − 0.375 / 0.5) = ½: half of the way from 240 to 1640.
    ['by the model: rather not', {}, { probability: 0.375 }, 940, 'model'],
    [
      'by the words, which want more, whatever the model says',
      {},
      { words: 'unfinished', probability: 1 },
      1640,
      'words',
    ],
    ['by the words, which want more, before the model has answered', {}, { words: 'unfinished' }, 1640, 'words'],
    ['by the words: a whole answer', {}, { words: 'finished', probability: 0 }, 240, 'words'],
    ['by silence, whatever the words say', { stop: 'silence' }, { words: 'unfinished' }, 700, 'silence'],
    [
      'by the provider, whatever the words say',
      { stop: 'provider' },
      { words: 'unfinished', providerDone: true, providerTells: true },
      0,
      'provider',
    ],
    ['by the provider: it says so', { stop: 'provider' }, { providerDone: true, providerTells: true }, 0, 'provider'],
    ['by the provider: not yet', { stop: 'provider' }, { providerTells: true }, 1640, 'silence'],
    ['by the provider, which never says such things', { stop: 'provider' }, {}, 700, 'silence'],
    [
      'what a provider says counts only where it is asked',
      {},
      { providerDone: true, providerTells: true },
      700,
      'silence',
    ],
  ] as const)('%s', (_what, settled, evidence, silenceMs, by) => {
    expect(turnEnd({ ...nothing, ...evidence }, { ...settings, ...settled })).toEqual({ silenceMs, by })
  })

  test('never grows with the probability, and stays within its limits', () => {
    let before = Number.POSITIVE_INFINITY
    for (let step = 0; step <= 100; step += 1) {
      const { silenceMs } = turnEnd({ ...nothing, probability: step / 100 }, settings)
      expect(silenceMs).toBeLessThanOrEqual(before)
      expect(silenceMs).toBeGreaterThanOrEqual(settings.minSilenceMs)
      expect(silenceMs).toBeLessThanOrEqual(settings.maxSilenceMs)
      before = silenceMs
    }
  })
})
