import type { CrossCheck } from './cross-checks.ts'
import { advertised, isLoopback, isWildcard } from './hosts.ts'
import type { Configuration } from './schema.ts'

/** Values about audio that are fine alone and impossible together. */

/** Where Asterisk fetches files from; null where it cannot reach the endpoints of the engine. */
export function playbackUrl(configuration: Configuration): string | null {
  const { file_playback, health, asterisk, audiosocket } = configuration
  if (file_playback.advertise_url !== '') return file_playback.advertise_url
  if (isLoopback(health.host) && !isLoopback(asterisk.host)) return null
  const host = isWildcard(health.host) ? advertised(audiosocket) : health.host
  if (isLoopback(host) && !isLoopback(asterisk.host)) return null
  return `http://${host.includes(':') ? `[${host}]` : host}:${health.port}`
}

interface Server {
  readonly host: string
  readonly port: number
}

/** Two servers on one port clash where their addresses overlap. Port 0 is any free one. */
function sameDoor(one: Server, other: Server): boolean {
  if (one.port !== other.port || one.port === 0) return false
  const hosts = [one.host, other.host]
  const loopbacks = hosts.every((host) => isLoopback(host) && host !== '::1')
  return one.host === other.host || loopbacks || hosts.some(isWildcard)
}

const listens = ({ media_websocket }: Configuration) => media_websocket.direction === 'listen'

function clash(one: 'audiosocket' | 'media_websocket', other: 'audiosocket' | 'health'): CrossCheck {
  return {
    keys: [`${one}.port`, `${other}.port`, `${one}.host`, `${other}.host`],
    severity: 'error',
    broken: (configuration) =>
      (one !== 'media_websocket' || listens(configuration)) && sameDoor(configuration[one], configuration[other]),
    message: (configuration) =>
      `${one}.port and ${other}.port are both ${configuration[one].port}, and two servers cannot share a port`,
    advice: 'Change one of them; the defaults are 8090 (audiosocket), 8091 (media_websocket) and 15000 (health).',
  }
}

type Chosen = Configuration['audio_transport']

/** `auto` takes the door that suits the Asterisk it finds: what a door lacks that it may take is said, and no mistake yet. */
function lacking(audioTransport: Chosen): { readonly severity: CrossCheck['severity']; readonly when: string } {
  if (audioTransport !== 'auto') return { severity: 'error', when: '' }
  return { severity: 'warning', when: ' where audio_transport: auto takes this door' }
}

function fewWebSockets(audioTransport: Chosen): CrossCheck {
  const { severity, when } = lacking(audioTransport)
  return {
    keys: ['media_websocket.max_connections', 'limits.calls', 'audio_transport'],
    severity,
    broken: ({ audio_transport, media_websocket, limits }) =>
      audio_transport === audioTransport && media_websocket.max_connections < limits.calls,
    message: ({ media_websocket, limits }) =>
      `media_websocket.max_connections (${media_websocket.max_connections}) must be at least limits.calls (${limits.calls})${when}: each call has a connection`,
    advice: 'Raise media_websocket.max_connections or lower limits.calls.',
  }
}

function fewRtpPorts(audioTransport: Chosen): CrossCheck {
  const { severity, when } = lacking(audioTransport)
  return {
    keys: [
      'external_media.port_max',
      'external_media.port_min',
      'external_media.ports',
      'limits.calls',
      'audio_transport',
    ],
    severity,
    broken: ({ audio_transport, external_media: { ports, port_min, port_max }, limits }) =>
      audio_transport === audioTransport &&
      ports === 'per_call' &&
      port_min > 0 &&
      port_max - port_min + 1 < limits.calls,
    message: ({ external_media: { port_min, port_max }, limits }) =>
      `external_media.port_min to port_max (${port_min} to ${port_max}) are ${Math.max(0, port_max - port_min + 1)} ports, fewer than limits.calls (${limits.calls}): each call has one${when}`,
    advice: 'Widen the range, lower limits.calls, or set external_media.ports to shared.',
  }
}

export const mediaChecks: readonly CrossCheck[] = [
  clash('audiosocket', 'health'),
  clash('media_websocket', 'health'),
  clash('media_websocket', 'audiosocket'),
  {
    keys: ['audiosocket.max_connections', 'limits.calls'],
    severity: 'error',
    broken: ({ audiosocket, limits }) => audiosocket.max_connections < limits.calls,
    message: ({ audiosocket, limits }) =>
      `audiosocket.max_connections (${audiosocket.max_connections}) must be at least limits.calls (${limits.calls}): each call has a connection`,
    advice: 'Raise audiosocket.max_connections or lower limits.calls.',
  },
  fewWebSockets('websocket'),
  fewWebSockets('auto'),
  {
    keys: ['audiosocket.advertise_host'],
    severity: 'error',
    broken: ({ audiosocket }) => isWildcard(audiosocket.advertise_host),
    message: ({ audiosocket }) => `${audiosocket.advertise_host} is no address that Asterisk could connect to`,
    advice: 'Give the address of this machine as Asterisk sees it.',
  },
  {
    keys: ['external_media.advertise_host'],
    severity: 'error',
    broken: ({ external_media }) => isWildcard(external_media.advertise_host),
    message: ({ external_media }) => `${external_media.advertise_host} is no address that Asterisk could send RTP to`,
    advice: 'Give the address of this machine as Asterisk sees it.',
  },
  {
    keys: ['audiosocket.advertise_host', 'audiosocket.host', 'asterisk.host'],
    severity: 'warning',
    broken: (configuration) =>
      ['auto', 'audiosocket'].includes(configuration.audio_transport) &&
      isLoopback(advertised(configuration.audiosocket)) &&
      !isLoopback(configuration.asterisk.host),
    message: ({ audiosocket, asterisk }) =>
      `Asterisk is told to bring audio to ${advertised(audiosocket)}, but asterisk.host (${asterisk.host}) seems to be another machine`,
    advice:
      'Set audiosocket.host to 0.0.0.0 and audiosocket.advertise_host to the address of this machine as Asterisk sees it.',
  },
  {
    keys: ['media_websocket.host', 'media_websocket.direction', 'asterisk.host'],
    severity: 'warning',
    broken: (configuration) =>
      listens(configuration) &&
      isLoopback(configuration.media_websocket.host) &&
      !isLoopback(configuration.asterisk.host),
    message: ({ media_websocket, asterisk }) =>
      `Asterisk is to connect to media_websocket.host (${media_websocket.host}), but asterisk.host (${asterisk.host}) seems to be another machine`,
    advice:
      'Set media_websocket.host to 0.0.0.0, and the uri in websocket_client.conf to this machine as Asterisk sees it.',
  },
  {
    keys: ['external_media.advertise_host', 'external_media.host', 'asterisk.host', 'audio_transport'],
    severity: 'warning',
    broken: (configuration) =>
      configuration.audio_transport === 'externalmedia' &&
      isLoopback(advertised(configuration.external_media)) &&
      !isLoopback(configuration.asterisk.host),
    message: ({ external_media, asterisk }) =>
      `Asterisk is told to send RTP to ${advertised(external_media)}, but asterisk.host (${asterisk.host}) seems to be another machine`,
    advice:
      'Set external_media.host to 0.0.0.0 and external_media.advertise_host to the address of this machine as Asterisk sees it.',
  },
  fewRtpPorts('externalmedia'),
  fewRtpPorts('auto'),
  {
    keys: ['streaming.jitter_buffer_ms', 'streaming.min_start_ms', 'streaming.greeting_min_start_ms'],
    severity: 'error',
    broken: ({ streaming }) =>
      streaming.jitter_buffer_ms < Math.max(streaming.min_start_ms, streaming.greeting_min_start_ms),
    message: ({ streaming }) =>
      `streaming.jitter_buffer_ms (${streaming.jitter_buffer_ms}) must be at least streaming.min_start_ms (${streaming.min_start_ms}) and streaming.greeting_min_start_ms (${streaming.greeting_min_start_ms}): the warm-up grows from those up to it`,
    advice: 'Raise streaming.jitter_buffer_ms, or lower the other.',
  },
  {
    keys: ['streaming.low_watermark_ms', 'streaming.jitter_buffer_ms'],
    severity: 'error',
    broken: ({ streaming }) => streaming.low_watermark_ms > streaming.jitter_buffer_ms,
    message: ({ streaming }) =>
      `streaming.low_watermark_ms (${streaming.low_watermark_ms}) must not be above streaming.jitter_buffer_ms (${streaming.jitter_buffer_ms}): no warm-up would reach it, and every reply would count as about to run dry`,
    advice: 'Lower streaming.low_watermark_ms or raise streaming.jitter_buffer_ms.',
  },
  {
    keys: ['streaming.fallback_timeout_ms', 'streaming.jitter_buffer_ms'],
    severity: 'error',
    broken: ({ streaming }) => streaming.fallback_timeout_ms <= streaming.jitter_buffer_ms,
    message: ({ streaming }) =>
      `streaming.fallback_timeout_ms (${streaming.fallback_timeout_ms}) must be greater than streaming.jitter_buffer_ms (${streaming.jitter_buffer_ms}): audio that comes in real time takes that long to fill the warm-up, and would be given up before it sounds`,
    advice: 'Raise streaming.fallback_timeout_ms or lower streaming.jitter_buffer_ms.',
  },
  {
    keys: ['streaming.provider_grace_ms', 'streaming.fallback_timeout_ms'],
    severity: 'error',
    broken: ({ streaming }) => streaming.provider_grace_ms >= streaming.fallback_timeout_ms,
    message: ({ streaming }) =>
      `streaming.provider_grace_ms (${streaming.provider_grace_ms}) must be below streaming.fallback_timeout_ms (${streaming.fallback_timeout_ms}): late audio cannot be waited for longer than a reply that has not ended`,
    advice: 'Lower streaming.provider_grace_ms or raise streaming.fallback_timeout_ms.',
  },
  {
    keys: ['file_playback.advertise_url', 'file_playback.folder', 'downstream_mode', 'health.host', 'asterisk.host'],
    severity: 'error',
    broken: (configuration) =>
      configuration.downstream_mode === 'file' &&
      configuration.file_playback.folder === '' &&
      playbackUrl(configuration) === null,
    message: ({ health, asterisk }) =>
      `downstream_mode is file, but Asterisk on ${asterisk.host} cannot fetch audio from health.host (${health.host}), and there is no file_playback.folder`,
    advice:
      'Set file_playback.folder to a folder that both can see, or health.host to an address that Asterisk reaches and file_playback.advertise_url to it.',
  },
]
