import type { Readiness } from '#agent/provider.ts'
import { levelDbfs } from '#audio/level.ts'
import type { SpeechDetector, SpeechDetectorSession, SpeechEvent } from '#call/speech-detector.ts'

/** Speech detection by loudness, frame by frame: whoever is loud for 60 ms speaks, until they are not for 100 ms. */
export const voicedDbfs = -38
const speechFramesMin = 3
const silenceFramesMin = 5

export class EnergyDetector implements SpeechDetector {
  /** Sessions that are open. */
  opened = 0

  readiness(): Readiness {
    return { ready: true }
  }

  open(_sampleRateHz: number, listener: (event: SpeechEvent) => void): SpeechDetectorSession {
    this.opened += 1
    const ear = new EnergyEar(listener)
    let closed = false
    return {
      push: (samples) => {
        if (closed) return 'closed'
        ear.push(samples)
        return 'sent'
      },
      quietMs: () => ear.quietFrames * 20,
      unjudgedMs: () => 0,
      agentSpeaks: () => {},
      close: () => {
        if (!closed) this.opened -= 1
        closed = true
      },
    }
  }
}

export class EnergyEar {
  quietFrames = 0
  private readonly listener: (event: SpeechEvent) => void
  private voicedFrames = 0
  private speaking = false

  constructor(listener: (event: SpeechEvent) => void) {
    this.listener = listener
  }

  push(samples: Int16Array): void {
    const voiced = levelDbfs(samples) > voicedDbfs
    this.voicedFrames = voiced ? this.voicedFrames + 1 : 0
    this.quietFrames = voiced ? 0 : this.quietFrames + 1
    if (!this.speaking && this.voicedFrames >= speechFramesMin) {
      this.speaking = true
      this.listener({ type: 'speech_started', agoMs: speechFramesMin * 20 })
    } else if (this.speaking && this.quietFrames >= silenceFramesMin) {
      this.speaking = false
      this.listener({ type: 'speech_stopped', agoMs: silenceFramesMin * 20 })
    }
  }
}
