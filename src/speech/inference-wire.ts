import type { PiperVoice } from './piper.ts'

/** What the main thread and an inference worker say to each other. Audio is transferred, not copied. */
export type ToInferenceWorker =
  | { readonly type: 'load_recognition'; readonly folder: string; readonly threads: number }
  | { readonly type: 'load_voice'; readonly model: string; readonly voice: PiperVoice; readonly threads: number }
  | { readonly type: 'load_turn_end'; readonly model: string; readonly threads: number }
  | { readonly type: 'load_overlap'; readonly encoder: string; readonly threads: number }
  | { readonly type: 'transcribe'; readonly job: number; readonly samples: Int16Array; readonly sampleRateHz: number }
  | { readonly type: 'synthesize'; readonly job: number; readonly ids: Int32Array; readonly sampleRateHz: number }
  | { readonly type: 'judge'; readonly job: number; readonly samples: Int16Array; readonly sampleRateHz: number }
  | {
      readonly type: 'judge_overlap'
      readonly job: number
      readonly samples: Int16Array
      readonly sampleRateHz: number
    }
  /** The job's answer is not wanted any more: it comes all the same, early and empty. */
  | { readonly type: 'cancel'; readonly job: number }
  /** End yourself: see worker-exit.ts. */
  | { readonly type: 'stop' }

export type FromInferenceWorker =
  | { readonly type: 'listening' }
  | { readonly type: 'ready' }
  /** The model can't be loaded; the next worker would fail the same way. */
  | { readonly type: 'load_failed'; readonly message: string }
  | { readonly type: 'transcribed'; readonly job: number; readonly text: string; readonly looped: boolean }
  | { readonly type: 'synthesized'; readonly job: number; readonly samples: Int16Array }
  /** How likely it is, 0 to 1, that the speaker has finished. */
  | { readonly type: 'judged'; readonly job: number; readonly probability: number }
  /** How likely an overlap is an interruption, a backchannel, a noise; together 1. */
  | { readonly type: 'overlap_judged'; readonly job: number; readonly probabilities: Float32Array }
  | { readonly type: 'cancelled'; readonly job: number }
  | { readonly type: 'job_failed'; readonly job: number; readonly message: string }
