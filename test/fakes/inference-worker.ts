import type { InferenceWorker } from '#speech/inference-lane.ts'
import type { FromInferenceWorker, ToInferenceWorker } from '#speech/inference-wire.ts'
import type { ModelEntry } from '#speech/model-registry.ts'

/** A worker that says what the test lets it say. */
export class FakeInferenceWorker implements InferenceWorker {
  onmessage: ((event: MessageEvent<FromInferenceWorker>) => void) | null = null
  onerror: ((event: ErrorEvent) => void) | null = null
  readonly sent: ToInferenceWorker[] = []
  /** Inside a run: it can't hear. */
  hangs = false
  private readonly onClose: (() => void)[] = []

  postMessage(message: ToInferenceWorker): void {
    this.sent.push(message)
    if (message.type === 'stop' && !this.hangs) this.die()
  }

  die(): void {
    for (const listener of this.onClose.splice(0)) listener()
  }

  say(message: FromInferenceWorker): void {
    this.onmessage?.(new MessageEvent('message', { data: message }))
  }

  /** What it was given of one type, in order. */
  asked<Type extends ToInferenceWorker['type']>(type: Type): Extract<ToInferenceWorker, { readonly type: Type }>[] {
    return this.sent.filter((message) => message.type === type) as Extract<ToInferenceWorker, { readonly type: Type }>[]
  }

  addEventListener(_type: 'close', listener: () => void): void {
    this.onClose.push(listener)
  }
}

/** An embedded model is always there. */
export function embeddedModel(id: string, role: ModelEntry['role']): ModelEntry {
  return { id, kind: 'embedded', role, title: '', licence: '', notes: '', files: [] }
}

export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000 && !condition(); tries++) await new Promise(setImmediate)
  if (!condition()) throw new Error('waited in vain')
}
