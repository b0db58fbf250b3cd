import type { WireFormat } from '#audio/format.ts'
import type { Log } from '#base/log.ts'
import { failed, ok, type Result } from '#base/result.ts'
import type { Transport } from '#call/leg.ts'
import type { Door } from './door.ts'
import { chooseTransport } from './transport-choice.ts'

/**
 * Which door a call takes: the one that the dialplan names for it, else the configured one; `auto` is what suits the
 * Asterisk that was found, said in the log with its reason when it is chosen.
 */
export interface Entrance {
  readonly door: Door
  readonly format: WireFormat
}

export interface DoorsOptions {
  readonly configured: Transport | 'auto'
  readonly entrances: Readonly<Record<Transport, Entrance>>
  readonly log: Log
}

/** Until an Asterisk was asked, `auto` is what every Asterisk since 18 has. */
const beforeAsking: Transport = 'audiosocket'

export class Doors {
  private readonly options: DoorsOptions
  private chosen: Transport

  constructor(options: DoorsOptions) {
    this.options = options
    this.chosen = options.configured === 'auto' ? beforeAsking : options.configured
  }

  /** What calls take that name none. */
  get transport(): Transport {
    return this.chosen
  }

  get auto(): boolean {
    return this.options.configured === 'auto'
  }

  /** An Asterisk has answered. `modules` null: it does not tell. */
  found(version: string, modules: readonly string[] | null): void {
    if (!this.auto) return
    const { transport, why } = chooseTransport({ version, modules })
    this.chosen = transport
    this.options.log.info('audio transport chosen', { transport, why, asterisk: version })
  }

  /** `named`: by the call itself; null for none. Fails with the name that is none of ours. */
  entrance(named: string | null): Result<Entrance & { readonly transport: Transport }, string> {
    const { entrances } = this.options
    if (named === null || named === 'auto') return ok({ transport: this.chosen, ...entrances[this.chosen] })
    if (!isTransport(named, entrances)) {
      return failed(`audio_transport=${named}: expected one of ${Object.keys(entrances).join(', ')}, auto`)
    }
    return ok({ transport: named, ...entrances[named] })
  }

  close(): void {
    for (const { door } of Object.values(this.options.entrances)) door.close()
  }
}

function isTransport(name: string, entrances: object): name is Transport {
  return Object.hasOwn(entrances, name)
}
