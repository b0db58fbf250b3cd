import type { WireFormat } from '#audio/format.ts'
import type { Log } from '#base/log.ts'
import { failed, ok, type Result } from '#base/result.ts'
import { type Transport, transports } from '#call/leg.ts'
import type { Door } from './door.ts'
import { chooseTransport, formatsOf, safeFormats, webSocketSaysWhose } from './transport-choice.ts'

/**
 * Which door a call takes: the one that the dialplan names for it, else the configured one; `auto` is what suits the
 * Asterisk that was found, said in the log with its reason when it is chosen. A configured format that this Asterisk
 * cannot carry through a door gives way to one that every Asterisk with that door can.
 */
export interface Entrance {
  readonly door: Door
  readonly format: WireFormat
}

export interface DoorsOptions {
  /** A getter may change it; `reconfigured` says so. */
  readonly configured: Transport | 'auto'
  readonly entrances: Readonly<Record<Transport, Entrance>>
  /** Asterisk is the one that opens media WebSockets. */
  readonly webSocketListens: boolean
  /** Asterisk fetches the files that it is to play by HTTP. */
  readonly filesByHttp: boolean
  readonly log: Log
}

interface Warning {
  readonly message: string
  readonly fields: Readonly<Record<string, string>>
}

const formatKeys: Readonly<Record<Transport, string>> = {
  audiosocket: 'audiosocket.format',
  externalmedia: 'external_media.format',
  websocket: 'media_websocket.format',
}
/** What Asterisk fetches files with. */
const fetchModules = ['res_http_media_cache.so', 'res_curl.so']

/** Until an Asterisk was asked, `auto` is what every Asterisk since 18 has. */
const beforeAsking: Transport = 'audiosocket'

export class Doors {
  private readonly options: DoorsOptions
  private chosen: Transport
  private formats: Readonly<Record<Transport, WireFormat>>
  /** The same trouble is said once, not at every connection. */
  private lastWarned = ''

  constructor(options: DoorsOptions) {
    this.options = options
    this.chosen = options.configured === 'auto' ? beforeAsking : options.configured
    this.formats = this.formatsFor(null)
  }

  /** What calls take that name none. */
  get transport(): Transport {
    return this.chosen
  }

  get auto(): boolean {
    return this.options.configured === 'auto'
  }

  /** Whether `found` is better told which modules Asterisk has loaded. */
  get asksForModules(): boolean {
    return this.auto || this.options.filesByHttp
  }

  /** What a door's calls speak. */
  formatOf(transport: Transport): WireFormat {
    return this.formats[transport]
  }

  /** An Asterisk has answered. `modules` null: it was not asked, or does not tell. */
  found(version: string, modules: readonly string[] | null): void {
    const { log } = this.options
    this.formats = this.formatsFor(version)
    if (this.auto) {
      const { transport, why } = chooseTransport({ version, modules })
      this.chosen = transport
      log.info('audio transport chosen', { transport, why, asterisk: version })
    }
    const warnings = this.warningsFor(version, modules)
    const words = JSON.stringify([version, warnings])
    if (words === this.lastWarned) return
    this.lastWarned = words
    for (const { message, fields } of warnings) log.warn(message, { asterisk: version, ...fields })
  }

  /** Another transport may be configured now. Of `auto` the one that was taken stays until an Asterisk is found. */
  reconfigured(): void {
    const { configured } = this.options
    if (configured !== 'auto') this.chosen = configured
  }

  /** `named`: by the call itself; null for none. Fails with the name that is none of ours. */
  entrance(named: string | null): Result<Entrance & { readonly transport: Transport }, string> {
    const { entrances } = this.options
    if (named === null || named === 'auto') return ok(this.through(this.chosen))
    if (!isTransport(named, entrances)) {
      return failed(`audio_transport=${named}: expected one of ${Object.keys(entrances).join(', ')}, auto`)
    }
    return ok(this.through(named))
  }

  private through(transport: Transport) {
    return { transport, door: this.options.entrances[transport].door, format: this.formats[transport] }
  }

  private formatsFor(version: string | null): Readonly<Record<Transport, WireFormat>> {
    const format = (transport: Transport): WireFormat => {
      const configured = this.options.entrances[transport].format
      const carried = version === null ? null : formatsOf(transport, version)
      // Where Asterisk does not have the door at all, no other format would help.
      const fits = carried === null || carried.length === 0 || carried.includes(configured)
      return fits ? configured : safeFormats[transport]
    }
    return {
      audiosocket: format('audiosocket'),
      externalmedia: format('externalmedia'),
      websocket: format('websocket'),
    }
  }

  private warningsFor(version: string, modules: readonly string[] | null): Warning[] {
    const { entrances, webSocketListens, filesByHttp } = this.options
    const warnings: Warning[] = transports
      .filter((transport) => this.formats[transport] !== entrances[transport].format)
      .map((transport) => ({
        message: 'this Asterisk cannot carry the configured format: another is taken',
        fields: {
          transport,
          format: entrances[transport].format,
          instead: this.formats[transport],
          cure: `set ${formatKeys[transport]} to ${this.formats[transport]}, or update Asterisk`,
        },
      }))
    if (webSocketListens && formatsOf('websocket', version)?.length !== 0 && !webSocketSaysWhose(version)) {
      warnings.push({
        message: 'this Asterisk does not say which call a media WebSocket that it opens is for: such calls fail',
        fields: { cure: 'set media_websocket.direction to connect, or update Asterisk' },
      })
    }
    const missing = fetchModules.filter((name) => modules?.includes(name) === false)
    if (filesByHttp && missing.length > 0) {
      warnings.push({
        message: 'this Asterisk cannot fetch the audio files that it is to play',
        fields: { missing: missing.join(', '), cure: 'load the modules, or set file_playback.folder' },
      })
    }
    return warnings
  }

  close(): void {
    for (const { door } of Object.values(this.options.entrances)) door.close()
  }
}

function isTransport(name: string, entrances: object): name is Transport {
  return Object.hasOwn(entrances, name)
}
