import { readdirSync } from 'node:fs'
import type { Clock } from '#base/clock.ts'
import { patchcordResults } from '#call/admission.ts'
import { transports } from '#call/leg.ts'
import { turnStates } from '#call/turn-state.ts'
import type { MetricRegistry } from './metric-registry.ts'
import type { MetricSources } from './metric-sources.ts'

/** Metrics whose numbers live elsewhere: of the process, and of the parts of the engine. */
export function exposeProcess(registry: MetricRegistry, version: string, clock: Clock): void {
  registry
    .gauge('ai_agent_build_info', 'Constant 1; the labels say what runs.', ['version', 'bun'])
    .set({ version, bun: Bun.version }, 1)
  registry
    .gauge('process_start_time_seconds', 'When the process started, in seconds since 1970.')
    .set(Math.round(clock.wallNow() / 1000 - process.uptime()))
  registry.read('process_resident_memory_bytes', 'Memory of the process that is in RAM, workers included.', () =>
    process.memoryUsage.rss(),
  )
  registry.read(
    'process_open_fds',
    'Open files and sockets of the process; 0 where the system does not tell.',
    openFiles,
  )
  registry.total('process_cpu_seconds_total', 'CPU time of the process, workers included.', () => {
    const usage = process.cpuUsage()
    return (usage.user + usage.system) / 1e6
  })
}

export function exposeSources(registry: MetricRegistry, sources: MetricSources): void {
  registry.read('ai_agent_calls_active', 'Calls being served.', sources.activeCalls)
  registry.read('ai_agent_provider_sessions', 'Open sessions of providers.', sources.providerSessions)
  registry.readEach(
    'ai_agent_conversation_state',
    'Calls by the state of their turn.',
    'state',
    turnStates,
    sources.turnStates,
  )
  registry.read(
    'ai_agent_tts_gating_active',
    'Calls whose caller is not listened to now, since the agent speaks.',
    sources.gatesClosed,
  )
  registry.read('ai_agent_audio_capture_enabled', 'Calls whose caller is listened to now.', sources.listening)
  registry.read('ai_agent_ari_connected', '1 while the event socket to Asterisk is open.', () =>
    sources.ariConnected() ? 1 : 0,
  )
  registry.total('ai_agent_ari_events_total', 'Messages on the event socket.', () => sources.ariEvents().received)
  registry.total(
    'ai_agent_ari_events_malformed_total',
    'Messages on the event socket that made no sense.',
    () => sources.ariEvents().malformed,
  )
  registry.total(
    'ai_agent_ari_reconnects_total',
    'Attempts to reach Asterisk again.',
    () => sources.ariEvents().reconnects,
  )
  registry.totalEach(
    'ai_agent_calls_refused_total',
    'Callers sent back to the dialplan, by PATCHCORD_RESULT.',
    'result',
    patchcordResults,
    sources.refused,
  )
  registry.totalEach(
    'ai_agent_unknown_events_total',
    'Events for a call, channel or playback that nobody knows.',
    'kind',
    [],
    sources.unknownEvents,
  )
  registry.totalEach(
    'ai_agent_orphans_removed_total',
    'Callers, media channels and bridges of this application that no call owned.',
    'orphan',
    [],
    sources.orphans,
  )
  registry.read(
    'ai_agent_audiosocket_connections',
    'Open AudioSocket connections.',
    () => sources.audioSocket().connections,
  )
  registry.total(
    'ai_agent_audiosocket_accepted_total',
    'AudioSocket connections that became a leg.',
    () => sources.audioSocket().accepted,
  )
  registry.totalEach(
    'ai_agent_audiosocket_rejected_total',
    'AudioSocket connections turned away, by reason.',
    'reason',
    [],
    () => sources.audioSocket().rejected,
  )
  registry.totalEach(
    'ai_agent_audiosocket_violations_total',
    'Legs ended since their peer broke the protocol.',
    'violation',
    [],
    () => sources.audioSocket().violations,
  )
  registry.total(
    'ai_agent_audiosocket_unknown_messages_total',
    'AudioSocket messages of a kind that is not known, skipped.',
    () => sources.audioSocket().unknownKinds,
  )
  registry.readEach(
    'ai_agent_audio_transport',
    '1 for the way that audio takes where a call names none.',
    'transport',
    transports,
    () => ({ [sources.transport()]: 1 }),
  )
  registry.read('ai_agent_rtp_ports', 'UDP ports bound for RTP.', () => sources.rtp().openPorts)
  registry.totalEach('ai_agent_rtp_packets_total', 'RTP packets, by way.', 'way', ['in', 'out'], () => ({
    in: sources.rtp().packetsIn,
    out: sources.rtp().packetsOut,
  }))
  registry.totalEach(
    'ai_agent_rtp_dropped_total',
    'RTP packets that were not taken, by flaw.',
    'flaw',
    [],
    () => sources.rtp().dropped,
  )
  registry.totalEach(
    'ai_agent_rtp_unsent_total',
    'RTP packets that did not leave, by obstacle.',
    'obstacle',
    [],
    () => sources.rtp().unsent,
  )
  registry.total('ai_agent_rtp_bind_failures_total', 'Calls that got no UDP port.', () => sources.rtp().bindFailures)
  registry.read(
    'ai_agent_media_websocket_connections',
    'Open media WebSockets.',
    () => sources.mediaWebSocket().connections,
  )
  registry.total(
    'ai_agent_media_websocket_accepted_total',
    'Media WebSockets that became a leg.',
    () => sources.mediaWebSocket().accepted,
  )
  registry.totalEach(
    'ai_agent_media_websocket_rejected_total',
    'Media WebSockets turned away or not made, by reason.',
    'reason',
    [],
    () => sources.mediaWebSocket().rejected,
  )
  registry.totalEach(
    'ai_agent_media_websocket_violations_total',
    'Legs ended since their peer broke the protocol.',
    'violation',
    [],
    () => sources.mediaWebSocket().violations,
  )
  registry.totalEach(
    'ai_agent_media_websocket_events_total',
    'What Asterisk says of its queue and of our messages, and silent frames left out to keep that queue short.',
    'event',
    [],
    () => {
      const { framesShed, xoffs, errors, unknownEvents, malformedEvents } = sources.mediaWebSocket()
      return { shed: framesShed, xoff: xoffs, error: errors, unknown: unknownEvents, malformed: malformedEvents }
    },
  )
  registry.readEach(
    'ai_agent_warm_up_extra_seconds',
    'What underruns have added to the warm-up of replies.',
    'provider',
    [],
    () =>
      Object.fromEntries(
        Object.entries(sources.warmUpExtraMs()).map(([provider, extraMs]) => [provider, extraMs / 1000]),
      ),
  )
  registry.read('ai_agent_playback_files', 'Files held for Asterisk to fetch.', () => sources.playbackFiles().files)
  registry.read('ai_agent_playback_bytes', 'Their size.', () => sources.playbackFiles().bytes)
  registry.total(
    'ai_agent_playback_files_dropped_total',
    'Files given up before Asterisk had fetched them, for want of room.',
    () => sources.playbackFiles().dropped,
  )
  registry.total('ai_agent_pacing_ticks_total', 'Ticks of the 20 ms clock.', () => sources.pacer().ticks)
  registry.total(
    'ai_agent_pacing_late_ticks_total',
    'Ticks so late that a frame time had been missed.',
    () => sources.pacer().lateTicks,
  )
  registry.total(
    'ai_agent_pacing_frames_skipped_total',
    'Frame times given up since a tick was more than 100 ms late.',
    () => sources.pacer().framesSkipped,
  )
  registry.read('ai_agent_vad_sessions', 'Calls under speech detection.', () => sources.detector().open)
  registry.total('ai_agent_vad_windows_total', 'Windows of 32 ms judged.', () => sources.detector().windows)
  registry.total(
    'ai_agent_vad_windows_dropped_total',
    'Windows dropped since speech detection was behind.',
    () => sources.detector().droppedWindows,
  )
  registry.total(
    'ai_agent_vad_restarts_total',
    'Times the speech detection worker was started again.',
    () => sources.detector().restarts,
  )
  registry.readEach('ai_agent_provider_ready', '1 where the provider can take calls.', 'provider', [], () =>
    Object.fromEntries(Object.entries(sources.providersReady()).map(([name, ready]) => [name, ready ? 1 : 0])),
  )
  registry.readEach(
    'ai_agent_provider_queue',
    'Jobs of all calls that wait inside the provider.',
    'provider',
    [],
    sources.queued,
  )
  registry.totalEach(
    'ai_agent_provider_events_total',
    'What sessions of providers have met with: acknowledgements, events that are not known, errors, sessions made anew.',
    'event',
    [],
    sources.providerEvents,
  )
  registry.totalEach(
    'ai_agent_configuration_reloads_total',
    'Times the configuration was read anew, by what became of it.',
    'answer',
    [],
    sources.reloads,
  )
  registry.readEach(
    'ai_agent_provider_minutes_today',
    'Minutes of sessions of each provider since midnight, open ones included.',
    'provider',
    [],
    () => Object.fromEntries(Object.entries(sources.usedMs()).map(([name, ms]) => [name, ms / 60_000])),
  )
  registry.read('ai_agent_timers', 'Timers that are armed.', sources.timers)
  registry.total('ai_agent_call_records_total', 'Call records written.', () => sources.records().written)
  registry.total(
    'ai_agent_call_records_lost_total',
    'Call records that could not be written.',
    () => sources.records().lost,
  )
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
