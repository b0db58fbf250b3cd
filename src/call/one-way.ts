import type { Transport } from './leg.ts'

/**
 * One-way audio: told, with its probable cause and the cure, and not left to be guessed from a silent call. What is
 * looked at is what the engine sees for sure; the text names what that is most often.
 */
export const oneWayKinds = ['no_caller_audio', 'digital_silence', 'agent_not_sent'] as const
/** A metric label. */
export type OneWayKind = (typeof oneWayKinds)[number]

export interface InboundFacts {
  readonly frames: number
  /** The largest magnitude of any sample so far. */
  readonly peak: number
  /** Nothing had come, and Asterisk was made to send: silence is its answer, and no caller's. */
  readonly kicked: boolean
}

/**
 * A line that is connected but dead, as G.711 codes it: 0 is ±8 in A-law and 0 in µ-law. Any microphone, even one in a
 * quiet room, is louder.
 */
const deadLinePeak = 8

/** What is wrong with the caller's side, some time after the media was open; null where all is well. */
export function judgeInbound({ frames, peak, kicked }: InboundFacts): OneWayKind | null {
  if (frames === 0) return 'no_caller_audio'
  if (peak > deadLinePeak) return null
  return kicked ? 'no_caller_audio' : 'digital_silence'
}

export interface OneWayAdvice {
  readonly cause: string
  readonly cure: string
}

const reach: Readonly<Record<Transport, OneWayAdvice>> = {
  audiosocket: {
    cause: 'Asterisk has connected but sends nothing: the caller’s own media does not reach Asterisk (NAT or firewall)',
    cure: 'look at "rtp set debug on" in Asterisk; set external_media_address and local_net of the PJSIP transport, or rtp_symmetric and direct_media=no of the endpoint',
  },
  externalmedia: {
    cause: 'no RTP arrives from Asterisk: it is told an address that it cannot reach, or a firewall drops UDP',
    cure: 'set external_media.advertise_host to this machine as Asterisk sees it, and open UDP external_media.port_min to port_max',
  },
  websocket: {
    cause:
      'the WebSocket is open but carries no audio: the caller’s own media does not reach Asterisk (NAT or firewall)',
    cure: 'look at "rtp set debug on" in Asterisk; set external_media_address and local_net of the PJSIP transport, or rtp_symmetric and direct_media=no of the endpoint',
  },
}

export function oneWayAdvice(kind: OneWayKind, transport: Transport): OneWayAdvice {
  switch (kind) {
    case 'no_caller_audio':
      return reach[transport]
    case 'digital_silence':
      return {
        cause:
          'what comes from the caller is digital silence: a muted telephone, a codec that both sides do not share, or silence suppression',
        cure: 'try another telephone; compare "core show channel" (NativeFormats, ReadTranscode) with the trunk’s codec; switch off VAD or silence suppression there',
      }
    case 'agent_not_sent':
      return {
        cause: 'a reply is there and none of it leaves: the connection takes nothing',
        cure: 'see whether Asterisk is overloaded ("core show taskprocessors") and whether a firewall holds the connection; ai_agent_frames_total{what="refused"} counts the frames',
      }
  }
}
