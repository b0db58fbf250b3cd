/**
 * The control messages of Asterisk's chan_websocket: texts ↔ events and commands, no sockets here. Audio goes beside
 * them as binary messages without any header.
 *
 * Two forms exist, and the peer speaks one of them for the whole connection: JSON, and the older plain text, which is
 * still Asterisk's default (`f(json)` in the dial string asks for the other, from 20.18, 22.8 and 23.2 on). The first
 * byte of MEDIA_START tells which, and commands go out in the same one. Source: Asterisk's chan_websocket.c.
 */
export type ControlForm = 'json' | 'plain_text'

export type MediaEvent =
  | {
      readonly type: 'media_start'
      /** The connection's id; for a connection that Asterisk made, the name of its section in websocket_client.conf. */
      readonly connectionId: string
      /** Empty before 20.17, 22.7 and 23.1. */
      readonly channelId: string
      readonly format: string
      /** What a message of ours is cut into; 0: not at all, we are to keep time. */
      readonly optimalFrameBytes: number
      readonly ptimeMs: number
    }
  | { readonly type: 'dtmf_end'; readonly digit: string }
  | { readonly type: 'media_xoff' }
  | { readonly type: 'media_xon' }
  | { readonly type: 'queue_drained' }
  | { readonly type: 'status'; readonly queueFrames: number; readonly mediaPaused: boolean }
  | { readonly type: 'media_buffering_completed'; readonly correlationId: string }
  | { readonly type: 'media_mark_processed'; readonly correlationId: string }
  | { readonly type: 'error'; readonly text: string }

export type MediaCommand =
  | 'ANSWER'
  | 'HANGUP'
  | 'START_MEDIA_BUFFERING'
  | 'STOP_MEDIA_BUFFERING'
  | 'MARK_MEDIA'
  | 'FLUSH_MEDIA'
  | 'PAUSE_MEDIA'
  | 'CONTINUE_MEDIA'
  | 'GET_STATUS'
  | 'REPORT_QUEUE_DRAINED'

/** A longer text is ignored, and only Asterisk's own log says so. */
export const commandBytesMax = 128
/** An id of so many letters and digits fits beside the longest command in the longer form (54 bytes without it). */
export const correlationIdMax = 64

export function formOf(text: string): ControlForm {
  return text.startsWith('{') ? 'json' : 'plain_text'
}

export function commandText(form: ControlForm, command: MediaCommand, correlationId?: string): string {
  const id = correlationId?.slice(0, correlationIdMax)
  if (form === 'plain_text') return id === undefined ? command : `${command} ${id}`
  return JSON.stringify(id === undefined ? { command } : { command, correlation_id: id })
}

/** `unknown`: an event that a later Asterisk may have added. `malformed`: no event, or one that lacks what it promises. */
export function parseMediaEvent(text: string): MediaEvent | 'unknown' | 'malformed' {
  const read = formOf(text) === 'json' ? readJson(text) : readPlain(text)
  return read === null ? 'malformed' : eventOf(read.name, read.value)
}

interface Read {
  readonly name: string
  /** A field's text; numbers and truth values as the plain form writes them. */
  readonly value: (field: string) => string | undefined
}

function readJson(text: string): Read | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof parsed !== 'object' || parsed === null || !('event' in parsed) || typeof parsed.event !== 'string') {
    return null
  }
  const fields = parsed as Readonly<Record<string, unknown>>
  return {
    name: parsed.event,
    value: (field) => {
      const value = Object.hasOwn(fields, field) ? fields[field] : undefined
      return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined
    },
  }
}

/**
 * `NAME key:value key:value`. A value may hold colons and slashes (a channel's name does), so a pair is split at its
 * first colon. An error's text is the rest of the line; the id of a mark or of buffered media stands alone.
 */
function readPlain(text: string): Read | null {
  const line = text.trim()
  const [name = ''] = line.split(' ', 1)
  if (!/^[A-Z][A-Z_]*$/.test(name)) return null
  const rest = line.slice(name.length + 1)
  return {
    name,
    value: (field) => {
      if (field === 'correlation_id') return rest
      if (field === 'error_text') return /(?:^| )error_text:(.*)$/s.exec(rest)?.[1]
      const pair = rest.split(' ').find((each) => each.startsWith(`${field}:`))
      return pair?.slice(field.length + 1)
    },
  }
}

function eventOf(name: string, value: Read['value']): MediaEvent | 'unknown' | 'malformed' {
  switch (name) {
    case 'MEDIA_START':
      return mediaStart(value)
    case 'DTMF_END': {
      const digit = value('digit') ?? ''
      return /^[0-9*#A-Da-d]$/.test(digit) ? { type: 'dtmf_end', digit: digit.toUpperCase() } : 'malformed'
    }
    case 'STATUS': {
      const queueFrames = count(value('queue_length'))
      if (queueFrames === null) return 'malformed'
      return { type: 'status', queueFrames, mediaPaused: value('media_paused') === 'true' }
    }
    case 'MEDIA_XOFF':
      return { type: 'media_xoff' }
    case 'MEDIA_XON':
      return { type: 'media_xon' }
    case 'QUEUE_DRAINED':
      return { type: 'queue_drained' }
    case 'MEDIA_BUFFERING_COMPLETED':
      return { type: 'media_buffering_completed', correlationId: value('correlation_id') ?? '' }
    case 'MEDIA_MARK_PROCESSED':
      return { type: 'media_mark_processed', correlationId: value('correlation_id') ?? '' }
    case 'ERROR':
      return { type: 'error', text: value('error_text') ?? '' }
    default:
      return 'unknown'
  }
}

function mediaStart(value: Read['value']): MediaEvent | 'malformed' {
  const format = value('format')
  const optimalFrameBytes = count(value('optimal_frame_size'))
  const ptimeMs = count(value('ptime'))
  if (format === undefined || format === '' || optimalFrameBytes === null || ptimeMs === null) return 'malformed'
  return {
    type: 'media_start',
    connectionId: value('connection_id') ?? '',
    channelId: value('channel_id') ?? '',
    format,
    optimalFrameBytes,
    ptimeMs,
  }
}

function count(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null
}
