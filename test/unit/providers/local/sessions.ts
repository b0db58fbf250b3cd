import type { CallContext } from '#agent/provider.ts'
import { SystemClock } from '#base/clock.ts'

/** What a session of a test's call learns. */
export function contextOf(signal: AbortSignal = new AbortController().signal): CallContext {
  return {
    callId: 'c1',
    sampleRateHz: 8000,
    language: 'en',
    prompt: '',
    greeting: '',
    signal,
    clock: new SystemClock(),
  }
}

/** Lets everything that is due by now run. */
export async function settle(): Promise<void> {
  await Bun.sleep(0)
  await Bun.sleep(0)
}
