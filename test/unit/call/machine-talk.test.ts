import { describe, expect, test } from 'bun:test'
import { isMachineTalk, type SpokenTurn } from '#call/machine-talk.ts'

interface Said {
  readonly caller: string
  readonly agent: string
  /** From the end of the agent's words before to the caller's. */
  readonly pauseMs?: number
  readonly outcome?: SpokenTurn['outcome']
}

const greeting = 'Hello! You are speaking with an automated assistant. How can I help you?'

/** Each side speaks for two seconds, and the agent answers after one. */
function turnsOf(said: readonly Said[]): SpokenTurn[] {
  let nowMs = 3000
  return said.map(({ caller, agent, pauseMs = 900, outcome = 'answered' }) => {
    const startedMs = nowMs + pauseMs
    nowMs = startedMs + 5000
    return { startedMs, speechMs: 2000, responseMs: 1000, heardMs: 2000, outcome, callerText: caller, agentText: agent }
  })
}

const judge = (said: readonly Said[], turnsMin = 8, sinceMs = 0) =>
  isMachineTalk({ turns: turnsOf(said), greeting, sinceMs }, turnsMin)
const times = <Entry>(count: number, entry: (index: number) => Entry) =>
  Array.from({ length: count }, (_, index) => entry(index))

/** As a person's, from half a second to two. */
const humanPauses = [900, 640, 1480, 700, 2050, 1120, 560, 980, 1730, 820, 1300, 610]

describe('people', () => {
  test('who says yes ten times while a form is filled in', () => {
    const questions = ['your name', 'your street', 'your town', 'your bank', 'your phone', 'your mail']
    const form = times(10, (index) => ({
      caller: 'Yes.',
      agent: `Thank you. Is ${questions[index % 6]} still ${index} as we have it?`,
      pauseMs: 700,
    }))
    expect(judge(form)).toBeFalse()
  })

  test('who confirms ten entries that differ by their number only', () => {
    const list = times(10, (index) => ({
      caller: 'Yes, that is correct.',
      agent: `Good. And now to the next entry on the list: is the number ${100 + index} correct?`,
      pauseMs: 700,
    }))
    expect(judge(list)).toBeFalse()
  })

  test('who asks for a person again and again, and gets one answer', () => {
    const angry = times(12, (index) => ({
      caller: 'I want an agent!',
      agent: 'I can help you with that. What is it about?',
      pauseMs: humanPauses[index] ?? 0,
    }))
    expect(judge(angry)).toBeFalse()
  })

  test('who plays a game, and answers in other words each time', () => {
    const words = ['apple', 'pear', 'plum', 'cherry', 'fig', 'grape', 'melon', 'lime', 'quince', 'peach']
    const game = words.map((caller) => ({ caller, agent: 'Right! Name another one.', pauseMs: 800 }))
    expect(judge(game)).toBeFalse()
  })

  test('who repeats a long sentence a few times, since they are not understood', () => {
    const caller = 'I would like to change the date of my appointment with doctor Miller next week.'
    const unheard = times(5, () => ({ caller, agent: 'I am sorry, could you say that again, please?' }))
    const after = [{ caller: 'Is anybody there at all?', agent: 'Yes, I am here.' }]
    expect([judge(unheard), judge([...unheard, ...after, ...unheard.slice(0, 3)])]).toEqual([false, false])
  })

  const numbers = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']
  const friends = ['Anna', 'Bert', 'Cara', 'Dave', 'Emma', 'Fred', 'Gina', 'Hugo', 'Iris', 'Jack']
  const chineseFriends = ['张伟', '王芳', '李娜', '刘洋', '陈静', '杨帆', '赵磊', '黄敏', '周杰', '吴丹']
  const replies = [
    'Done.',
    'That is on its way.',
    'Of course, I have made a note of it.',
    'All right! Anything else?',
    'Sure. Who is next?',
    'I have taken care of this one too.',
    'Very well, what now?',
    'Good, it will be there by tomorrow.',
    'Noted, thank you.',
    'Perfect, we are almost finished here.',
  ]
  describe.each([
    ['orders parts', numbers.map((part) => `Please put part number ${part} from the blue shelf on my order list.`)],
    ['invites', friends.map((friend) => `Please send an invitation for the party on Friday to my friend ${friend}.`)],
    [
      'invites in a script that parts no words',
      chineseFriends.map((friend) => `请帮我把邀请函发送给我的朋友${friend}。`),
    ],
    [
      'asks for a person in many words',
      times(9, () => 'I would like to talk to a person, please. Can you put me through now?'),
    ],
  ])('who %s', (_name, said) => {
    test('and is answered something else each time, whatever the pauses', () => {
      const turns = said.map((caller, index) => ({ caller, agent: replies[index] ?? '' }))
      const uneven = turns.map((turn, index) => ({ ...turn, pauseMs: humanPauses[index] ?? 0 }))
      expect([judge(turns), judge(uneven)]).toEqual([false, false])
    })

    test('and gets one answer, after pauses as a person makes them', () => {
      const turns = said.map((caller, index) => ({ caller, agent: 'Done.', pauseMs: humanPauses[index] ?? 0 }))
      expect(judge(turns)).toBeFalse()
    })
  })

  test('who says sentences after a teacher', () => {
    const sentences = [
      'The little brown fox jumps over the very lazy old dog.',
      'My sister has bought three red apples at the market this morning.',
      'On Sunday we always go for a long walk along the river.',
      'Could you please tell me the way to the nearest railway station?',
      'The weather was so bad that nobody wanted to leave the house.',
      'If I had more time I would learn to play the piano.',
      'Our neighbours have painted their garden fence green over the summer.',
      'He asked the waiter for a glass of water and the bill.',
      'Next year they want to travel through Italy by train and bicycle.',
    ]
    const lesson = sentences.map((caller, index) => ({ caller, agent: sentences[index + 1] ?? 'Well done!' }))
    const turns = [{ caller: 'Hello, I am ready.', agent: sentences[0] ?? '' }, ...lesson]
    expect(judge(turns)).toBeFalse()
  })

  test('of whom nothing was written down', () => {
    expect(judge(times(20, () => ({ caller: '', agent: 'Hello?' })))).toBeFalse()
  })
})

describe('machines', () => {
  const loop = (count: number, pauseMs: (index: number) => number = () => 1200) =>
    times(count, (index) => ({
      caller: 'Hello, how may I help you today?',
      agent: 'Hello! How can I help you?',
      pauseMs: pauseMs(index),
    }))

  test('two agents that greet each other', () => {
    // The first turn repeats nothing, and the second answers what was said once.
    expect([judge(loop(9)), judge(loop(10))]).toEqual([false, true])
    expect(judge(loop(10, (index) => 1200 + (index % 3) * 250))).toBeTrue()
  })

  test('an agent that says what ours says', () => {
    const parrot = times(9, () => ({ caller: greeting, agent: greeting }))
    expect([judge(parrot.slice(0, 7)), judge(parrot)]).toEqual([false, true])
  })

  test('a voicemail greeting that starts again, to answers that come again as well', () => {
    const answers = ['Hello Ada! Shall I call later?', 'I am sorry, I did not get that. How can I help you?']
    const voicemail = times(11, (index) => ({
      caller: `You have reached the voicemail of Ada ${index === 4 ? 'Love less' : 'Lovelace'}. Please leave a message after the tone.`,
      agent: answers[index % 2] ?? '',
      pauseMs: 1000 + (index % 3) * 200,
    }))
    // The third and the fourth turn answer what was said once.
    expect([judge(voicemail.slice(0, 10)), judge(voicemail)]).toEqual([false, true])
  })

  test('in a script that parts no words', () => {
    const caller = 'お電話ありがとうございます。ただいま電話に出ることができません。'
    expect(judge(times(10, () => ({ caller, agent: 'はい、どうなさいましたか。' })))).toBeTrue()
  })

  test('whose last words are not written down yet', () => {
    expect(judge([...loop(10), { caller: '', agent: 'Hello! How can I help you?' }])).toBeTrue()
  })

  test('a row ends with an interruption, and where the caller says so', () => {
    const interrupted = loop(12).map((turn, index) =>
      index === 7 ? { ...turn, outcome: 'interrupted' as const } : turn,
    )
    expect(judge(interrupted)).toBeFalse()
    const [, , , fourth] = turnsOf(loop(10))
    expect([judge(loop(10), 8, fourth?.startedMs), judge(loop(11), 8, fourth?.startedMs)]).toEqual([false, true])
  })

  test('with another number of turns, and with none: off', () => {
    expect([judge(loop(6), 4), judge(loop(5), 4), judge(loop(40), 0)]).toEqual([true, false, false])
  })
})
