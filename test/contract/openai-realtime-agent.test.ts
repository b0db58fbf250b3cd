import { FollowingClock } from '../fakes/following-clock.ts'
import { settle } from '../fakes/manual-clock.ts'
import { RealtimeBench } from '../fakes/realtime-standin.ts'
import type { Reply } from '../standin/openai-realtime/options.ts'
import { agentContract } from './agent.ts'

// The realtime agent against the stand-in for its server, where the engine finds the turns: where the server finds them,
// they are in the audio, and not in what a contract sends.

agentContract('openai_realtime, with turns of the engine', () => {
  const clock = new FollowingClock()
  let mute = false
  const answer = (): Reply =>
    mute ? { fault: { kind: 'failed', code: 'server_error' } } : { text: 'Yes, of course.', ms: 300 }
  const bench = new RealtimeBench(
    {
      options: { turn_detection: { type: 'none' } },
      standin: {
        pace: 0,
        replies: ({ instructions }) => (instructions === null ? answer() : { text: 'Hello.', ms: 300 }),
      },
    },
    clock,
  )
  const { provider, server } = bench
  return {
    provider: {
      ...provider,
      async open(context) {
        clock.inner = context.clock
        const session = await provider.open(context)
        await settle(60)
        return session
      },
    },
    async rest(time) {
      for (let step = 0; step < 20; step += 1) {
        time.advance(20)
        await settle(60)
      }
    },
    deaf: () => {
      server.loses = (text) => text.includes('input_audio_buffer.append')
    },
    mute: () => {
      mute = true
    },
  }
})
