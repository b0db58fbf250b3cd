import type { WireFormat } from '#audio/format.ts'
import type { Transport } from '#call/leg.ts'

/**
 * Which way audio best takes to a given Asterisk, and in which formats: tables of releases, each row with its source. A
 * door that Asterisk has is not yet a door that works: each had defects that ended calls, and some that ended Asterisk.
 */

/** A release as far as it matters here. `release` is Infinity for a branch built from git: newer than all its releases. */
export interface AsteriskVersion {
  readonly branch: number
  readonly release: number
}

/**
 * `20.19.0`, `22.10.1~dfsg+~cs6.16`, `certified-22.8-cert3`, `certified/20.7-cert2`, `GIT-22-1a2b3c`, `GIT-master-…`. A
 * certified release has what the release it is named after has. Null: nothing that can be read.
 */
export function parseAsteriskVersion(text: string): AsteriskVersion | null {
  const git = /^GIT-(master|\d+)/i.exec(text)
  if (git?.[1] !== undefined) {
    const branch = git[1].toLowerCase() === 'master' ? Number.POSITIVE_INFINITY : Number(git[1])
    return { branch, release: Number.POSITIVE_INFINITY }
  }
  const numbers = /^(?:certified[-/])?(\d{1,3})\.(\d{1,3})(?!\d)/i.exec(text.trim())
  return numbers === null ? null : { branch: Number(numbers[1]), release: Number(numbers[2]) }
}

/** The first release of each branch that has something; later branches have it from their start, others never. */
interface Since {
  /** Branch and release, oldest branch first. */
  readonly releases: readonly (readonly [branch: number, release: number])[]
  readonly source: string
}

function has({ releases }: Since, version: AsteriskVersion): boolean {
  const [newest] = releases.at(-1) ?? [Number.POSITIVE_INFINITY]
  if (version.branch > newest) return true
  const first = releases.find(([branch]) => branch === version.branch)
  return first !== undefined && version.release >= first[1]
}

export const features = {
  /** UnicastRTP by ARI's externalMedia. */
  rtp: {
    releases: [
      [16, 6],
      [17, 0],
      [18, 0],
      [19, 0],
      [20, 0],
    ],
    source: 'asterisk/asterisk release tags: channels/chan_rtp.c and externalMedia of res/ari/resource_channels.c',
  },
  /** Before, `slin` at 8 kHz was sent as µ-law. */
  rtpSlin8: {
    releases: [
      [18, 21],
      [20, 6],
      [21, 1],
    ],
    source: 'asterisk#394, ChangeLog-20.6.0 "resource_channels.c: Explicit codec request when creating UnicastRTP"',
  },
  audioSocket: {
    releases: [
      [18, 0],
      [19, 0],
      [20, 0],
    ],
    source:
      'asterisk/asterisk release tags: apps/app_audiosocket.c, channels/chan_audiosocket.c, externalMedia of res/ari/resource_channels.c',
  },
  /** Digits, an end that Asterisk sees; and no more a read that finds nothing and ends the call. All rates come with it. */
  audioSocketWhole: {
    releases: [
      [20, 17],
      [22, 7],
      [23, 1],
    ],
    source:
      'asterisk/asterisk release tags: the header wait of res/res_audiosocket.c; 21.x never got it (asterisk#1522)',
  },
  /** Before, everything was sent as 8 kHz, whatever it was. */
  audioSocketWideband: {
    releases: [
      [20, 17],
      [21, 12],
      [22, 7],
      [23, 1],
    ],
    source: 'asterisk PR#1492 "res_audiosocket: add message types for all slin sample rates"',
  },
  webSocket: {
    releases: [
      [20, 16],
      [21, 11],
      [22, 6],
      [23, 0],
    ],
    source: 'asterisk PR#1267 "Media over Websocket Channel Driver"; release tags of channels/chan_websocket.c',
  },
  /** MEDIA_START says whose connection it is. Before, one that Asterisk opens cannot be told from another. */
  webSocketChannelId: {
    releases: [
      [20, 17],
      [22, 7],
      [23, 1],
    ],
    source: 'asterisk/asterisk release tags: channel_id in the events of channels/chan_websocket.c; 21.x never got it',
  },
  /** Before, a digit, comfort noise, a ping or an early hang-up ended the call, or Asterisk. 21.x never got the cures. */
  webSocketWhole: {
    releases: [
      [20, 18],
      [22, 8],
      [23, 2],
    ],
    source: 'asterisk#1563 #1587 #1604 #1643 and PR#1722, closed in ChangeLog-20.18.0, -22.8.0 and -23.2.0',
  },
} as const satisfies Readonly<Record<string, Since>>

export type Feature = keyof typeof features

/** What `GET /ari/asterisk/modules` must list as running, for the engine's use of each transport. */
export const modulesOf: Readonly<Record<Transport, readonly string[]>> = {
  // The channel driver is what externalMedia makes; app_audiosocket is for the dialplan alone.
  audiosocket: ['chan_audiosocket.so', 'res_audiosocket.so'],
  // Without the RTP engine chan_rtp loads, and makes no channel.
  externalmedia: ['chan_rtp.so', 'res_rtp_asterisk.so'],
  websocket: ['chan_websocket.so', 'res_http_websocket.so', 'res_websocket_client.so'],
}

interface ChoiceRow {
  readonly transport: Transport
  /** The Asterisk must have it; null: for one whose version cannot be read. */
  readonly needs: Feature | null
  readonly why: string
  /** Where the feature does not give it. */
  readonly source?: string
}

/** The first row that fits is taken: its feature is there, and its modules are loaded. */
export const choices: readonly ChoiceRow[] = [
  {
    transport: 'audiosocket',
    needs: 'audioSocketWhole',
    why: 'AudioSocket is whole in this Asterisk: wideband, digits and a clean end over one TCP connection, without delay of its own',
  },
  {
    transport: 'websocket',
    needs: 'webSocketWhole',
    why: 'chan_websocket is whole in this Asterisk, and AudioSocket is not loaded',
  },
  {
    transport: 'externalmedia',
    needs: 'rtp',
    why: 'AudioSocket in this Asterisk may end a call when a read finds nothing, or never sees one end; RTP works in all releases',
  },
  {
    transport: 'audiosocket',
    needs: 'audioSocket',
    why: 'chan_rtp is not loaded; AudioSocket works at 8 kHz in this Asterisk, digits may be missing',
  },
  {
    transport: 'websocket',
    needs: 'webSocket',
    why: 'only chan_websocket is loaded, and this release of it may end calls at a digit or at comfort noise: update Asterisk',
  },
  {
    transport: 'audiosocket',
    needs: null,
    why: "this Asterisk's version says nothing: AudioSocket is in every release since 18",
    source: features.audioSocket.source,
  },
  {
    transport: 'externalmedia',
    needs: null,
    why: "this Asterisk's version says nothing, and AudioSocket is not loaded",
    source: features.rtp.source,
  },
  {
    transport: 'websocket',
    needs: null,
    why: "this Asterisk's version says nothing, and chan_websocket alone is loaded",
    source: features.webSocket.source,
  },
]

export interface AsteriskFacts {
  /** As `GET /ari/asterisk/info` gives it. */
  readonly version: string
  /** Names of the modules that run; null: not known, all are taken to be there. */
  readonly modules: readonly string[] | null
}

export interface TransportChoice {
  readonly transport: Transport
  readonly why: string
  /** Modules that have to be loaded first; empty when the transport can be used as it is. */
  readonly missing: readonly string[]
}

export function chooseTransport({ version, modules }: AsteriskFacts): TransportChoice {
  const parsed = parseAsteriskVersion(version)
  const missing = (transport: Transport) => modulesOf[transport].filter((name) => modules?.includes(name) === false)
  for (const { transport, needs, why } of choices) {
    const fits = needs === null ? parsed === null : parsed !== null && has(features[needs], parsed)
    if (fits && missing(transport).length === 0) return { transport, why, missing: [] }
  }
  if (parsed !== null && !has(features.rtp, parsed)) {
    const why = `Asterisk ${version} is older than every way of carrying audio to the engine: update it to 18 or later`
    return { transport: 'audiosocket', why, missing: missing('audiosocket') }
  }
  const why = `no way for audio is loaded in this Asterisk: load ${modulesOf.audiosocket.join(' and ')}, or the modules of another transport`
  return { transport: 'audiosocket', why, missing: missing('audiosocket') }
}

interface FormatRow {
  readonly transport: Transport
  readonly formats: readonly WireFormat[]
  readonly needs: Feature
}

/** What each transport can carry, given its feature. */
export const formatRows: readonly FormatRow[] = [
  { transport: 'audiosocket', formats: ['slin'], needs: 'audioSocket' },
  { transport: 'audiosocket', formats: ['slin16', 'slin24', 'slin48'], needs: 'audioSocketWideband' },
  // UnicastRTP has no SDP, and takes payload types up to 34 only: slin16 and above it sends, and drops what it is sent.
  { transport: 'externalmedia', formats: ['ulaw', 'alaw'], needs: 'rtp' },
  { transport: 'externalmedia', formats: ['slin'], needs: 'rtpSlin8' },
  { transport: 'websocket', formats: ['slin', 'slin16', 'slin24', 'slin48', 'ulaw', 'alaw'], needs: 'webSocket' },
]

/** What every Asterisk with the transport can carry. */
export const safeFormats: Readonly<Record<Transport, WireFormat>> = {
  audiosocket: 'slin',
  externalmedia: 'ulaw',
  websocket: 'slin',
}

/**
 * The formats that a transport may use with this Asterisk; none where it does not have the transport. Null: a version
 * that cannot be read says nothing about it.
 */
export function formatsOf(transport: Transport, version: string): readonly WireFormat[] | null {
  const parsed = parseAsteriskVersion(version)
  if (parsed === null) return null
  return formatRows.flatMap((row) =>
    row.transport === transport && has(features[row.needs], parsed) ? row.formats : [],
  )
}

/** Can a media WebSocket that this Asterisk opens be told from another? An unreadable version has the doubt's benefit. */
export function webSocketSaysWhose(version: string): boolean {
  const parsed = parseAsteriskVersion(version)
  return parsed === null || has(features.webSocketChannelId, parsed)
}
