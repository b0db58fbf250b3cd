import { describe, expect, test } from 'bun:test'
import { Dialogue } from '#providers/deepgram/dialogue.ts'
import { ManualClock } from '../../../fakes/manual-clock.ts'

function setUp() {
  const told: string[] = []
  const dialogue = new Dialogue(new ManualClock(), {
    tell: (side, text, _atMs, corrects) =>
      told.push(`${side}: ${text}${corrects === undefined ? '' : `, instead of: ${corrects}`}`),
  })
  const say = (text: string) => {
    dialogue.sentence(text)
    dialogue.audio(1000)
  }
  return { told, dialogue, say }
}

describe('a reply that is cut to what was heard of it', () => {
  test('before it was told: it is told once, and corrects nothing', () => {
    const { told, dialogue, say } = setUp()
    say('Your balance is ten.')
    dialogue.cut(500)
    expect(told).toEqual(['agent: Your balance'])
  })

  test('after it was told in two pieces: both are corrected', () => {
    const { told, dialogue, say } = setUp()
    say('One moment.')
    dialogue.replyDone()
    say('Your balance is ten.')
    dialogue.replyDone()
    dialogue.cut(1500)
    expect(told.slice(2)).toEqual(['agent: One moment. Your balance, instead of: One moment. Your balance is ten.'])
  })

  test('where only the first of two pieces was told: only that is corrected', () => {
    const { told, dialogue, say } = setUp()
    say('One moment.')
    dialogue.replyDone()
    say('Your balance is ten.')
    dialogue.cut(1500)
    expect(told.slice(1)).toEqual(['agent: One moment. Your balance, instead of: One moment.'])
  })
})
