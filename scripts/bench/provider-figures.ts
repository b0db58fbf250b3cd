import { type MediaFigures, mediaLines, rounded } from './media-figures.ts'
import type { Delay, ProviderDelays } from './provider-delays.ts'
import type { ProviderFormat, SessionSeen, StandinSeen } from './provider-wire.ts'

/** The figures of one run of `just bench provider`: those of `just bench media`, and what the provider's side adds. */
export interface ProviderFigures extends MediaFigures {
  readonly provider: string
  readonly format: ProviderFormat
  /** How many times faster than real time the server delivers its replies. */
  readonly pace: number
  /** At the engine's CPU time for one call: how many a core has time for. */
  readonly calls_per_core: number
  /** Messages on the provider's socket, both ways together, in one second of one call. */
  readonly bytes_per_call: number
  readonly bytes_sent_per_call: number
  readonly bytes_received_per_call: number
  readonly append_delay_ms: Delay
  readonly first_audio_delay_ms: Delay
  readonly interruption_delay_ms: Delay
}

export function providerFigures(
  what: { readonly provider: string; readonly format: ProviderFormat; readonly pace: number },
  media: MediaFigures,
  wallMs: number,
  seen: StandinSeen,
  delays: ProviderDelays,
): ProviderFigures {
  const perCall = (bytes: number) => Math.round((bytes * 1000) / wallMs / media.calls)
  return {
    ...what,
    ...media,
    calls_per_core: Math.round(1000 / media.engine_cpu_ms_per_call_second),
    bytes_per_call: perCall(seen.bytesSent + seen.bytesReceived),
    bytes_sent_per_call: perCall(seen.bytesSent),
    bytes_received_per_call: perCall(seen.bytesReceived),
    append_delay_ms: delays.append,
    first_audio_delay_ms: delays.firstAudio,
    interruption_delay_ms: delays.interruption,
  }
}

export function providerLines(figures: ProviderFigures, delays: ProviderDelays): string[] {
  const { bytes_per_call: all, bytes_sent_per_call: sent, bytes_received_per_call: received } = figures
  const kib = (bytes: number) => rounded(bytes / 1024, 1)
  const ms = ({ p50, p95 }: Delay) => (p50 === null ? 'none was measured' : `p50 ${p50}, p95 ${p95} ms`)
  const { appends, replies, interruptions, repliesOverlaid } = delays
  const overlaid = repliesOverlaid === 0 ? '' : `; ${repliesOverlaid} more began while another one sounded`
  return [
    ...mediaLines(figures),
    `calls a core: ${figures.calls_per_core}; on the provider’s socket ${kib(all)} KiB per call-second, ${kib(sent)} sent and ${kib(received)} received`,
    `an append’s last frame leaves the caller → it is at the server (${appends}): ${ms(delays.append)}`,
    `a reply’s first delta leaves the server → its first frame is at the caller (${replies}): ${ms(delays.firstAudio)}${overlaid}`,
    `the server hears speech over a reply → the reply’s last frame has sounded at the caller (${interruptions}): ${ms(delays.interruption)}`,
  ]
}

/** Why the run has failed, beside what `just bench media` would say. */
export function whatIsWrong(calls: number, sessions: readonly SessionSeen[], delays: ProviderDelays): string[] {
  const errors = sessions.flatMap((session) => session.errors)
  const codes = [...new Set(errors)].map((code) => `${errors.filter((each) => each === code).length} × ${code}`)
  const missing = calls - sessions.length
  return [
    ...(missing > 0 ? [`${missing} calls had no session`] : []),
    ...(missing < 0 ? [`${-missing} sessions were made anew`] : []),
    ...(codes.length > 0 ? [`the server has refused what it was sent: ${codes.join(', ')}`] : []),
    ...(delays.repliesUnheard > 0 ? [`${delays.repliesUnheard} replies were never heard`] : []),
  ]
}
