import type { MetricSources } from '#telemetry/metric-sources.ts'

/** Numbers of an engine at rest; a test sets what it is about. */
export function metricSources(overrides: Partial<MetricSources> = {}): MetricSources {
  return {
    activeCalls: () => 0,
    providerSessions: () => 0,
    turnStates: () => ({}),
    gatesClosed: () => 0,
    listening: () => 0,
    ariConnected: () => false,
    ariEvents: () => ({ received: 0, ignored: 0, malformed: 0, reconnects: 0 }),
    refused: () => ({}),
    orphans: () => ({}),
    unknownEvents: () => ({}),
    audioSocket: () => ({ connections: 0, accepted: 0, rejected: {}, violations: {}, unknownKinds: 0 }),
    transport: () => 'audiosocket',
    rtp: () => ({ openPorts: 0, packetsIn: 0, packetsOut: 0, dropped: {}, unsent: {}, bindFailures: 0 }),
    mediaWebSocket: () => ({
      connections: 0,
      accepted: 0,
      rejected: {},
      violations: {},
      framesShed: 0,
      xoffs: 0,
      errors: 0,
      unknownEvents: 0,
      malformedEvents: 0,
    }),
    warmUpExtraMs: () => ({}),
    playbackFiles: () => ({ files: 0, bytes: 0, dropped: 0 }),
    pacer: () => ({ ticks: 0, lateTicks: 0, framesSkipped: 0 }),
    detector: () => ({ open: 0, windows: 0, droppedWindows: 0, restarts: 0 }),
    providersReady: () => ({}),
    queued: () => ({}),
    providerEvents: () => ({}),
    usedMs: () => ({}),
    timers: () => 0,
    reloads: () => ({ changed: 0, unchanged: 0, refused: 0 }),
    records: () => ({ written: 0, lost: 0 }),
    ...overrides,
  }
}
