import { echoShareMin } from '#audio/echo-detector.ts'
import { EchoCall, type EchoScene } from './echo-call.ts'

/** Calls with an echo, judged: what a turn-taker would have asked, and the answers. Frames are of 20 ms. */

export interface EchoVerdicts {
  /** When the detector knew the way, in milliseconds after the first echo was on the line; null: never. */
  readonly knownMs: number | null
  /** The first echo of the call, 120 ms after it began. */
  readonly first: boolean
  /** Later windows of 120 ms, full of echo and of nothing else: how many, and how many were told. */
  readonly windows: number
  readonly told: number
}

/** Loud enough to be taken for speech: within 12 dB of the last second's mean. */
const loudDb = 12
const windowFrames = 6
const windowMs = 120

export function judgeEcho(scene: EchoScene, fromFrame = 0): EchoVerdicts {
  const call = new EchoCall(scene)
  let heardAt = -1
  let knownMs: number | null = null
  let first = false
  let windows = 0
  let told = 0
  const isEcho = () => call.detector.report(windowMs).echoShare >= echoShareMin
  call.run((frame) => {
    if (heardAt < 0 && call.echoDbfs(frame, 1) > (scene.path?.gainDb ?? 0) - 45) heardAt = frame
    if (heardAt < 0) return
    if (knownMs === null && call.detector.known) knownMs = (frame - heardAt) * 20
    if (frame === heardAt + windowFrames - 1) first = isEcho()
    const callerSpeaks = call.callerDbfs(frame, windowFrames) > -80
    if (frame < Math.max(fromFrame, heardAt + 50) || frame % 3 !== 0 || callerSpeaks || !isLoud(call, frame)) return
    windows += 1
    if (isEcho()) told += 1
  })
  return { knownMs, first, windows, told }
}

/** All of the window's frames are. */
function isLoud(call: EchoCall, frame: number): boolean {
  const mean = call.echoDbfs(frame, 50)
  for (let back = 0; back < windowFrames; back += 1) {
    if (call.echoDbfs(frame - back, 1) < mean - loudDb) return false
  }
  return true
}

/**
 * A caller who says `words` over the echo at these frames, `overDb` louder than the echo is in the first 150 ms of them.
 * The answers: how long after each onset the sound was told to be more than an echo, in milliseconds; infinite where it
 * was not within 300.
 */
export function judgeDoubleTalk(
  scene: EchoScene,
  words: readonly { readonly frame: number; readonly samples: Int16Array }[],
  overDb: number,
): number[] {
  const alone = new EchoCall(scene)
  const caller = new Int16Array(scene.agent.length)
  const perFrame = scene.sampleRateHz / 50
  const onsets: number[] = []
  for (const { frame, samples } of words) {
    const echoDbfs = alone.echoDbfs(frame + onsetFrames - 1, onsetFrames)
    // Where the agent pauses there is nothing to speak over.
    if (echoDbfs < -70) continue
    const head = samples.subarray(0, onsetFrames * perFrame)
    const level = 10 * Math.log10(head.reduce((sum, each) => sum + each * each, 1) / head.length / 32_768 ** 2)
    const gain = 10 ** ((echoDbfs + overDb - level) / 20)
    for (const [index, sample] of samples.entries()) {
      const at = frame * perFrame + index
      if (at < caller.length) caller[at] = Math.max(-32_768, Math.min(32_767, Math.round(sample * gain)))
    }
    onsets.push(frame)
  }
  const call = new EchoCall({ ...scene, caller })
  const toldMs = new Map(onsets.map((onset) => [onset, Number.POSITIVE_INFINITY]))
  call.run((frame) => {
    for (const onset of onsets) {
      const agoMs = (frame - onset + 1) * 20
      if (agoMs < 60 || agoMs > 300 || toldMs.get(onset) !== Number.POSITIVE_INFINITY) continue
      // The window of a detector that fires on what is new.
      if (call.detector.report(Math.min(windowMs, agoMs)).echoShare < echoShareMin) toldMs.set(onset, agoMs)
    }
  })
  return [...toldMs.values()]
}

/** 150 ms are seven frames and a half; eight. */
const onsetFrames = 8

/** A caller on a line without an echo: of their loud windows, how many were told to be one. */
export function judgeCaller(scene: EchoScene): {
  readonly windows: number
  readonly told: number
  readonly known: boolean
} {
  const call = new EchoCall(scene)
  let windows = 0
  let told = 0
  call.run((frame) => {
    if (frame % 3 !== 0 || call.callerDbfs(frame, windowFrames) < -35) return
    windows += 1
    if (call.detector.report(windowMs).echoShare >= echoShareMin) told += 1
  })
  return { windows, told, known: call.detector.known }
}
