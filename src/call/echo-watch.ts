import { EchoDetector, echoShareMin } from '#audio/echo-detector.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { LineEcho } from './line-echo.ts'

/** The echo detector as a call asks it: yes or no, of the newest moment. */
/** Less of a sound tells nothing, and more of it than this reaches back before a voice that has just come up. */
const windowMs = { min: 60, max: 160 } as const

export class EchoWatch implements LineEcho {
  /** A voice that has come up over an echo is found within the window that was looked at. */
  readonly onsetMs: Milliseconds = windowMs.max
  private readonly detector: EchoDetector

  constructor(sampleRateHz: number) {
    this.detector = new EchoDetector(sampleRateHz)
  }

  sent(samples: Int16Array): void {
    this.detector.sent(samples)
  }

  heard(samples: Int16Array): void {
    this.detector.heard(samples)
    this.detector.tick()
  }

  isEcho(newestMs: Milliseconds): boolean {
    const window = Math.max(windowMs.min, Math.min(windowMs.max, newestMs))
    return this.detector.report(window).echoShare >= echoShareMin
  }
}
