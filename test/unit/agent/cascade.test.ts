import { describe, expect, test } from 'bun:test'
import { callContext } from '../../fakes/context.ts'
import { CascadeBench } from './cascade-bench.ts'

describe('a cascade answers', () => {
  test('finalize → transcript → model → sentences → voice → audio, each with its time', async () => {
    const bench = await CascadeBench.open()
    bench.send({ type: 'turn_committed' })
    expect(bench.stt.session.taken()).toEqual([{ type: 'finalize' }])
    bench.clock.advance(80)
    bench.final('What time is it?')
    expect(bench.events()).toEqual(['stt 80', 'caller: What time is it?'])
    expect(bench.question).toEqual(['system: Be brief.', 'user: What time is it?'])
    bench.clock.advance(100)
    bench.text('It is noon')
    bench.clock.advance(50)
    bench.text(' now. ')
    expect(bench.events()).toEqual(['llm_first_token 180', 'llm_first_sentence 230', 'reply_started'])
    // The first sentence is spoken while the model still writes.
    expect(bench.spokenTexts()).toEqual(['It is noon now.'])
    bench.clock.advance(120)
    bench.audio(300)
    bench.audio(200)
    expect(bench.events()).toEqual(['tts_first_audio 350', 'audio 300', 'audio 200'])
    bench.text('Anything else?')
    bench.spoken('It is noon now.')
    bench.done()
    expect(bench.spokenTexts()).toEqual(['Anything else?'])
    bench.audio(400)
    bench.spoken('Anything else?')
    expect(bench.events()).toEqual(['audio 400', 'agent: It is noon now. Anything else?', 'reply_done'])
    bench.ask('No.')
    expect(bench.question).toEqual([
      'system: Be brief.',
      'user: What time is it?',
      'assistant: It is noon now. Anything else?',
      'user: No.',
    ])
  })

  test('each turn has its stages once, from its own commit', async () => {
    const bench = await CascadeBench.open()
    bench.ask('One?')
    bench.answer('The first answer.', 100)
    bench.events()
    bench.clock.advance(5000)
    bench.send({ type: 'turn_committed' })
    bench.clock.advance(60)
    bench.final('Two?')
    expect(bench.events()).toEqual(['stt 60', 'caller: Two?'])
  })

  test('the caller’s audio and speech go to the recogniser as they are; interims come back', async () => {
    const bench = await CascadeBench.open()
    const audio = { type: 'audio', frame: { sampleRateHz: 8000, samples: Int16Array.of(1, 2) } } as const
    bench.send(audio)
    bench.send({ type: 'speech_started', agoMs: 90 })
    bench.send({ type: 'speech_stopped' })
    expect(bench.stt.session.taken()).toEqual([
      audio,
      { type: 'speech_started', agoMs: 90 },
      { type: 'speech_stopped' },
    ])
    bench.stt.session.emit({ type: 'transcript', final: false, text: 'what ti' })
    expect(bench.events()).toEqual(['caller …: what ti'])
  })

  test('a model that says nothing: the reply is done, without audio and without words', async () => {
    const bench = await CascadeBench.open()
    bench.ask('Hm?')
    bench.events()
    bench.done()
    expect(bench.events()).toEqual(['reply_done'])
    expect([bench.clock.pending, bench.spokenTexts()]).toEqual([0, []])
  })

  test('a model that is done after its last sentence was spoken', async () => {
    const bench = await CascadeBench.open()
    bench.ask('Hm?')
    bench.text('This is a sentence. ')
    bench.audio(100)
    bench.spoken('This is a sentence.')
    expect(bench.events()).not.toContain('reply_done')
    bench.done()
    expect(bench.events()).toEqual(['agent: This is a sentence.', 'reply_done'])
  })

  test('a turn without words: nothing heard, and the model is not asked', async () => {
    const bench = await CascadeBench.open()
    bench.ask('')
    expect(bench.events()).toEqual(['stt 0', 'nothing_heard'])
    expect([bench.question, bench.clock.pending]).toEqual([[], 0])
  })

  test('say: a reply of its own, at once, remembered as the agent’s words', async () => {
    const bench = await CascadeBench.open()
    bench.send({ type: 'say', text: 'Hello. How are you?' })
    expect(bench.spokenTexts()).toEqual(['Hello. How are you?'])
    bench.audio(500)
    bench.spoken('Hello. How are you?')
    expect(bench.events()).toEqual(['reply_started', 'audio 500', 'agent: Hello. How are you?', 'reply_done'])
    bench.ask('Fine.')
    expect(bench.question).toEqual(['system: Be brief.', 'assistant: Hello. How are you?', 'user: Fine.'])
  })
})

describe('the caller goes on before the reply sounds', () => {
  test('while the words are being recognised: both parts are one turn, in their order', async () => {
    const bench = await CascadeBench.open()
    bench.send({ type: 'turn_committed' })
    bench.send({ type: 'turn_resumed' })
    bench.final('I would like')
    expect([bench.events(), bench.question]).toEqual([[], []])
    bench.ask('a table')
    expect(bench.events()).toEqual(['stt 0', 'caller: I would like a table'])
    expect(bench.question).toEqual(['system: Be brief.', 'user: I would like a table'])
  })

  test('and is done before the first part is recognised: both finals are waited for', async () => {
    const bench = await CascadeBench.open()
    bench.send({ type: 'turn_committed' })
    bench.send({ type: 'turn_resumed' })
    bench.send({ type: 'turn_committed' })
    bench.final('I would like')
    expect(bench.events()).toEqual([])
    bench.final('a table')
    expect(bench.events()).toEqual(['stt 0', 'caller: I would like a table'])
  })

  test('while the model thinks: it is asked again with all of it, as one message', async () => {
    const bench = await CascadeBench.open()
    bench.ask('I would like')
    bench.send({ type: 'turn_resumed' })
    expect(bench.llm.session.inputs.at(-1)).toEqual({ type: 'cancel' })
    expect(bench.clock.pending).toBe(0)
    bench.events()
    bench.text('Too late. ')
    bench.done()
    expect([bench.events(), bench.spokenTexts()]).toEqual([[], ['(cancel)']])
    bench.ask('a table')
    expect(bench.question).toEqual(['system: Be brief.', 'user: I would like a table'])
    expect(bench.events()).toEqual(['stt 0', 'caller: I would like a table'])
  })

  test('while the first sentence is being made: nothing of it is emitted or remembered', async () => {
    const bench = await CascadeBench.open()
    bench.ask('I would like')
    bench.text('Certainly, here it is. And')
    expect(bench.spokenTexts()).toEqual(['Certainly, here it is.'])
    bench.send({ type: 'turn_resumed' })
    expect(bench.spokenTexts()).toEqual(['(cancel)'])
    bench.events()
    bench.audio(300)
    bench.spoken('Certainly, here it is.')
    expect(bench.events()).toEqual([])
    bench.ask('a table')
    expect(bench.question).toEqual(['system: Be brief.', 'user: I would like a table'])
    // The half sentence of the dropped reply is not in the next.
    bench.text('For how many people? ')
    expect(bench.spokenTexts()).toEqual(['For how many people?'])
  })

  test('three times: it is still one turn', async () => {
    const bench = await CascadeBench.open()
    for (const words of ['one', 'two', 'three']) {
      bench.ask(words)
      bench.send({ type: 'turn_resumed' })
    }
    bench.ask('four')
    expect(bench.question).toEqual(['system: Be brief.', 'user: one two three four'])
  })

  test('with words first and silence then: the words count', async () => {
    const bench = await CascadeBench.open()
    bench.ask('I would like')
    bench.send({ type: 'turn_resumed' })
    bench.events()
    bench.ask('')
    expect(bench.events()).toEqual(['stt 0', 'caller: I would like'])
  })
})

describe('opening and closing', () => {
  test('a part that cannot be opened: the others are closed, and its words are thrown', async () => {
    const bench = new CascadeBench()
    bench.llm.fails = new Error('no model server at :11434')
    await expect(bench.provider.open(callContext(bench.clock))).rejects.toThrow('no model server at :11434')
    expect([bench.stt.session.closes, bench.tts.session.closes]).toEqual([1, 1])
  })

  test('is ready when all of its parts are, and says what each lacks', () => {
    const bench = new CascadeBench()
    expect(bench.provider.readiness()).toEqual({ ready: true })
    bench.stt.ready = { ready: false, reason: 'fetching' }
    bench.tts.ready = { ready: false, reason: 'no voice' }
    expect(bench.provider.readiness()).toEqual({ ready: false, reason: 'stt: fetching; tts: no voice' })
  })

  test('starts and closes all of its parts', async () => {
    const { provider, stt, llm, tts } = new CascadeBench()
    provider.start()
    await provider.close()
    expect([stt, llm, tts].map((part) => [part.starts, part.closes])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ])
  })
})
