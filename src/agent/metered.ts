import type { PartRole } from './fallback-memory.ts'
import type { Accepted, Provider, Roles, SessionOf } from './provider.ts'
import type { Usage } from './usage.ts'

/** A part of a pipeline that tells what it uses, under the name of its vendor: a vendor's price is for one kind of work. */
export function metered<R extends PartRole>(vendor: string, part: Provider<R>): Provider<R> {
  const { audioRates, events, queued, wordsIn } = part
  return {
    name: part.name,
    role: part.role,
    turnDetection: part.turnDetection,
    readiness: () => part.readiness(),
    ...(audioRates === undefined ? {} : { audioRates: audioRates.bind(part) }),
    ...(events === undefined ? {} : { events: events.bind(part) }),
    ...(queued === undefined ? {} : { queued: queued.bind(part) }),
    ...(wordsIn === undefined ? {} : { wordsIn: wordsIn.bind(part) }),
    start: () => part.start(),
    open: async (context) => new MeteredSession<R>(vendor, await part.open(context)),
    close: () => part.close(),
  }
}

type Input<R extends PartRole> = Roles[R]['input']
type Event<R extends PartRole> = Roles[R]['event']

class MeteredSession<R extends PartRole> {
  private readonly vendor: string
  private readonly inner: SessionOf<R>
  private listener: (event: Event<R>) => void = () => {}
  /** Heard since it was told last. */
  private samples = 0
  private sampleRateHz = 0

  constructor(vendor: string, inner: SessionOf<R>) {
    this.vendor = vendor
    this.inner = inner
  }

  onEvent(listener: (event: Event<R>) => void): void {
    this.listener = listener
    this.inner.onEvent((event: Event<R>) => {
      if (event.type === 'closed') this.tellAudio()
      listener(event.type === 'usage' ? ({ ...event, provider: this.vendor } as Event<R>) : event)
    })
  }

  send(input: Input<R>): Accepted {
    const accepted = this.inner.send(input)
    if (accepted !== 'sent') return accepted
    if (input.type === 'audio') {
      this.samples += input.frame.samples.length
      this.sampleRateHz = input.frame.sampleRateHz
    } else if (input.type === 'finalize') this.tellAudio()
    else if (input.type === 'speak') this.tell({ type: 'usage', characters: input.text.length })
    return accepted
  }

  close(): Promise<void> {
    return this.inner.close()
  }

  private tellAudio(): void {
    const { samples, sampleRateHz } = this
    this.samples = 0
    if (samples > 0) this.tell({ type: 'usage', audioMs: (samples * 1000) / sampleRateHz })
  }

  private tell(usage: Usage): void {
    this.listener({ ...usage, provider: this.vendor } as Event<R>)
  }
}
