import { Metrics } from '#telemetry/metrics.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'
import { metricSources } from '../../fakes/metric-sources.ts'

/** Each metric of the registry as its row of the table in docs/metrics.md. */
export async function metricRows(): Promise<string[]> {
  const { registry } = new Metrics('0', new ManualClock(), metricSources())
  const described = await registry.getMetricsAsJSON()
  return described.map(({ name, type, help }) => {
    const labels = labelNames(registry.getSingleMetric(name))
    return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`
  })
}

/** prom-client keeps them on the metric and does not say so in its types. */
function labelNames(metric: unknown): readonly string[] {
  const names = (metric as { labelNames?: unknown }).labelNames
  return Array.isArray(names) ? names.map(String) : []
}
