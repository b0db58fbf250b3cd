import type { BedEngine } from './engine.ts'

/** An engine, and the stand-in for a vendor behind it. */
export class StandinBed<Standin extends { close(): Promise<void> }> {
  readonly standin: Standin
  readonly engine: BedEngine

  protected constructor(standin: Standin, engine: BedEngine) {
    this.standin = standin
    this.engine = engine
  }

  async record(id: string): Promise<Record<string, unknown>> {
    const find = () => this.engine.records().find((one) => one.call_id === id)
    await this.engine.until('recorded', 15_000, () => find() !== undefined)
    return find() ?? {}
  }

  async stop(): Promise<void> {
    await this.engine.stop()
    await this.standin.close()
  }
}
