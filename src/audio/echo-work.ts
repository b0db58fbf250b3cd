import { EchoDelaySearch } from './echo-delay.ts'
import { RealFft } from './fft.ts'
import { ToeplitzSolver } from './toeplitz.ts'

/** 56 ms: what a way may spread a sound to. */
export const filterTaps = 448
/** 200 ms. */
export const stretchSamples = 1600
/** The transform of a stretch with what was sent before it; and a shorter one, for a frame or two. */
/** 2 ms: how far the loudest part of an echo may lie from where it was found. */
export const aroundSamples = 16
export const transform = filterTaps + stretchSamples
export const shortTransform = transform / 2

/**
 * The tables and buffers that judging an echo takes. All calls live on one thread and none of this work is ever
 * interrupted, so one set serves them all: what a call keeps for itself is what it has heard and learnt.
 */
export class EchoWork {
  readonly search = new EchoDelaySearch()
  readonly fft = new RealFft(transform)
  readonly fftShort = new RealFft(shortTransform)
  readonly solver = new ToeplitzSolver(filterTaps)
  /** For the filter alone. */
  readonly sent = new Float64Array(transform)
  readonly part = new Float64Array(transform)
  readonly line = new Float64Array(transform)
  readonly sentShort = new Float64Array(shortTransform)
  /** A stretch of the line and what is predicted of it, for the detector. */
  readonly heard = new Float64Array(stretchSamples)
  readonly echo = new Float64Array(stretchSamples)
  /** What was sent around a delay: a stretch, and a little before and behind it. */
  readonly around = new Float64Array(stretchSamples + 2 * aroundSamples)
}

let shared: EchoWork | null = null

/** Made when the first call asks for it. */
export function echoWork(): EchoWork {
  shared ??= new EchoWork()
  return shared
}
