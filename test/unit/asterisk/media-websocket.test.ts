import { describe, expect, test } from 'bun:test'
import {
  commandBytesMax,
  commandText,
  correlationIdMax,
  formOf,
  type MediaCommand,
  parseMediaEvent,
} from '#asterisk/media-websocket.ts'

// The texts of Asterisk 22.10.1, as its own socket brought them.
const startJson =
  '{"event":"MEDIA_START","connection_id":"d941dd3b-694f-4f16-aed0-80ab316733d7","channel":"WebSocket/INCOMING/0x7f0ac000ac10","channel_id":"m1","format":"slin16","optimal_frame_size":640,"ptime":20,"channel_variables":{"MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE":"640"}}'
const startPlain =
  'MEDIA_START connection_id:0bded137-f53f-4e21-a737-736312b2a995 channel:WebSocket/INCOMING/0x7f0ac0004640 channel_id:patchcord-bed-1795379502.0 format:slin16 optimal_frame_size:640 ptime:20'

describe('MEDIA_START', () => {
  test('in JSON', () => {
    expect(formOf(startJson)).toBe('json')
    expect(parseMediaEvent(startJson)).toEqual({
      type: 'media_start',
      connectionId: 'd941dd3b-694f-4f16-aed0-80ab316733d7',
      channelId: 'm1',
      format: 'slin16',
      optimalFrameBytes: 640,
      ptimeMs: 20,
    })
  })

  test('in plain text', () => {
    expect(formOf(startPlain)).toBe('plain_text')
    expect(parseMediaEvent(startPlain)).toEqual({
      type: 'media_start',
      connectionId: '0bded137-f53f-4e21-a737-736312b2a995',
      channelId: 'patchcord-bed-1795379502.0',
      format: 'slin16',
      optimalFrameBytes: 640,
      ptimeMs: 20,
    })
  })

  test('values with colons and slashes are split at the first colon only', () => {
    const text =
      'MEDIA_START connection_id:a:b/c channel:WebSocket/x:y/0x1 channel_id:p:1/2 format:ulaw optimal_frame_size:160 ptime:20'
    expect(parseMediaEvent(text)).toMatchObject({ connectionId: 'a:b/c', channelId: 'p:1/2', format: 'ulaw' })
  })

  test('without a channel id, as the first releases sent it', () => {
    const text = 'MEDIA_START connection_id:c channel:WebSocket/c/0x1 format:ulaw optimal_frame_size:160 ptime:20'
    expect(parseMediaEvent(text)).toMatchObject({ type: 'media_start', channelId: '' })
  })

  test.each([
    'MEDIA_START',
    'MEDIA_START format:slin16 ptime:20',
    'MEDIA_START format: optimal_frame_size:640 ptime:20',
    'MEDIA_START format:slin16 optimal_frame_size:-1 ptime:20',
    '{"event":"MEDIA_START","format":16,"optimal_frame_size":{},"ptime":20}',
    '{"event":"MEDIA_START","optimal_frame_size":640,"ptime":20}',
  ])('is malformed when it lacks what it promises: %s', (text) => {
    expect(parseMediaEvent(text)).toBe('malformed')
  })
})

describe('the other events', () => {
  test.each([
    ['{"event":"DTMF_END","channel_id":"m1","digit":"#"}', { type: 'dtmf_end', digit: '#' }],
    ['DTMF_END digit:5 channel_id:patchcord-bed-1795379502.0', { type: 'dtmf_end', digit: '5' }],
    ['DTMF_END channel_id:x digit:a', { type: 'dtmf_end', digit: 'A' }],
    ['{"event":"MEDIA_XOFF","channel_id":"m1"}', { type: 'media_xoff' }],
    ['MEDIA_XOFF', { type: 'media_xoff' }],
    ['MEDIA_XON', { type: 'media_xon' }],
    ['QUEUE_DRAINED', { type: 'queue_drained' }],
    [
      '{"event":"STATUS","channel_id":"m1","queue_length":950,"xon_level":800,"xoff_level":900,"queue_full":true,"bulk_media":false,"media_paused":true}',
      { type: 'status', queueFrames: 950, mediaPaused: true },
    ],
    [
      'STATUS channel_id:a.0 queue_length:3 xon_level:800 xoff_level:900 queue_full:false bulk_media:false media_paused:false',
      { type: 'status', queueFrames: 3, mediaPaused: false },
    ],
    ['MEDIA_MARK_PROCESSED a:b/c', { type: 'media_mark_processed', correlationId: 'a:b/c' }],
    ['MEDIA_MARK_PROCESSED', { type: 'media_mark_processed', correlationId: '' }],
    [
      '{"event":"MEDIA_BUFFERING_COMPLETED","channel_id":"m1","correlation_id":"k"}',
      { type: 'media_buffering_completed', correlationId: 'k' },
    ],
    [
      'ERROR channel_id:m1 error_text:MARK_MEDIA not supported: in passthrough mode',
      { type: 'error', text: 'MARK_MEDIA not supported: in passthrough mode' },
    ],
    ['{"event":"ERROR","channel_id":"m1","error_text":"no {json}"}', { type: 'error', text: 'no {json}' }],
  ] as const)('%s', (text, event) => {
    expect(parseMediaEvent(text)).toEqual(event)
  })

  test.each(['MEDIA_LATER', 'MEDIA_LATER key:value', '{"event":"MEDIA_LATER"}', '{"event":"toString"}'])(
    'one that a later Asterisk may have added: %s',
    (text) => {
      expect(parseMediaEvent(text)).toBe('unknown')
    },
  )

  test.each([
    '',
    ' ',
    '{',
    '{"event":5}',
    '{"command":"HANGUP"}',
    '[1]',
    'null',
    'no event at all',
    'DTMF_END',
    'DTMF_END digit:55',
    'DTMF_END digit:x channel_id:1',
    'STATUS channel_id:1',
    '{"event":"STATUS","queue_length":"many"}',
    '{"event":"DTMF_END","digit":"12"}',
  ])('malformed: %j', (text) => {
    expect(parseMediaEvent(text)).toBe('malformed')
  })
})

describe('commands', () => {
  test('in the form the peer speaks', () => {
    expect(commandText('plain_text', 'FLUSH_MEDIA')).toBe('FLUSH_MEDIA')
    expect(commandText('plain_text', 'MARK_MEDIA', 'p7')).toBe('MARK_MEDIA p7')
    expect(JSON.parse(commandText('json', 'FLUSH_MEDIA'))).toEqual({ command: 'FLUSH_MEDIA' })
    expect(JSON.parse(commandText('json', 'MARK_MEDIA', 'p7'))).toEqual({ command: 'MARK_MEDIA', correlation_id: 'p7' })
  })

  test('fit into what Asterisk reads, whatever the id', () => {
    const commands: MediaCommand[] = [
      'START_MEDIA_BUFFERING',
      'STOP_MEDIA_BUFFERING',
      'REPORT_QUEUE_DRAINED',
      'MARK_MEDIA',
    ]
    for (const form of ['json', 'plain_text'] as const) {
      for (const command of commands) {
        const text = commandText(form, command, 'x'.repeat(500))
        expect(text.length).toBeLessThanOrEqual(commandBytesMax)
        expect(text).toContain('x'.repeat(correlationIdMax))
      }
    }
  })
})
