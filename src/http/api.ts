import { Hono } from 'hono'
import type { ConnectionBindings } from './connection.ts'
import { addControl, type ControlDeps, controlEndpoints } from './control.ts'
import { type MediaFiles, mediaFileResponse } from './media-files.ts'
import { type EngineStatus, notReadyReasons } from './status.ts'

/**
 * The endpoints for operators and for Asterisk, as a factory without a socket: tests ask it directly, `app.ts` binds it.
 *
 * | endpoint | answers |
 * |---|---|
 * | GET /live | 200 while the process runs its event loop |
 * | GET /ready | 200 when calls are served, else 503 with the reasons |
 * | GET /health | 200 and the state of everything, true values only |
 * | GET /metrics | Prometheus text format |
 * | GET /media/:name | audio for Asterisk to play, as long as it is needed |
 * | … /api/… | what an operator asks of the engine and does to it: `control.ts` |
 */
export interface ApiDeps {
  readonly status: () => EngineStatus
  readonly scrape: () => Promise<{ readonly contentType: string; readonly text: string }>
  /** Absent where Asterisk fetches no files from us. */
  readonly mediaFiles?: MediaFiles
  /** Absent: there is nothing under /api. */
  readonly control?: ControlDeps
}

/** The rows of the endpoint table in the README, checked by a test. */
export const endpoints = [
  'GET /live',
  'GET /ready',
  'GET /health',
  'GET /metrics',
  'GET /media/:name',
  ...controlEndpoints,
] as const

export function createApi(deps: ApiDeps): Hono<{ Bindings: ConnectionBindings }> {
  const api = new Hono<{ Bindings: ConnectionBindings }>()

  api.get('/live', (context) => context.json({ status: 'live' }))

  api.get('/ready', (context) => {
    const reasons = notReadyReasons(deps.status())
    if (reasons.length === 0) return context.json({ status: 'ready' })
    return context.json({ status: 'not_ready', reasons }, 503)
  })

  api.get('/health', (context) => {
    const status = deps.status()
    const reasons = notReadyReasons(status)
    return context.json({
      status: status.draining ? 'draining' : reasons.length === 0 ? 'ok' : 'degraded',
      reasons,
      version: status.version,
      active_calls: status.activeCalls,
      calls_max: status.callsMax,
      ari_connected: status.ariConnected,
      asterisk_version: status.asteriskVersion,
      audio_transport: status.audioTransport,
      audiosocket_address: status.audioSocketAddress,
      default_provider: status.defaultProvider,
      providers: status.providers,
      speech_detection: status.speechDetection,
      end_of_turn: status.turnEnd,
      conversation: {
        states: status.conversation.states,
        gates_closed: status.conversation.gatesClosed,
        gate_reasons: status.conversation.gateReasons,
      },
    })
  })

  api.get('/metrics', async (context) => {
    const { contentType, text } = await deps.scrape()
    return context.body(text, 200, { 'content-type': contentType })
  })

  // HEAD is answered by the same: the server leaves the body out.
  api.get('/media/:name', (context) => {
    const response = mediaFileResponse(deps.mediaFiles, context.req.param('name'))
    return response ?? context.json({ error: 'no such file' }, 404)
  })

  if (deps.control !== undefined) addControl(api, deps.control)

  api.notFound((context) => context.json({ error: `no such endpoint; there are ${endpoints.join(', ')}` }, 404))
  api.onError((_error, context) => context.json({ error: 'internal error' }, 500))
  return api
}
