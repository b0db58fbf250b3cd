import { describe, expect, test } from 'bun:test'
import { settle } from '../../fakes/manual-clock.ts'
import { CascadeBench } from './cascade-bench.ts'

const asked = 'user: When are you open?'
const hours = ['We are open from nine.', 'We close at five o’clock.']

/** A reply of these sentences, a second each, broken off after so long. */
async function replyBrokenOff(sentences: readonly string[], heardMs: number): Promise<CascadeBench> {
  const bench = await CascadeBench.open()
  bench.ask('When are you open?')
  bench.text(`${sentences.join(' ')} `)
  bench.done()
  for (const sentence of sentences) {
    bench.audio(1000)
    bench.spoken(sentence)
  }
  bench.send({ type: 'interrupted', heardMs })
  bench.events()
  bench.spokenTexts()
  return bench
}

describe('what broke off a reply held no word', () => {
  /** Of the first sentence all was heard, and a little of the second. */
  const brokenOff = () => replyBrokenOff(hours, 1300)
  /** The rest of it, said once more and told, and then interrupted in the middle. @returns what is told then */
  const cutAgain = (bench: CascadeBench, forGood: boolean) => {
    bench.ask('')
    bench.audio(1000)
    bench.spoken('We close at five o’clock.')
    bench.events()
    bench.send({ type: 'interrupted', heardMs: 500, ...(forGood ? { forGood } : {}) })
    return bench.events()
  }
  const toldAgain = 'agent: We close, instead of: We close at five o’clock., behind: We are open from nine.'

  test('the agent goes on from the sentence that it was in, and remembers it as one reply', async () => {
    const bench = await brokenOff()
    bench.ask('')
    expect(bench.events()).toEqual(['stt 0', 'taken_up', 'reply_started'])
    expect(bench.spokenTexts()).toEqual(['We close at five o’clock.'])
    bench.audio(1000)
    bench.spoken('We close at five o’clock.')
    const rest = 'agent: We close at five o’clock., behind: We are open from nine.'
    expect(bench.events()).toEqual(['audio 1000', rest, 'reply_done'])
    bench.ask('Thanks.')
    const whole = 'assistant: We are open from nine. We close at five o’clock.'
    expect(bench.question.slice(1)).toEqual([asked, whole, 'user: Thanks.'])
  })

  test('words are answered, and the rest is forgotten', async () => {
    const bench = await brokenOff()
    bench.ask('And on Sundays?')
    const heard = 'assistant: We are open from nine. We'
    expect(bench.question.slice(1)).toEqual([asked, heard, 'user: And on Sundays?'])
    bench.done()
    bench.events()
    bench.ask('')
    expect(bench.events()).toEqual(['stt 0', 'nothing_heard'])
  })

  test('what the voice had not made yet is said as well', async () => {
    const bench = await CascadeBench.open()
    bench.ask('When are you open?')
    bench.text('We are open from nine. We close at five o’clock. ')
    bench.done()
    bench.audio(400)
    bench.send({ type: 'interrupted', heardMs: 300 })
    bench.spokenTexts()
    bench.ask('')
    expect(bench.spokenTexts()).toEqual(['We are open from nine.', 'We close at five o’clock.'])
  })

  test('a reply that the model had not finished is asked for anew', async () => {
    const bench = await CascadeBench.open()
    bench.ask('When are you open?')
    bench.text('We are open from nine. We clo')
    bench.audio(1000)
    bench.send({ type: 'interrupted', heardMs: 900 })
    bench.events()
    bench.ask('')
    expect(bench.events()).toEqual(['stt 0', 'taken_up'])
    expect(bench.question.slice(1)).toEqual([asked])
    bench.answer('We open at nine.', 800)
    bench.ask('Thanks.')
    expect(bench.question.slice(1)).toEqual([asked, 'assistant: We open at nine.', 'user: Thanks.'])
  })

  test('so is one that was to end the call: its model says whether it still does', async () => {
    const bench = await CascadeBench.open({
      terminate_call: () => ({ output: '{"ok":true}', departure: { kind: 'hang_up' }, failure: null }),
    })
    bench.ask('Goodbye.')
    bench.text('Have a nice day. ')
    bench.calls('terminate_call', '{}')
    bench.done()
    await settle()
    bench.audio(700)
    bench.send({ type: 'interrupted', heardMs: 500 })
    bench.events()
    bench.ask('')
    expect(bench.events()).toEqual(['stt 0', 'taken_up'])
    expect(bench.question.at(-1)).toStartWith('tool: ')
    bench.calls('terminate_call', '{}')
    bench.done()
    await settle()
    bench.answer('Goodbye.', 500)
    expect(bench.events().slice(-2)).toEqual(['reply_done', 'leave'])
  })

  test('a key that ends it for good does not undo what is known of it', async () => {
    expect(cutAgain(await brokenOff(), true)).toEqual([toldAgain])
  })

  test('nothing of one that was ended for good, by a key or before it sounded', async () => {
    for (const input of [{ type: 'interrupted', heardMs: 1300 }, { type: 'turn_resumed' }] as const) {
      const bench = await brokenOff()
      bench.ask('')
      bench.audio(500)
      bench.send({ ...input, forGood: true })
      bench.events()
      bench.ask('')
      expect(bench.events()).toEqual(['stt 0', 'nothing_heard'])
    }
  })

  test('nor of one whose voice failed', async () => {
    const bench = await brokenOff()
    bench.ask('')
    bench.audio(200)
    bench.tts.session.emit({ type: 'fault', code: 'unreachable', message: 'gone', retryable: true })
    bench.events()
    bench.ask('')
    expect(bench.events()).toEqual(['stt 0', 'nothing_heard'])
  })

  test('a few words of it do not undo what was heard before', async () => {
    const bench = await brokenOff()
    bench.ask('')
    bench.audio(300)
    bench.send({ type: 'interrupted', heardMs: 20 })
    bench.ask('Stop.')
    const heard = 'assistant: We are open from nine. We'
    expect(bench.question.slice(1)).toEqual([asked, heard, 'user: Stop.'])
  })

  test('words over what is taken up cut the memory there, and what was to be said is known whole', async () => {
    const bench = await brokenOff()
    expect(cutAgain(bench, false)).toEqual([toldAgain])
    bench.ask('Stop.')
    const heard = 'assistant: We are open from nine. We close'
    expect(bench.question.slice(1)).toEqual([asked, heard, 'user: Stop.'])
  })

  test('who goes on before it sounds has the turn, and without words again it is taken up all the same', async () => {
    const bench = await brokenOff()
    bench.ask('')
    bench.send({ type: 'turn_resumed' })
    bench.spokenTexts()
    bench.ask('')
    expect(bench.spokenTexts()).toEqual(['We close at five o’clock.'])
    bench.send({ type: 'turn_resumed' })
    bench.ask('But on Sundays?')
    const heard = 'assistant: We are open from nine. We'
    expect(bench.question.slice(1)).toEqual([asked, heard, 'user: But on Sundays?'])
  })

  test('a line that breaks it off for the third time hears no more of it', async () => {
    const bench = await brokenOff()
    for (let time = 0; time < 2; time += 1) {
      bench.ask('')
      bench.audio(1000)
      bench.spoken('We close at five o’clock.')
      bench.send({ type: 'interrupted', heardMs: 300 })
    }
    bench.events()
    bench.ask('')
    expect(bench.events()).toEqual(['stt 0', 'nothing_heard'])
  })

  test('a greeting too; and not what was heard to its end', async () => {
    const bench = await CascadeBench.open()
    const greeting = { type: 'say', text: 'Hello and welcome. How can I help you?' } as const
    bench.send(greeting)
    bench.audio(2000)
    bench.spoken(greeting.text)
    bench.send({ type: 'interrupted', heardMs: 1500 })
    bench.spokenTexts()
    bench.ask('')
    expect(bench.spokenTexts()).toEqual(['How can I help you?'])
    bench.audio(1000)
    bench.spoken('How can I help you?')
    bench.send({ type: 'interrupted', heardMs: 980 })
    bench.events()
    bench.ask('')
    expect(bench.events()).toEqual(['stt 0', 'nothing_heard'])
    bench.ask('Book a table.')
    expect(bench.question.slice(1)).toEqual(['assistant: Hello and welcome. How can I help', 'user: Book a table.'])
  })
})

describe('what broke off a reply was a listener', () => {
  test('the agent goes on, the words are told, and the model is not asked about them', async () => {
    const bench = await replyBrokenOff(hours, 1300)
    bench.ask('Yeah, okay.')
    expect(bench.events()).toEqual(['stt 0', 'caller: Yeah, okay.', 'taken_up', 'reply_started'])
    expect(bench.spokenTexts()).toEqual(['We close at five o’clock.'])
    bench.audio(1000)
    bench.spoken('We close at five o’clock.')
    bench.ask('Thanks for that.')
    const whole = 'assistant: We are open from nine. We close at five o’clock.'
    expect(bench.question.slice(1)).toEqual([asked, whole, 'user: Yeah, okay. Thanks for that.'])
  })

  test('who goes on before it sounds has said both', async () => {
    const bench = await replyBrokenOff(hours, 1300)
    bench.ask('Yeah.')
    bench.send({ type: 'turn_resumed' })
    bench.ask('But on Sundays?')
    const heard = 'assistant: We are open from nine. We'
    expect(bench.question.slice(1)).toEqual([asked, heard, 'user: Yeah. But on Sundays?'])
  })

  test('more than twice, and the model is asked', async () => {
    const bench = await replyBrokenOff(hours, 1400)
    for (let time = 0; time < 2; time += 1) {
      bench.ask('Okay.')
      bench.audio(1000)
      bench.send({ type: 'interrupted', heardMs: 400 })
    }
    bench.ask('Okay.')
    expect(bench.question.at(-1)).toBe('user: Okay. Okay. Okay.')
  })

  test.each([
    ['a question had been heard', ['Shall I book it?', 'It costs nine euros.'], 1300, 'Yes.'],
    ['a question was being asked', ['It costs nine euros.', 'Shall I book it for you?'], 1500, 'Yes.'],
    [
      'one was being asked behind a comma',
      ['A table for two at seven on Friday evening,', 'would that suit you?'],
      1500,
      'Yes.',
    ],
    ['one was cut in its last word', ['Shall I book it?', 'It costs nine euros.'], 850, 'Yes.'],
    ['they had been asked for by name', ['To confirm, please say yes.', 'It costs nine euros.'], 1300, 'Yes.'],
    ['they ask something themselves', hours, 1300, 'Really?'],
    ['no sentence of it had been heard', hours, 600, 'Yes.'],
    ['so many words want an answer', hours, 1300, 'Yes, yes, okay, okay, yes.'],
    ['other words are among them', hours, 1300, 'Okay, and on Sundays?'],
    ['all of it had been heard', hours, 2000, 'Okay.'],
  ])('where %s they are answered', async (_when, sentences, heardMs, words) => {
    const bench = await replyBrokenOff(sentences, heardMs)
    bench.ask(words)
    expect(bench.events()).toEqual(['stt 0', `caller: ${words}`])
    expect(bench.question.at(-1)).toEndWith(words)
  })

  test('where its voice had failed they are answered', async () => {
    const bench = await CascadeBench.open()
    bench.ask('When are you open?')
    bench.text('We are open from nine. We close at five o’clock. ')
    bench.done()
    bench.audio(1000)
    bench.spoken('We are open from nine.')
    bench.tts.session.emit({ type: 'fault', code: 'unreachable', message: 'gone', retryable: true })
    bench.send({ type: 'interrupted', heardMs: 500 })
    bench.ask('Okay.')
    expect(bench.question.at(-1)).toBe('user: Okay.')
  })

  test('a key that ends it for good ends what it was taken up behind', async () => {
    const bench = await replyBrokenOff(hours, 1300)
    bench.ask('Yeah.')
    bench.send({ type: 'turn_resumed', forGood: true })
    bench.ask('Cancel my booking.')
    expect(bench.question.at(-1)).toBe('user: Cancel my booking.')
  })

  test('nor one that is pressed before the turn is over', async () => {
    const bench = await replyBrokenOff(hours, 1300)
    bench.send({ type: 'turn_committed', forGood: true })
    bench.final('Yeah.')
    expect(bench.question.at(-1)).toBe('user: Yeah.')
  })

  test('what was said over it is known before what the agent is made to say', async () => {
    const bench = await replyBrokenOff(hours, 1300)
    bench.ask('Yeah.')
    bench.audio(1000)
    bench.spoken('We close at five o’clock.')
    bench.send({ type: 'say', text: 'Are you still there?' })
    bench.audio(1000)
    bench.spoken('Are you still there?')
    bench.ask('I am.')
    expect(bench.question.slice(-3)).toEqual(['user: Yeah.', 'assistant: Are you still there?', 'user: I am.'])
  })

  test('also where a key then ends the rest of it', async () => {
    const bench = await replyBrokenOff(hours, 1300)
    bench.ask('Yes.')
    bench.audio(1000)
    bench.send({ type: 'interrupted', heardMs: 500, forGood: true })
    bench.ask('Cancel it.')
    expect(bench.question.slice(-2)).toEqual(['assistant: We are open from nine. We close', 'user: Yes. Cancel it.'])
  })

  test('a line that always breaks in before it sounds hears no more of it', async () => {
    const bench = await replyBrokenOff(hours, 1300)
    for (let time = 0; time < 6; time += 1) {
      bench.ask('')
      bench.send({ type: 'turn_resumed' })
    }
    bench.events()
    bench.ask('')
    expect(bench.events()).toEqual(['stt 0', 'nothing_heard'])
  })

  test('going on before it sounds does not use up the times that it is taken up', async () => {
    const bench = await replyBrokenOff(hours, 1300)
    for (let time = 0; time < 3; time += 1) {
      bench.ask('')
      bench.send({ type: 'turn_resumed' })
    }
    bench.spokenTexts()
    bench.ask('Yeah.')
    expect(bench.spokenTexts()).toEqual(['We close at five o’clock.'])
  })

  test('where the model had not finished they are answered as well: it knows how it meant to go on', async () => {
    const bench = await CascadeBench.open()
    bench.ask('When are you open?')
    bench.text('We are open from nine. We clo')
    bench.audio(1000)
    bench.send({ type: 'interrupted', heardMs: 900 })
    bench.ask('Okay.')
    expect(bench.question.at(-1)).toBe('user: Okay.')
  })
})
