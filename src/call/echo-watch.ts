import { EchoDetector, echoShareMin } from '#audio/echo-detector.ts'
import { type AudioFrame, type SampleRateHz, samplesPerFrame } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { LineEcho, LineSound } from './line-echo.ts'

/**
 * What an echo whose way is known leaves unexplained is no caller while it is so quiet: coding and rooms leave some, most
 * where the agent's words fade. Who speaks more softly than this over a loudspeaker is not understood either.
 */
const leftOverDbfs = -42
const leftOverShareMin = 0.3
/** Less of a sound tells nothing, and more of it than this reaches back before a voice that has just come up. */
const windowMs = { min: 60, max: 160 } as const

/** The echo detector as a call asks it: one word of the newest moment. */
export class EchoWatch implements LineEcho {
  /** A voice that has come up over an echo is found within the window that was looked at. */
  readonly onsetMs: Milliseconds = windowMs.max
  private readonly detector: EchoDetector
  private readonly cleaned: AudioFrame
  private readonly clock: Clock

  constructor(sampleRateHz: SampleRateHz, clock: Clock) {
    this.clock = clock
    this.detector = new EchoDetector(sampleRateHz)
    this.cleaned = { sampleRateHz, samples: new Int16Array(samplesPerFrame(sampleRateHz)) }
  }

  sent(samples: Int16Array): void {
    this.detector.sent(samples, this.clock.now())
  }

  heard(samples: Int16Array): void {
    this.detector.heard(samples, this.clock.now())
    this.detector.tick()
  }

  clean(frame: AudioFrame): AudioFrame {
    return this.detector.clean(this.cleaned.samples) ? this.cleaned : frame
  }

  soundOf(newestMs: Milliseconds): LineSound {
    const window = Math.max(windowMs.min, Math.min(windowMs.max, newestMs))
    const { echoShare, known, residualDbfs, silent } = this.detector.report(window)
    if (echoShare >= echoShareMin) return 'echo'
    if (known && residualDbfs < leftOverDbfs && echoShare >= leftOverShareMin) return 'echo'
    return silent ? 'silence' : 'other'
  }
}
