import type { CallContext } from '#agent/provider.ts'
import type { Clock } from '#base/clock.ts'

export function callContext(clock: Clock, overrides: Partial<CallContext> = {}): CallContext {
  return {
    callId: 'call-1',
    sampleRateHz: 8000,
    language: 'en',
    prompt: 'Be brief.',
    greeting: 'Hello.',
    signal: new AbortController().signal,
    clock,
    ...overrides,
  }
}
