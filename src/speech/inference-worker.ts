import { levelDbfs } from '#audio/level.ts'
import { resampleWhole } from '#audio/resample.ts'
import { messageOf } from '#base/result.ts'
import type { FromInferenceWorker, ToInferenceWorker } from './inference-wire.ts'
import { lowerThreadPriority } from './libc.ts'
import { Moonshine, moonshineRateHz } from './moonshine.ts'
import { OverlapWords } from './overlap-words.ts'
import { Piper } from './piper.ts'
import { SmartTurn } from './smart-turn.ts'

/**
 * The worker for recognition, for voice, for the end of turns or for overlaps: one model, one job at a time. Its thread,
 * and the threads ONNX Runtime makes for it, run at a lower priority, so that on a busy machine sentences come later and
 * audio does not.
 */
declare const self: Worker & { onmessage: ((event: MessageEvent<ToInferenceWorker>) => void) | null }

const nice = 10

/**
 * The loudest tenth of a second of a quiet speaker on a poor line lies above this; a model asked about less than that
 * invents words ("You", "Thank you").
 */
const quietestSpeechDbfs = -52
const levelBlockMs = 100

let recognition: Moonshine | undefined
let voice: { readonly piper: Piper; readonly sampleRateHz: number } | undefined
let turnEnd: SmartTurn | undefined
let overlap: OverlapWords | undefined
let cancelledJob = -1

function post(message: FromInferenceWorker, transfer: ArrayBufferLike[] = []): void {
  self.postMessage(message, transfer as ArrayBuffer[])
}

async function load(message: ToInferenceWorker): Promise<void> {
  try {
    // Before the sessions are made: their threads inherit it.
    lowerThreadPriority(nice)
    if (message.type === 'load_recognition') {
      recognition = await Moonshine.load(message.folder, message.threads)
      // The first run allocates: better now than in a caller's first turn.
      await recognition.transcribe(new Float32Array(moonshineRateHz), () => false)
    } else if (message.type === 'load_voice') {
      const piper = await Piper.load(message.model, message.voice, message.threads)
      await piper.synthesize(Int32Array.of(1, 0, 14, 0, 10, 0, 2))
      voice = { piper, sampleRateHz: message.voice.sampleRateHz }
    } else if (message.type === 'load_turn_end') {
      turnEnd = await SmartTurn.load(message.model, message.threads)
    } else if (message.type === 'load_overlap') {
      overlap = await OverlapWords.load(message.encoder, message.threads)
      await overlap.judge(new Int16Array(moonshineRateHz), moonshineRateHz)
    }
    post({ type: 'ready' })
  } catch (thrown) {
    post({ type: 'load_failed', message: messageOf(thrown) })
  }
}

async function transcribe(job: number, samples: Int16Array, sampleRateHz: number): Promise<void> {
  if (recognition === undefined) throw new Error('no recognition model is loaded')
  if (loudestDbfs(samples, sampleRateHz) < quietestSpeechDbfs) {
    post({ type: 'transcribed', job, text: '', looped: false })
    return
  }
  const wide = sampleRateHz === moonshineRateHz ? samples : resampleWhole(samples, sampleRateHz, moonshineRateHz)
  const transcript = await recognition.transcribe(toFloat(wide), () => cancelledJob === job)
  if (transcript === null) post({ type: 'cancelled', job })
  else post({ type: 'transcribed', job, text: transcript.text, looped: transcript.looped })
}

async function synthesize(job: number, ids: Int32Array, sampleRateHz: number): Promise<void> {
  if (voice === undefined) throw new Error('no voice is loaded')
  const spoken = toInt16(await voice.piper.synthesize(ids))
  const samples = sampleRateHz === voice.sampleRateHz ? spoken : resampleWhole(spoken, voice.sampleRateHz, sampleRateHz)
  post({ type: 'synthesized', job, samples }, [samples.buffer])
}

async function judge(job: number, samples: Int16Array, sampleRateHz: number): Promise<void> {
  if (turnEnd === undefined) throw new Error('no end-of-turn model is loaded')
  post({ type: 'judged', job, probability: await turnEnd.judge(samples, sampleRateHz) })
}

async function judgeOverlap(job: number, samples: Int16Array, sampleRateHz: number): Promise<void> {
  if (overlap === undefined) throw new Error('no overlap model is loaded')
  post({ type: 'overlap_judged', job, probabilities: await overlap.judge(samples, sampleRateHz) })
}

function loudestDbfs(samples: Int16Array, sampleRateHz: number): number {
  const block = (sampleRateHz * levelBlockMs) / 1000
  let loudest = Number.NEGATIVE_INFINITY
  for (let at = 0; at < samples.length; at += block) {
    loudest = Math.max(loudest, levelDbfs(samples.subarray(at, at + block)))
  }
  return loudest
}

function toFloat(samples: Int16Array): Float32Array {
  const floats = new Float32Array(samples.length)
  for (let index = 0; index < samples.length; index++) floats[index] = (samples[index] as number) / 32768
  return floats
}

/**
 * A piece that would clip is made softer as a whole instead, to 1 dB below full scale, which also leaves room for what
 * the resampler's filter adds; other pieces keep their loudness.
 */
function toInt16(floats: Float32Array): Int16Array {
  const peakMax = 0.89
  let peak = 0
  for (let index = 0; index < floats.length; index++) peak = Math.max(peak, Math.abs(floats[index] as number))
  const gain = 32767 * (peak > peakMax ? peakMax / peak : 1)
  const samples = new Int16Array(floats.length)
  for (let index = 0; index < floats.length; index++) samples[index] = Math.round((floats[index] as number) * gain)
  return samples
}

async function run(job: number, work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (thrown) {
    post({ type: 'job_failed', job, message: messageOf(thrown) })
  }
}

self.onmessage = (event) => {
  const message = event.data
  switch (message.type) {
    case 'load_recognition':
    case 'load_voice':
    case 'load_turn_end':
    case 'load_overlap':
      void load(message)
      return
    case 'transcribe':
      void run(message.job, transcribe(message.job, message.samples, message.sampleRateHz))
      return
    case 'synthesize':
      void run(message.job, synthesize(message.job, message.ids, message.sampleRateHz))
      return
    case 'judge':
      void run(message.job, judge(message.job, message.samples, message.sampleRateHz))
      return
    case 'judge_overlap':
      void run(message.job, judgeOverlap(message.job, message.samples, message.sampleRateHz))
      return
    case 'cancel':
      cancelledJob = message.job
      return
    case 'stop':
      // In this handler no run is under way.
      process.exit(0)
  }
}
// A message sent before `onmessage` stood would be lost: the main thread waits for this word.
post({ type: 'listening' })
