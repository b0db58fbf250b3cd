/** What the main thread and the detection worker say to each other. Audio and verdicts travel in shared memory. */
export type ToDetectionWorker =
  | { readonly capacity: number; readonly buffer: SharedArrayBuffer }
  | 'wake'
  /** End yourself: see worker-exit.ts. */
  | 'stop'

export type FromDetectionWorker =
  /** `onmessage` stands: send the memory. */
  | 'listening'
  /** The model is loaded. */
  | 'ready'
  /** Some windows have their verdict. */
  | 'judged'
  /** ONNX Runtime or the model can't be loaded on this machine: no restart will help. */
  | { readonly failed: string }
