import type { Clock, Milliseconds } from '#base/clock.ts'
import type { HangupCause } from '#call/leg.ts'
import type { PbxSide } from '#call/pbx-side.ts'
import type { SimulatedFiles } from './simulated-files.ts'

/** What becomes of a lost media path: another leg in time, one that comes too late, a refusal, or nothing at all. */
export type Reopening = 'another' | 'too_late' | 'refused' | 'silence'

/** Past the time that a call waits for another leg. */
const tooLateMs = 3000

export interface SimulatedPbxOptions {
  readonly clock: Clock
  readonly files: SimulatedFiles | null
  /** `joinMs`: the leg is there so long before its channel has joined the bridge; negative: after it. */
  readonly reopening: () => { readonly how: Reopening; readonly afterMs: Milliseconds; readonly joinMs: Milliseconds }
  /** How long it takes to take the call down. */
  readonly releaseMs: Milliseconds
  readonly openLeg: (channel: { readonly joined: boolean }) => void
  readonly released: (cause: HangupCause) => void
}

/** The Asterisk side of a simulated call. */
export class SimulatedPbx implements PbxSide {
  readonly files: SimulatedFiles | null
  releases = 0
  private readonly options: SimulatedPbxOptions

  constructor(options: SimulatedPbxOptions) {
    this.options = options
    this.files = options.files
  }

  callerCodec(): Promise<string | null> {
    return this.options.clock.sleep(5).then(() => 'ulaw')
  }

  channelEntered(): void {}

  carriesMedia(): boolean {
    return false
  }

  playbackEvent(): void {}

  kick(): void {}

  async reopenMedia(): Promise<boolean> {
    const { how, afterMs, joinMs } = this.options.reopening()
    if (how === 'silence') return await new Promise<boolean>(() => {})
    const { clock, openLeg } = this.options
    await clock.sleep(how === 'too_late' ? afterMs + tooLateMs : afterMs)
    if (how === 'refused') return false
    // The connection comes when the channel is in the bridge, or before; until it is, nobody hears what is written.
    const early = joinMs >= 0
    const channel = { joined: false }
    if (early) openLeg(channel)
    else clock.after(-joinMs, () => openLeg(channel))
    if (early) await clock.sleep(joinMs)
    channel.joined = true
    return true
  }

  async release(cause: HangupCause): Promise<void> {
    this.releases += 1
    this.files?.end()
    this.options.released(cause)
    await this.options.clock.sleep(this.options.releaseMs)
  }
}
