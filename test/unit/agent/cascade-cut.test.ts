import { describe, expect, test } from 'bun:test'
import { settle } from '../../fakes/manual-clock.ts'
import { CascadeBench } from './cascade-bench.ts'

const fault = { type: 'fault', code: 'unreachable', message: 'gone', retryable: true } as const

describe('the caller breaks in', () => {
  test('in mid-reply: model and voice stop, and what was heard is what was said', async () => {
    const bench = await CascadeBench.open()
    bench.ask('Tell me.')
    bench.text('One two three four five. Six seven eight nine ten. ')
    bench.audio(1000)
    bench.spoken('One two three four five.')
    bench.audio(600)
    bench.events()
    // 1000 ms of the first sentence, and 240 of the 600 ms made of the second: two of its five words.
    bench.send({ type: 'interrupted', heardMs: 1240 })
    expect(bench.events()).toEqual(['agent: One two three four five. Six seven'])
    expect(bench.llm.session.inputs.at(-1)).toEqual({ type: 'cancel' })
    expect(bench.tts.session.inputs.at(-1)).toEqual({ type: 'cancel' })
    expect(bench.clock.pending).toBe(0)
    bench.text('Too late. ')
    bench.done()
    bench.audio(100)
    bench.spoken('Six seven eight nine ten.')
    expect(bench.events()).toEqual([])
    bench.ask('And then?')
    expect(bench.question.slice(1)).toEqual([
      'user: Tell me.',
      'assistant: One two three four five. Six seven',
      'user: And then?',
    ])
  })

  test('after the whole reply was made, as most are: what was heard replaces what was remembered', async () => {
    const bench = await CascadeBench.open()
    bench.ask('Tell me.')
    bench.answer('One two three four five.', 1000)
    expect(bench.events().at(-1)).toBe('reply_done')
    bench.send({ type: 'interrupted', heardMs: 600 })
    expect(bench.events()).toEqual(['agent: One two three, instead of: One two three four five.'])
    bench.ask('And then?')
    expect(bench.question.slice(1)).toEqual(['user: Tell me.', 'assistant: One two three', 'user: And then?'])
  })

  test('before a word was heard: the agent has said nothing', async () => {
    const bench = await CascadeBench.open()
    bench.ask('Tell me.')
    bench.answer('One two three four five.', 1000)
    bench.send({ type: 'interrupted', heardMs: 20 })
    bench.ask('Quickly.')
    expect(bench.question.slice(1)).toEqual(['user: Tell me. Quickly.'])
  })

  test('over the greeting', async () => {
    const bench = await CascadeBench.open()
    bench.send({ type: 'say', text: 'Hello and welcome here.' })
    bench.audio(800)
    bench.spoken('Hello and welcome here.')
    bench.send({ type: 'interrupted', heardMs: 400 })
    bench.ask('Hi.')
    expect(bench.question.slice(1)).toEqual(['assistant: Hello and', 'user: Hi.'])
  })

  test('while the model still thinks: nothing was said, and nothing comes', async () => {
    const bench = await CascadeBench.open()
    bench.ask('Tell me.')
    bench.events()
    bench.send({ type: 'interrupted', heardMs: 0 })
    bench.events()
    bench.text('One two three four five. ')
    bench.done()
    expect([bench.events(), bench.spokenTexts(), bench.clock.pending]).toEqual([[], ['(cancel)'], 0])
  })

  test('while the words are being recognised: they are kept for the turn that follows', async () => {
    const bench = await CascadeBench.open()
    bench.send({ type: 'turn_committed' })
    bench.send({ type: 'interrupted', heardMs: 0 })
    bench.events()
    bench.final('Tell me')
    expect([bench.events(), bench.question]).toEqual([[], []])
    bench.ask('all')
    expect(bench.question.slice(1)).toEqual(['user: Tell me all'])
  })
})

describe('a part fails', () => {
  test('the recogniser: one fault, and its empty final is no answer; the next turn is served', async () => {
    const bench = await CascadeBench.open()
    bench.send({ type: 'turn_committed' })
    bench.stt.session.emit(fault)
    bench.final('')
    expect([bench.events(), bench.clock.pending]).toEqual([['fault unreachable'], 0])
    bench.ask('Again.')
    expect([bench.events(), bench.question.slice(1)]).toEqual([['stt 0', 'caller: Again.'], ['user: Again.']])
  })

  test('the model: the voice stops too, and the question is not forgotten', async () => {
    const bench = await CascadeBench.open()
    bench.ask('Tell me.')
    bench.text('A first sentence. ')
    bench.events()
    bench.llm.session.emit(fault)
    expect([bench.events(), bench.spokenTexts(), bench.clock.pending]).toEqual([
      ['fault unreachable'],
      ['A first sentence.', '(cancel)'],
      0,
    ])
    bench.audio(100)
    bench.spoken('A first sentence.')
    expect(bench.events()).toEqual([])
    bench.send({ type: 'say', text: 'I am sorry.' })
    bench.audio(100)
    bench.spoken('I am sorry.')
    bench.ask('Again.')
    expect(bench.question.slice(1)).toEqual(['user: Tell me.', 'assistant: I am sorry.', 'user: Again.'])
  })

  test('the voice: the model stops too', async () => {
    const bench = await CascadeBench.open()
    bench.ask('Tell me.')
    bench.text('A first sentence. ')
    bench.events()
    bench.tts.session.emit(fault)
    expect([bench.events(), bench.llm.session.inputs.at(-1)]).toEqual([['fault unreachable'], { type: 'cancel' }])
    bench.text('A second sentence. ')
    bench.done()
    expect(bench.events()).toEqual([])
  })

  test('the voice, that takes no more of an answer that came whole: once, and the rest is not begun anew', async () => {
    const bench = await CascadeBench.open()
    bench.ask('Tell me.')
    bench.events()
    bench.tts.session.answer = 'full'
    // Who is told of a fault apologises at once.
    bench.onFault(() => {
      bench.tts.session.answer = 'sent'
      bench.tts.session.taken()
      bench.send({ type: 'say', text: 'I am sorry.' })
    })
    bench.text('A first sentence. A second sentence. A third sentence. And')
    bench.done()
    expect(bench.events().filter((said) => said.startsWith('fault'))).toEqual(['fault overloaded'])
    expect(bench.tts.session.taken().filter(({ type }) => type === 'speak')).toEqual([
      { type: 'speak', text: 'I am sorry.' },
    ])
  })

  test('of a reply that was cancelled already: nobody is told', async () => {
    const bench = await CascadeBench.open()
    bench.ask('Tell me.')
    bench.send({ type: 'turn_resumed' })
    bench.events()
    bench.llm.session.emit(fault)
    bench.tts.session.emit(fault)
    expect(bench.events()).toEqual([])
  })

  const hanging: [string, (bench: CascadeBench) => void][] = [
    ['the recogniser', (bench) => bench.send({ type: 'turn_committed' })],
    ['the model', (bench) => bench.ask('Tell me.')],
    [
      'the voice',
      (bench) => {
        bench.ask('Tell me.')
        bench.text('A first sentence. ')
      },
    ],
    ['the voice, for something to say', (bench) => bench.send({ type: 'say', text: 'I am sorry.' })],
  ]
  test.each(hanging)('%s hangs: a fault after 20 s, and what was under way is cancelled', async (_name, begin) => {
    const bench = await CascadeBench.open()
    begin(bench)
    bench.events()
    bench.clock.advance(19_999)
    expect(bench.events()).toEqual([])
    bench.clock.advance(1)
    expect([bench.events(), bench.clock.pending]).toEqual([['fault timeout'], 0])
    bench.text('Too late. ')
    bench.audio(100)
    expect(bench.events()).toEqual([])
  })

  test('a reply that sounds has no deadline: it may be long', async () => {
    const bench = await CascadeBench.open()
    bench.ask('Tell me.')
    bench.text('A first sentence. ')
    bench.audio(100)
    bench.clock.advance(120_000)
    expect([bench.clock.pending, bench.events().includes('fault timeout')]).toEqual([0, false])
  })
})

describe('a cascade that is closed', () => {
  const phases: [string, (bench: CascadeBench) => void][] = [
    ['idle', () => {}],
    ['while it recognises', (bench) => bench.send({ type: 'turn_committed' })],
    ['while it thinks', (bench) => bench.ask('Tell me.')],
    [
      'while it speaks',
      (bench) => {
        bench.ask('Tell me.')
        bench.text('A first sentence. ')
        bench.audio(100)
      },
    ],
  ]
  test.each(phases)('%s: closes its parts once, says closed last, and nothing after', async (_name, begin) => {
    const bench = await CascadeBench.open()
    begin(bench)
    bench.events()
    const slow = Promise.withResolvers<void>()
    bench.llm.session.closing = () => slow.promise
    const first = bench.close()
    expect(bench.close()).toBe(first)
    // Its parts may still say something while they close.
    bench.stt.session.emit({ type: 'transcript', final: false, text: 'late' })
    bench.final('late')
    bench.text('Too late. ')
    bench.audio(100)
    bench.llm.session.emit(fault)
    bench.stt.session.emit(fault)
    await settle()
    expect(bench.events()).toEqual([])
    slow.resolve()
    await first
    expect(bench.events()).toEqual(['closed'])
    bench.final('later')
    bench.stt.session.emit({ type: 'closed' })
    bench.audio(100)
    expect([bench.events(), bench.clock.pending]).toEqual([[], 0])
    expect([bench.stt, bench.llm, bench.tts].map((part) => part.session.closes)).toEqual([1, 1, 1])
  })

  test('takes nothing any more', async () => {
    const bench = await CascadeBench.open()
    await bench.close()
    bench.stt.session.taken()
    bench.tts.session.taken()
    expect(bench.send({ type: 'turn_committed' })).toBe('closed')
    expect(bench.send({ type: 'say', text: 'Bye.' })).toBe('closed')
    expect([bench.stt.session.inputs, bench.tts.session.inputs]).toEqual([[], []])
  })
})

describe('a text is to be said in the place of an answer, as by a key of the telephone', () => {
  test('before the words of the turn are there: they are a part of the next one', async () => {
    const bench = await CascadeBench.open()
    bench.send({ type: 'turn_committed' })
    bench.send({ type: 'say', text: 'We open at nine.' })
    bench.audio(400)
    bench.final('Are you open?')
    bench.spoken('We open at nine.')
    expect(bench.events()).toEqual(expect.arrayContaining(['agent: We open at nine.', 'reply_done']))
    expect(bench.llm.session.inputs).toEqual([])
    bench.ask('And on Sundays?')
    expect(bench.question.slice(1)).toEqual(['assistant: We open at nine.', 'user: Are you open? And on Sundays?'])
  })

  test('while the model answers: that is dropped', async () => {
    const bench = await CascadeBench.open()
    bench.ask('Are you open?')
    bench.events()
    bench.send({ type: 'say', text: 'We open at nine.' })
    bench.text('Too late. ')
    bench.audio(400)
    bench.spoken('We open at nine.')
    expect(bench.events()).toEqual(expect.arrayContaining(['agent: We open at nine.', 'reply_done']))
    bench.ask('And on Sundays?')
    expect(bench.question.slice(1)).toEqual([
      'user: Are you open?',
      'assistant: We open at nine.',
      'user: And on Sundays?',
    ])
  })
})
