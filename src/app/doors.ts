import { AudioSocketDoor } from '#asterisk/audiosocket-door.ts'
import { AudioSocketServer } from '#asterisk/audiosocket-server.ts'
import type { AcceptLeg } from '#asterisk/door.ts'
import { Doors } from '#asterisk/doors.ts'
import { MediaWebSocketDoor } from '#asterisk/media-websocket-door.ts'
import { FolderFiles, HttpFiles, type PlaybackFiles } from '#asterisk/playback-files.ts'
import { RtpDoor } from '#asterisk/rtp-door.ts'
import { wireRatesHz } from '#audio/format.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { Pacer } from '#call/pacer.ts'
import { advertised } from '#config/hosts.ts'
import { playbackUrl } from '#config/media-checks.ts'
import type { Configuration } from '#config/schema.ts'
import type { Generation } from './generation.ts'

/** The three doors for audio, and the way to files, out of the configuration. */
export interface DoorDeps {
  /** What is in force: what a door looks at for each connection is asked anew for each. */
  readonly current: () => Pick<Generation, 'configuration' | 'allow'>
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
  readonly pacer: Pacer
  readonly accept: AcceptLeg
}

export interface MediaDoors {
  readonly doors: Doors
  readonly audioSocket: AudioSocketServer
  readonly rtp: RtpDoor
  readonly webSocket: MediaWebSocketDoor
}

/** The servers among them listen when this returns. Throws when a port is taken; the message names it. */
export function createDoors(deps: DoorDeps): MediaDoors {
  const { current, clock, log, random, pacer, accept } = deps
  const { configuration } = current()
  const live = {
    get audiosocket() {
      return current().configuration.audiosocket
    },
    get externalMedia() {
      return current().configuration.external_media
    },
    get mediaWebSocket() {
      return current().configuration.media_websocket
    },
  }
  const { audiosocket, external_media: externalMedia, media_websocket: mediaWebSocket, asterisk } = configuration
  // Which format it is depends on the Asterisk that is found, and the server is there before any.
  const audioSocketRateHz = () => wireRatesHz[doors.formatOf('audiosocket')]
  const audioSocket = new AudioSocketServer({
    host: audiosocket.host,
    port: audiosocket.port,
    get sampleRateHz() {
      return audioSocketRateHz()
    },
    get uuidTimeoutMs() {
      return live.audiosocket.uuid_timeout_ms
    },
    get silentPeerTimeoutMs() {
      return live.audiosocket.silent_peer_timeout_ms
    },
    get connectionsMax() {
      return live.audiosocket.max_connections
    },
    get allowList() {
      return current().allow.audiosocket
    },
    clock,
    log,
    accept,
  })
  const rtp = new RtpDoor({
    host: externalMedia.host,
    get advertiseHost() {
      return advertised(live.externalMedia)
    },
    portMin: externalMedia.port_min,
    portMax: externalMedia.port_max,
    ports: externalMedia.ports,
    get allowList() {
      return current().allow.externalMedia
    },
    get lockRemote() {
      return live.externalMedia.lock_remote
    },
    get jitterBufferMaxMs() {
      return live.externalMedia.jitter_buffer_max_ms
    },
    get silentPeerTimeoutMs() {
      return live.externalMedia.silent_peer_timeout_ms
    },
    clock,
    random,
    log,
    pacer,
    accept,
  })
  const webSocket = new MediaWebSocketDoor({
    connection:
      mediaWebSocket.direction === 'connect'
        ? { direction: 'connect', host: asterisk.host, port: asterisk.port }
        : {
            direction: 'listen',
            host: mediaWebSocket.host,
            port: mediaWebSocket.port,
            section: mediaWebSocket.client,
            get allowList() {
              return current().allow.mediaWebSocket
            },
            credentials:
              mediaWebSocket.password === ''
                ? null
                : { username: mediaWebSocket.username, password: mediaWebSocket.password },
          },
    get startTimeoutMs() {
      return live.mediaWebSocket.start_timeout_ms
    },
    get silentPeerTimeoutMs() {
      return live.mediaWebSocket.silent_peer_timeout_ms
    },
    get connectionsMax() {
      return live.mediaWebSocket.max_connections
    },
    clock,
    log,
    accept,
  })
  const doors = new Doors({
    get configured() {
      return current().configuration.audio_transport
    },
    entrances: {
      audiosocket: {
        door: new AudioSocketDoor({
          server: audioSocket,
          advertiseHost: advertised(audiosocket),
          format: audiosocket.format,
        }),
        format: audiosocket.format,
      },
      externalmedia: { door: rtp, format: externalMedia.format },
      websocket: { door: webSocket, format: mediaWebSocket.format },
    },
    webSocketListens: mediaWebSocket.direction === 'listen',
    filesByHttp: filesByHttp(configuration),
    log,
  })
  return { doors, audioSocket, rtp, webSocket }
}

/** Without a folder that both see, where Asterisk can reach our HTTP port. */
function filesByHttp(configuration: Configuration): boolean {
  return configuration.file_playback.folder === '' && playbackUrl(configuration) !== null
}

/** How Asterisk gets at a file of ours: the shared folder, else by HTTP; null where there is no way. */
export function createPlaybackFiles(
  configuration: Configuration,
  deps: { readonly clock: Clock; readonly log: Log; readonly random: Random; readonly httpPort: number },
): { readonly files: PlaybackFiles | null; readonly folder: FolderFiles | null; readonly http: HttpFiles | null } {
  const { folder, asterisk_folder: asteriskFolder } = configuration.file_playback
  const { clock, log, random } = deps
  if (folder !== '') {
    const files = new FolderFiles({
      folder,
      asteriskFolder: asteriskFolder === '' ? folder : asteriskFolder,
      application: configuration.asterisk.app_name,
      random,
      log,
    })
    return { files, folder: files, http: null }
  }
  // A port that the system chose is known only once it is bound.
  const url = playbackUrl(configuration)?.replace(/:0$/, `:${deps.httpPort}`)
  if (url === undefined) return { files: null, folder: null, http: null }
  const http = new HttpFiles({ baseUrl: url, clock, random })
  return { files: http, folder: null, http }
}
