import { levelDbfs } from '#audio/level.ts'
import { type DetectionRateHz, windowMs, windowSamples } from './detection-memory.ts'
import type { DetectionListener, DetectionSession, DetectionStats, SpeechDetector } from './detector.ts'

/**
 * Speech by loudness, for machines where ONNX Runtime can't load. It takes any loud sound for speech; that is enough to
 * take turns on a quiet line, and no more.
 *
 * The floor follows the quiet: down at once, up by 3 dB a second, so that a lasting noise becomes the floor and a
 * sentence doesn't. The probability is 0.5 at 9 dB above it and moves by 0.05 a dB; below −50 dBFS nothing is speech.
 */
const quietestDbfs = -50
const marginDb = 9
const probabilityPerDb = 0.05
const riseDbPerWindow = (3 * windowMs) / 1000

export class EnergyDetector implements SpeechDetector {
  readonly readiness = { ready: true } as const
  private readonly capacity: number
  // keyed by: session object
  private readonly sessions = new Set<EnergySession>()
  private windows = 0

  constructor(options: { readonly capacity: number }) {
    this.capacity = options.capacity
  }

  start(): void {
    // Nothing to load.
  }

  get stats(): DetectionStats {
    return { open: this.sessions.size, windows: this.windows, droppedWindows: 0, restarts: 0 }
  }

  open(sampleRateHz: DetectionRateHz, listener: DetectionListener): DetectionSession | null {
    if (this.sessions.size >= this.capacity) return null
    const session = new EnergySession(
      windowSamples(sampleRateHz),
      (probability, endSample) => {
        this.windows += 1
        listener(probability, endSample)
      },
      () => this.sessions.delete(session),
    )
    this.sessions.add(session)
    return session
  }

  async close(): Promise<void> {
    for (const session of [...this.sessions]) session.close()
  }
}

class EnergySession implements DetectionSession {
  private readonly window: Int16Array
  private readonly listener: DetectionListener
  private readonly onClose: () => void
  private filled = 0
  private pushed = 0
  /** Until something quieter was heard: a telephone line's own noise. */
  private floorDbfs = quietestDbfs
  private closed = false

  constructor(windowLength: number, listener: DetectionListener, onClose: () => void) {
    this.window = new Int16Array(windowLength)
    this.listener = listener
    this.onClose = onClose
  }

  push(samples: Int16Array): 'sent' | 'full' {
    for (let at = 0; at < samples.length && !this.closed; at++) {
      this.window[this.filled++] = samples[at] as number
      this.pushed += 1
      if (this.filled < this.window.length) continue
      this.filled = 0
      this.listener(this.judge(levelDbfs(this.window)), this.pushed)
    }
    return this.closed ? 'full' : 'sent'
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.onClose()
  }

  private judge(dbfs: number): number {
    this.floorDbfs = Math.min(dbfs, this.floorDbfs + riseDbPerWindow)
    if (dbfs < quietestDbfs) return 0
    // Digital silence must not make a whisper of line noise stand 60 dB above the floor.
    const aboveDb = dbfs - Math.max(this.floorDbfs, quietestDbfs - marginDb)
    return Math.min(1, Math.max(0, 0.5 + (aboveDb - marginDb) * probabilityPerDb))
  }
}
