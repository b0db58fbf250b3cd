import type { AgentEvent, AgentInput, CallContext, Closed, Provider, SessionOf } from '#agent/provider.ts'
import { msToSamples } from '#audio/format.ts'

/**
 * The operator's echo test: the caller hears their own voice, later by `delayMs`. It takes no turns and needs no model,
 * so what it shows is the audio path alone: delay, gaps, level, codec. Samples come back bit for bit.
 *
 * The delay is silence put in front once: from then on the playout queue holds that much, which also absorbs the
 * jitter of both directions.
 */
export interface LoopbackOptions {
  readonly delayMs: number
}

export function createLoopback(name: string, options: LoopbackOptions): Provider<'agent'> {
  return {
    name,
    role: 'agent',
    turnDetection: 'none',
    readiness: () => ({ ready: true }),
    start: () => {},
    open: (context) => Promise.resolve(openLoopback(context, options.delayMs)),
    close: () => Promise.resolve(),
  }
}

function openLoopback(context: CallContext, delayMs: number): SessionOf<'agent'> {
  const { sampleRateHz } = context
  let listener: (event: AgentEvent) => void = () => {}
  let begun = false
  let closed = false
  const closedEvent: Closed = { type: 'closed' }
  return {
    onEvent(next) {
      listener = next
    },
    send(input: AgentInput) {
      if (closed) return 'closed'
      if (input.type !== 'audio') return 'sent'
      if (!begun) {
        begun = true
        const silence = new Int16Array(msToSamples(delayMs, sampleRateHz))
        listener({ type: 'audio', frame: { sampleRateHz, samples: silence } })
      }
      // The listener may have closed it just now.
      if (!closed) listener(input)
      return 'sent'
    },
    close() {
      if (!closed) {
        closed = true
        listener(closedEvent)
      }
      return Promise.resolve()
    },
  }
}
