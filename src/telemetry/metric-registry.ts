import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/**
 * Makes metrics of every kind: the sole owner of prom-client. Counters and histograms of events are handed out; numbers
 * that live elsewhere are read from their owners at each scrape, so that the audio path never touches a metric.
 */
export type { Counter, Gauge, Histogram }

export class MetricRegistry extends Registry {
  /** The exposition and its content type, which Prometheus insists on. */
  async scrape(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.contentType, text: await this.metrics() }
  }

  counter<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this] })
  }

  gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this] })
  }

  histogram<Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly Label[] = [],
  ): Histogram<Label> {
    return new Histogram({ name, help, buckets, labelNames, registers: [this] })
  }

  read(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this],
      collect() {
        this.set(value())
      },
    })
  }

  readEach(
    name: string,
    help: string,
    label: string,
    known: readonly string[],
    values: () => Readonly<Partial<Record<string, number>>>,
  ): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this],
      collect() {
        this.reset()
        for (const value of known) this.set({ [label]: value }, 0)
        for (const [value, number] of Object.entries(values())) this.set({ [label]: value }, number ?? 0)
      },
    })
  }

  total(name: string, help: string, value: () => number): void {
    new Counter({
      name,
      help,
      registers: [this],
      collect() {
        this.reset()
        this.inc(value())
      },
    })
  }

  totalEach(
    name: string,
    help: string,
    label: string,
    known: readonly string[],
    values: () => Readonly<Partial<Record<string, number>>>,
  ): void {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [this],
      collect() {
        this.reset()
        for (const value of known) this.inc({ [label]: value }, 0)
        for (const [value, number] of Object.entries(values())) this.inc({ [label]: value }, number ?? 0)
      },
    })
  }
}
