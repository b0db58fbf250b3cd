import { createCascade } from '#agent/cascade.ts'
import type { AgentInput, Provider, SessionOf } from '#agent/provider.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { createDeepgramStt } from '#providers/deepgram/stt.ts'
import { createDeepgramTts } from '#providers/deepgram/tts.ts'
import { fakePart } from '../fakes/cascade-parts.ts'
import { AgentBench } from '../fakes/deepgram-agent.ts'
import { deepgramOptionsOf, MemoryDeepgram } from '../fakes/deepgram-standin.ts'
import { FollowingClock } from '../fakes/following-clock.ts'
import { type ManualClock, settle } from '../fakes/manual-clock.ts'
import { encodeAudio } from '../standin/deepgram/wire-audio.ts'
import { tonePattern } from '../standin/tone-pattern.ts'
import { agentContract } from './agent.ts'

// Deepgram's agent, and cascades of its recognition and voice, against the stand-in for its servers. A turn is in the audio
// there, and not in what a contract sends: with each turn that is committed the stand-in hears one.

const linear8 = { encoding: 'linear16', sampleRateHz: 8000 } as const
const speech = encodeAudio(tonePattern(0, 400, 8000), linear8)
const silence = new Uint8Array(2 * 8 * 600)

async function rest(time: ManualClock): Promise<void> {
  for (let step = 0; step < 120; step += 1) {
    time.advance(50)
    await settle(20)
  }
}

/** What the coordinator does beside: it tells when a reply has been heard. */
function heardAlways(session: SessionOf<'agent'>, turn: () => void): SessionOf<'agent'> {
  return {
    onEvent: (listener) =>
      session.onEvent((event) => {
        listener(event)
        if (event.type === 'reply_done') queueMicrotask(() => session.send({ type: 'reply_heard' }))
      }),
    send(input: AgentInput) {
      const accepted = session.send(input)
      if (input.type === 'turn_committed' && accepted === 'sent') turn()
      return accepted
    },
    close: () => session.close(),
  }
}

agentContract('deepgram', () => {
  const clock = new FollowingClock()
  let mute = false
  let deaf = false
  const bench = new AgentBench(
    {
      standin: {
        pace: 0,
        replies: () => (mute ? { fault: { kind: 'warning' } } : { text: 'Yes, of course.', ms: 300 }),
        callerTranscripts: () => (deaf ? '' : 'What time is it?'),
      },
    },
    clock,
  )
  return {
    provider: {
      ...bench.provider,
      async open(context) {
        clock.inner = context.clock
        const session = await bench.provider.open(context)
        await settle(60)
        return heardAlways(session, () => {
          bench.last.receive(speech)
          bench.last.receive(silence)
        })
      },
    },
    rest,
    deaf: () => {
      deaf = true
    },
    mute: () => {
      mute = true
    },
  }
})

for (const [name, options] of [
  ['nova', {}],
  ['Flux', { listen: { model: 'flux-general-en' } }],
] as const) {
  agentContract(`a cascade of Deepgram’s recognition (${name}) and voice`, () => {
    const clock = new FollowingClock()
    let mute = false
    let deaf = false
    const server = new MemoryDeepgram({
      clock,
      random: seededRandom(7),
      pace: 0,
      callerTranscripts: () => (deaf ? '' : 'What time is it?'),
    })
    const deps = {
      clock,
      random: seededRandom(11),
      log: silentLog,
      secrets: { DEEPGRAM_API_KEY: 'dg-test' },
      openSocket: server.openSocket,
      fetch: () => Promise.resolve(new Response('{}')),
    }
    const llm = fakePart('llm')
    let answers = 0
    llm.session.script = (input) => {
      answers += 1
      if (input.type !== 'generate') return
      const mine = answers
      queueMicrotask(() => {
        if (mine !== answers) return
        if (mute) {
          llm.session.emit({ type: 'fault', code: 'unreachable', message: 'gone', retryable: true })
          return
        }
        llm.session.emit({ type: 'text', delta: 'It is noon. Is there anything else?' })
        llm.session.emit({ type: 'done' })
      })
    }
    const made = deepgramOptionsOf(options)
    const cascade: Provider<'agent'> = createCascade({
      name: 'cascade',
      stt: createDeepgramStt('deepgram', made, deps),
      llm,
      tts: createDeepgramTts('deepgram', made, deps),
    })
    return {
      provider: {
        ...cascade,
        async open(context) {
          clock.inner = context.clock
          const session = await cascade.open(context)
          await settle(60)
          // The engine sends a turn's audio before it says that the turn is over.
          return {
            onEvent: (listener) => session.onEvent(listener),
            send(input) {
              if (input.type === 'turn_committed') {
                session.send({ type: 'speech_started', agoMs: 0 })
                const samples = tonePattern(0, 400, 8000)
                for (let start = 0; start < samples.length; start += 160) {
                  session.send({
                    type: 'audio',
                    frame: { sampleRateHz: 8000, samples: samples.subarray(start, start + 160) },
                  })
                }
                for (let frame = 0; frame < 30; frame += 1) {
                  session.send({ type: 'audio', frame: { sampleRateHz: 8000, samples: new Int16Array(160) } })
                }
                session.send({ type: 'speech_stopped' })
              }
              return session.send(input)
            },
            close: () => session.close(),
          }
        },
      },
      rest,
      deaf: () => {
        deaf = true
      },
      mute: () => {
        mute = true
      },
    }
  })
}
