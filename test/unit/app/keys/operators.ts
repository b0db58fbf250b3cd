import type { Probe, Probes } from './probe.ts'

/** The HTTP of the engine: who may ask it what. */

/** How it answers whoever asks by this name. */
const askedBy =
  (host: string): Probe['begin'] =>
  (world) =>
  async () => {
    const answers = await Promise.all(
      ['/live', '/api/providers'].map((path) =>
        world.outside.ask(`${world.engine.httpUrl}${path}`, { headers: { host } }),
      ),
    )
    return answers.map(({ status }) => status)
  }

export const operatorProbes: Probes = {
  'health.api': {
    values: [true, false],
    shows: [
      [200, 200],
      [200, 403],
    ],
    seen: 'wire',
    atOnce: true,
    begin: askedBy('localhost'),
  },
  'health.allowed_hosts': {
    values: [[], ['proxy.example']],
    shows: [
      [200, 421],
      [200, 200],
    ],
    seen: 'wire',
    atOnce: true,
    begin: askedBy('proxy.example'),
  },
}
