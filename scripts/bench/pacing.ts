import { SystemClock } from '#base/clock.ts'
import { systemRandom } from '#base/random.ts'
import { sampleSpeech } from '#cli/sample-speech.ts'
import { AudioSocketCaller } from '#simulator/audiosocket-caller.ts'
import { dialCall } from '#simulator/dial-call.ts'
import { BedEngine } from '../../test/bed/engine.ts'
import { figuresMs } from './figures.ts'

/**
 * How far apart the frames of one call arrive while other callers keep recognition, language model and voice busy. The
 * listener's own jitter is in the figures: it shares the machine.
 */
export async function benchPacing(seconds: number, talkers: number, hogs: number): Promise<string[]> {
  const clock = new SystemClock()
  const engine = await BedEngine.start({})
  const speech = await sampleSpeech(process.env, 8000)
  if (!speech.ok) throw new Error(speech.error)
  const gaps: number[] = []
  let last: number | null = null
  const listener = await AudioSocketCaller.connect({
    host: '127.0.0.1',
    port: engine.audioSocketPort,
    uuid: systemRandom.uuid(),
    sampleRateHz: 8000,
    clock,
    audio: (_frame, atMs) => {
      if (last !== null) gaps.push(atMs - last)
      last = atMs
    },
    ended: () => {},
  })
  // Endless loops of other programs, which give way to nobody but the lowest.
  const others = Array.from({ length: hogs }, () =>
    Bun.spawn(['nice', '-n', '5', 'sh', '-c', 'while :; do :; done'], { stdio: ['ignore', 'ignore', 'ignore'] }),
  )
  const until = clock.now() + seconds * 1000
  let turns = 0
  const talk = async () => {
    while (clock.now() < until) {
      const { timeline } = await dialCall(
        {
          host: '127.0.0.1',
          port: engine.audioSocketPort,
          sampleRateHz: 8000,
          speech: speech.value,
          speakAfter: 'greeting',
          greetingMaxMs: 3000,
          replyMaxMs: 20_000,
          quietMs: 800,
          callMaxMs: 60_000,
        },
        clock,
        systemRandom,
      )
      if (timeline.replyFirstFrameMs !== null) turns += 1
    }
  }
  await Promise.all(Array.from({ length: talkers }, talk)).finally(() => {
    for (const other of others) other.kill('SIGKILL')
  })
  listener.hangUp()
  await engine.untilIdle()
  const lateTicks = await engine.metric('ai_agent_pacing_late_ticks_total')
  const ticks = await engine.metric('ai_agent_pacing_ticks_total')
  await engine.stop()
  return [
    figuresMs(
      `gap between frames while ${talkers} callers talk (${turns} turns answered)${hogs === 0 ? '' : `, ${hogs} endless loops beside`}`,
      gaps,
      'p99 within 20 ± 5 ms',
    ),
    `ticks of the 20 ms clock that came a whole frame late: ${lateTicks} of ${ticks}`,
  ]
}
