import type { Provider } from '#agent/provider.ts'
import type { AriEvents } from '#asterisk/ari-events.ts'
import type { OrphanSweep } from '#asterisk/orphans.ts'
import { type Clock, SystemClock } from '#base/clock.ts'
import type { Admission } from '#call/admission.ts'
import { gateReasons } from '#call/gate.ts'
import type { Pacer } from '#call/pacer.ts'
import type { ProviderUse } from '#call/provider-use.ts'
import type { SessionStore } from '#call/session-store.ts'
import { turnStates } from '#call/turn-state.ts'
import type { SpeechDetection } from '#speech/detection.ts'
import type { CallRecordFile } from '#telemetry/call-record.ts'
import type { MetricSources } from '#telemetry/metric-sources.ts'
import type { createPlaybackFiles, MediaDoors } from './doors.ts'
import type { Generation } from './generation.ts'
import type { PartPool } from './part-pool.ts'
import type { Reloader } from './reloader.ts'

/** The owners of the numbers that a scrape reads. */
export interface MetricOwners {
  readonly store: SessionStore
  readonly pacer: Pacer
  readonly media: MediaDoors
  readonly admission: Admission
  readonly playback: ReturnType<typeof createPlaybackFiles>
  readonly ariEvents: AriEvents
  readonly orphans: OrphanSweep
  readonly records: CallRecordFile
  readonly use: ProviderUse
  readonly clock: Clock
  readonly generation: Generation
  readonly reloader: Reloader
  readonly providerPool: PartPool<Provider<'agent'>>
  readonly detectionPool: PartPool<SpeechDetection>
  readonly eventsOfClosed: ProviderEvents
  readonly detectionOfClosed: DetectionCounts
}

const noFiles = { files: 0, bytes: 0 }

/** Every number is asked of its owner when it is read: the owners need not be there yet. */
export function metricSources(owners: MetricOwners): MetricSources {
  return {
    activeCalls: () => owners.store.size,
    providerSessions: () => owners.store.providerSessions,
    turnStates: () => turnStateCounts(owners.store),
    gatesClosed: () => gatesClosed(owners.store),
    listening: () => owners.store.live.filter((call) => call.hearing.listens).length,
    ariConnected: () => owners.ariEvents.connected,
    ariEvents: () => owners.ariEvents.counters,
    refused: () => owners.admission.refused,
    unknownEvents: () => owners.store.unknown,
    audioSocket: () => ({ connections: owners.media.audioSocket.connections, ...owners.media.audioSocket.counters }),
    orphans: () => owners.orphans.removed,
    transport: () => owners.media.doors.transport,
    rtp: () => ({ openPorts: owners.media.rtp.openPorts, ...owners.media.rtp.counters }),
    mediaWebSocket: () => ({ connections: owners.media.webSocket.connections, ...owners.media.webSocket.counters }),
    warmUpExtraMs: () => owners.generation.warmUpExtraMs(),
    playbackFiles: () => ({ ...(owners.playback.http?.held ?? noFiles), dropped: owners.playback.http?.dropped ?? 0 }),
    pacer: () => owners.pacer.counters,
    detector: () => owners.detectionOfClosed.with(owners.detectionPool.parts),
    providersReady: () =>
      Object.fromEntries(
        Object.entries(owners.generation.providerReadiness()).map(([name, state]) => [name, state.ready]),
      ),
    queued: () => queuedBy(liveProviders(owners)),
    providerEvents: () => owners.eventsOfClosed.with(liveProviders(owners)),
    usedMs: () => ({ ...unused(owners.generation), ...owners.use.today.usedMs }),
    timers: () => (owners.clock instanceof SystemClock ? owners.clock.timers : 0),
    reloads: () => owners.reloader.counts,
    records: () => owners.records,
  }
}

/** Every provider that calls could have: at zero from the start. */
function unused({ providers }: Generation): Record<string, number> {
  return Object.fromEntries(Object.keys(providers).map((name) => [name, 0]))
}

/** What sessions of providers have met with, those of providers that are closed by now included: a counter never falls. */
export class ProviderEvents {
  // keyed by: provider and event, as `local_timeout`
  private readonly counts: Record<string, number> = {}

  keep(provider: Provider<'agent'>): void {
    addEvents(this.counts, provider)
  }

  with(providers: readonly Provider<'agent'>[]): Record<string, number> {
    const counts = { ...this.counts }
    for (const provider of providers) addEvents(counts, provider)
    return counts
  }
}

type Detection = Pick<SpeechDetection, 'stats'>

/** The same of speech detection: another number of calls makes another. */
export class DetectionCounts {
  private readonly counts = { windows: 0, droppedWindows: 0, restarts: 0 }

  keep({ stats }: Detection): void {
    this.counts.windows += stats.windows
    this.counts.droppedWindows += stats.droppedWindows
    this.counts.restarts += stats.restarts
  }

  with(detections: readonly Detection[]) {
    const sum = { open: 0, ...this.counts }
    for (const { stats } of detections) {
      sum.open += stats.open
      sum.windows += stats.windows
      sum.droppedWindows += stats.droppedWindows
      sum.restarts += stats.restarts
    }
    return sum
  }
}

/** The turns of all calls, as `/health` tells of them. */
export function conversationOf(store: SessionStore) {
  return { states: turnStateCounts(store), gatesClosed: gatesClosed(store), gateReasons: gateReasonCounts(store) }
}

function turnStateCounts(store: SessionStore): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries(turnStates.map((state) => [state, 0]))
  for (const call of store.live) counts[call.turnState] = (counts[call.turnState] ?? 0) + 1
  return counts
}

function gatesClosed(store: SessionStore): number {
  return store.live.filter((call) => call.gateClosed).length
}

function gateReasonCounts(store: SessionStore): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries(gateReasons.map((reason) => [reason, 0]))
  for (const call of store.live) {
    for (const reason of call.hearing.gateReasons) counts[reason] = (counts[reason] ?? 0) + 1
  }
  return counts
}

/** Those of generations before among them, as long as they have calls. */
function liveProviders({ providerPool, generation }: MetricOwners): readonly Provider<'agent'>[] {
  return [...new Set([...providerPool.parts, ...Object.values(generation.providers)])]
}

function queuedBy(providers: readonly Provider<'agent'>[]): Record<string, number> {
  const queued: Record<string, number> = {}
  for (const provider of providers) queued[provider.name] = (queued[provider.name] ?? 0) + (provider.queued?.() ?? 0)
  return queued
}

function addEvents(counts: Record<string, number>, provider: Provider<'agent'>): void {
  for (const [event, count] of Object.entries(provider.events?.() ?? {})) {
    const name = `${provider.name}_${event}`
    counts[name] = (counts[name] ?? 0) + count
  }
}
