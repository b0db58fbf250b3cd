import { choice, flag, milliseconds, port, section, shapedText, text, textList, wholeNumber } from './fields.ts'
import { hostShape, isAllowedPeer, isHost, isHostOrEmpty, peerShape } from './hosts.ts'

/** The sections about audio: the three doors, how replies are played, and the file path. */

const allow = (meaning: string) => textList(['loopback', 'asterisk'], isAllowedPeer, peerShape, meaning)

const silentPeer = (what: string) =>
  milliseconds(60_000, { min: 1000, max: 600_000 }, `${what} on which nothing has come for so long counts as lost.`)

export const audiosocket = section(
  {
    host: shapedText(
      '127.0.0.1',
      isHost,
      hostShape,
      'The address the AudioSocket server listens on; 0.0.0.0 means all.',
      { restart: true },
    ),
    port: port(8090, 'The port the AudioSocket server listens on.', { restart: true }),
    advertise_host: shapedText('', isHostOrEmpty, hostShape, 'The address that Asterisk is told to connect to.', {
      restart: true,
      emptyMeans: 'audiosocket.host, or 127.0.0.1 where that listens on all addresses',
    }),
    format: choice(
      ['slin', 'slin16', 'slin24', 'slin48'],
      'slin',
      'Audio on the wire: slin is 8 kHz; slin16, slin24 and slin48 need Asterisk 20.17, 22.7, 23.1 or later.',
      { restart: true },
    ),
    accept_unannounced: flag(
      true,
      'Also take calls that a dialplan sends by AudioSocket(uuid,host:port), without ARI.',
    ),
    allow: allow(
      'Who may connect: loopback (this machine), asterisk (the addresses of asterisk.host), IP addresses, networks.',
    ),
    uuid_timeout_ms: milliseconds(
      5000,
      { min: 100, max: 60_000 },
      'A connection that has not sent its UUID after so long is closed.',
    ),
    silent_peer_timeout_ms: silentPeer('A connection'),
    max_connections: wholeNumber(
      100,
      { min: 1, max: 10_000, unit: 'connections' },
      'More connections than this at once are refused.',
    ),
  },
  'AudioSocket: the server that Asterisk brings the audio of calls to.',
)

export const externalMedia = section(
  {
    host: shapedText('127.0.0.1', isHost, hostShape, 'The address that RTP is received on; 0.0.0.0 means all.', {
      restart: true,
    }),
    advertise_host: shapedText('', isHostOrEmpty, hostShape, 'The address that Asterisk is told to send RTP to.', {
      emptyMeans: 'external_media.host, or 127.0.0.1 where that receives on all addresses',
    }),
    ports: choice(
      ['per_call', 'shared'],
      'per_call',
      'per_call binds a port of the range for each call; shared carries all calls on port_min alone, and not through a NAT that changes ports.',
      { restart: true },
    ),
    port_min: port(18_080, 'The first UDP port.', { restart: true }),
    port_max: port(18_179, 'The last UDP port.', { restart: true }),
    format: choice(
      ['ulaw', 'alaw', 'slin'],
      'ulaw',
      'Audio on the wire, 8 kHz: Asterisk takes nothing wider back over RTP.',
      { restart: true },
    ),
    allow: allow(
      'From whom RTP is taken: loopback, asterisk (the addresses of asterisk.host), IP addresses, networks.',
    ),
    lock_remote: flag(true, 'Once a call has its sender, packets of others are dropped.'),
    jitter_buffer_max_ms: milliseconds(
      200,
      { min: 0, max: 1000 },
      'How far the jitter buffer may grow by itself; on a good network it holds next to nothing.',
    ),
    silent_peer_timeout_ms: silentPeer('A call'),
  },
  'External media: RTP between Asterisk and the engine.',
)

export const mediaWebSocket = section(
  {
    direction: choice(
      ['connect', 'listen'],
      'connect',
      'connect: the engine connects to Asterisk; listen: Asterisk connects to the engine, by a section of websocket_client.conf.',
      { restart: true },
    ),
    format: choice(
      ['slin', 'slin16', 'slin24', 'slin48', 'ulaw', 'alaw'],
      'slin',
      'Audio on the wire: slin, ulaw and alaw are 8 kHz, slin16 is 16 kHz.',
      { restart: true },
    ),
    client: text('patchcord', 'With listen: the section of websocket_client.conf.', { restart: true }),
    host: shapedText('127.0.0.1', isHost, hostShape, 'With listen: the address to listen on; 0.0.0.0 means all.', {
      restart: true,
    }),
    port: port(8091, 'With listen: the port to listen on.', { restart: true }),
    username: text('patchcord', 'With listen: the user name that the section gives, where a password is set.', {
      restart: true,
    }),
    password: text(
      '',
      'With listen: the password that the section gives. Only from the environment: the variable MEDIA_WEBSOCKET_PASSWORD, or a file that MEDIA_WEBSOCKET_PASSWORD_FILE names.',
      { env: 'MEDIA_WEBSOCKET_PASSWORD', secret: true, restart: true, emptyMeans: 'the address alone decides' },
    ),
    allow: allow('With listen: who may connect.'),
    start_timeout_ms: milliseconds(
      3000,
      { min: 500, max: 60_000 },
      'A connection that has brought neither its first message nor audio after so long is closed; connecting is part of it.',
    ),
    max_connections: wholeNumber(
      100,
      { min: 1, max: 10_000, unit: 'connections' },
      'More connections than this at once are refused.',
    ),
    // An answer that is owed for longer ends the leg whatever this says (`media-websocket-status.ts`).
    silent_peer_timeout_ms: milliseconds(
      5000,
      { min: 1000, max: 5000 },
      'A connection on which nothing has come for so long counts as lost. Asterisk is asked once a second and its answer counts: a caller on hold is not silent.',
    ),
  },
  'Media WebSocket (chan_websocket).',
)

export const streaming = section(
  {
    min_start_ms: milliseconds(
      60,
      { min: 0, max: 1000 },
      'Audio gathered before a reply starts to play: more is safer, less is quicker.',
    ),
    greeting_min_start_ms: milliseconds(40, { min: 0, max: 1000 }, 'The same for the greeting.'),
    low_watermark_ms: milliseconds(
      60,
      { min: 0, max: 2000 },
      'With less than this queued, the next underrun is expected and counted as such; after an underrun, the depth to reach before the reply goes on.',
    ),
    jitter_buffer_ms: milliseconds(
      400,
      { min: 0, max: 4000 },
      'How far the warm-up may grow by itself after underruns of this provider; min_start_ms where replies come evenly.',
    ),
    provider_grace_ms: milliseconds(
      300,
      { min: 0, max: 4000 },
      'For so long after the last audio of a reply, late audio still belongs to it and plays without another warm-up.',
    ),
    fallback_timeout_ms: milliseconds(
      2000,
      { min: 100, max: 4500 },
      'Without audio for so long after a reply was announced, or in the middle of it, the rest of the reply is gathered and played from a file.',
    ),
  },
  "How the agent's audio is played to the caller. None of these limits how much of a reply may be queued.",
)

export const filePlayback = section(
  {
    folder: text('', 'A folder that Asterisk can read, as the engine sees it.', {
      emptyMeans: 'Asterisk fetches the audio by HTTP',
    }),
    asterisk_folder: text('', 'The same folder as Asterisk sees it.', { emptyMeans: 'as the engine sees it' }),
    advertise_url: shapedText(
      '',
      (value) => value === '' || /^https?:\/\/[^\s/?#@]+$/.test(value),
      'an http or https URL without path, such as http://10.0.0.5:15000',
      'Where Asterisk reaches the endpoints of the engine, to fetch audio from.',
      { emptyMeans: 'http, the address that Asterisk is told for audio, and health.port' },
    ),
  },
  'The file path: how Asterisk gets at replies that it plays from a file.',
  { restart: true },
)
