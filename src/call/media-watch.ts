import { wireRatesHz } from '#audio/format.ts'
import { align } from './alignment.ts'
import type { CallPlan, CallWorld } from './call-plan.ts'
import type { MediaPath } from './media-path.ts'
import { judgeInbound, type OneWayKind, oneWayAdvice } from './one-way.ts'

/**
 * Looks after the media of one call when it has just opened: tells which conversions it goes through, makes Asterisk send
 * where nothing comes, and tells one-way audio with its probable cause instead of leaving it to be guessed.
 */

/** A caller who is not heard by then: over RTP Asterisk is made to send; and by then: it is told. */
const kickAfterMs = 250
const oneWayAfterMs = 2000

export class MediaWatch {
  readonly found: OneWayKind[] = []
  private readonly plan: CallPlan
  private readonly world: CallWorld
  private timer: Disposable | null = null
  private over = false

  constructor(plan: CallPlan, world: CallWorld) {
    this.plan = plan
    this.world = world
  }

  begin(media: MediaPath): void {
    const { clock } = this.world
    void this.auditAlignment()
    this.timer = clock.after(kickAfterMs, () => {
      // Over RTP, Asterisk may wait to be sent to first; the other doors have nothing to wait for.
      const kicked = media.framesIn === 0 && this.plan.transport === 'externalmedia'
      if (kicked) this.plan.pbx.kick()
      this.timer = clock.after(oneWayAfterMs - kickAfterMs, () => {
        const kind = judgeInbound({ ...media.endWatch(), kicked })
        if (kind !== null) this.note(kind)
      })
    })
  }

  /** Once a call and kind. */
  note(kind: OneWayKind): void {
    if (this.found.includes(kind)) return
    this.found.push(kind)
    this.world.observer.oneWay(this.plan.id, kind, oneWayAdvice(kind, this.plan.transport))
  }

  end(): void {
    this.over = true
    this.timer?.[Symbol.dispose]()
  }

  private async auditAlignment(): Promise<void> {
    const { plan, world } = this
    const callerCodec = await plan.pbx.callerCodec()
    const wireHz = wireRatesHz[plan.wire]
    const rates = plan.provider.audioRates?.(wireHz) ?? { inputHz: wireHz, outputHz: wireHz }
    const { path, needless } = align({
      transport: plan.transport,
      wire: plan.wire,
      callerCodec,
      providerName: plan.provider.name,
      providerInputHz: rates.inputHz,
      providerOutputHz: rates.outputHz,
    })
    if (!this.over) world.observer.alignment(plan.id, path, needless)
  }
}
