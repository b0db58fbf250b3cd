import { describe, expect, test } from 'bun:test'
import { BrokenReply, remainderOf } from '#agent/broken-reply.ts'

describe('what is left of a reply that was broken off', () => {
  const pieces = [
    { text: 'We open at nine.', durationMs: 1000 },
    { text: 'We close at five. On Sundays we rest.', durationMs: 2000 },
  ]

  test('is what was not heard to its end, from the sentence that was cut on', () => {
    expect(remainderOf(pieces, ['Anything else?'], 500)).toEqual({
      heard: '',
      rest: ['We open at nine.', 'We close at five. On Sundays we rest.', 'Anything else?'],
    })
    expect(remainderOf(pieces, [], 1300)).toEqual({
      heard: 'We open at nine.',
      rest: ['We close at five.', 'On Sundays we rest.'],
    })
    expect(remainderOf(pieces, [], 2300)).toEqual({
      heard: 'We open at nine. We close at five.',
      rest: ['On Sundays we rest.'],
    })
  })

  test('begins with a sentence, also where a piece ended at a comma', () => {
    const halves = [
      { text: 'As far as I can see from here,', durationMs: 1000 },
      { text: 'we are open.', durationMs: 1000 },
    ]
    expect(remainderOf(halves, [], 1500)).toEqual({
      heard: '',
      rest: ['As far as I can see from here,', 'we are open.'],
    })
  })

  test('is nothing where all of it was heard, or nothing was said', () => {
    expect(remainderOf(pieces, [], 3000)).toBeNull()
    // The end of a piece is silence.
    expect(remainderOf(pieces, [], 2800)).toBeNull()
    expect(remainderOf([], [], 0)).toBeNull()
  })

  test('what the voice had been given and had not made is all of it left', () => {
    expect(remainderOf([], ['One.', 'Two.'], 700)).toEqual({ heard: '', rest: ['One.', 'Two.'] })
  })
})

describe('a reply that is taken up', () => {
  const remainder = { heard: 'One.', rest: ['Two.', 'Three.'] }

  test('goes on where it was, twice at most, and knows what came before', () => {
    const broken = new BrokenReply({ language: 'en' })
    expect(broken.takeUp('', '')).toBeNull()
    broken.brokenOff(remainder)
    expect(broken.takeUp('', '')).toEqual(['Two.', 'Three.'])
    expect(broken.with('Two. Three.')).toBe('One. Two. Three.')
    broken.brokenOff({ heard: 'Two.', rest: ['Three.'] })
    expect(broken.takeUp('', '')).toEqual(['Three.'])
    expect(broken.with('Three.')).toBe('One. Two. Three.')
    broken.brokenOff({ heard: '', rest: ['Three.'] })
    expect(broken.takeUp('', '')).toBeNull()
  })

  test('keeps what was heard where it is broken off before it came so far again', () => {
    const broken = new BrokenReply({ language: 'en' })
    broken.brokenOff(remainder)
    broken.takeUp('One. Two and', '')
    expect([broken.with(''), broken.with('Two'), broken.with('Two and a')]).toEqual([
      'One. Two and',
      'One. Two and',
      'One. Two and a',
    ])
  })

  test('is made anew where all that was to come is not known', () => {
    const broken = new BrokenReply({ language: 'en' })
    broken.brokenOff('unfinished')
    expect([broken.takeUp('One', ''), broken.with('First.')]).toEqual(['anew', 'First.'])
  })

  test('is none where it was said whole, or something else was said', () => {
    const broken = new BrokenReply({ language: 'en' })
    broken.brokenOff(remainder)
    broken.saidWhole()
    expect(broken.takeUp('', '')).toBeNull()
    broken.brokenOff(remainder)
    broken.forget()
    expect([broken.takeUp('', ''), broken.with('New.')]).toEqual([null, 'New.'])
  })

  test('once more from the same place where somebody went on before it sounded', () => {
    const broken = new BrokenReply({ language: 'en' })
    broken.brokenOff(remainder)
    broken.takeUp('', '')
    expect([broken.takeUp('', ''), broken.with('')]).toEqual([['Two.', 'Three.'], 'One.'])
  })
})
