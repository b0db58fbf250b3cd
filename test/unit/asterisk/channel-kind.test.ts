import { expect, test } from 'bun:test'
import { bridgeId, channelKind, mediaChannelId, mediaUuidOfBridge, mediaUuidOfChannel } from '#asterisk/channel-kind.ts'

const uuid = '40325ec2-5efd-4bd3-805f-53576e581d13'

test.each([
  ['1700000000.1', 'PJSIP/alice-00000001', 'caller'],
  ['1700000000.2', 'Local/100@default-00000001;2', 'caller'],
  ['1700000000.3', 'DAHDI/1-1', 'caller'],
  [`patchcord-media-${uuid}`, 'AudioSocket/127.0.0.1:8090-40325ec2', 'our_media'],
  // Ours by its id, whatever Asterisk calls it.
  [`patchcord-media-${uuid}`, 'UnicastRTP/127.0.0.1:9000', 'our_media'],
  ['1700000000.4', 'AudioSocket/127.0.0.1:8090-40325ec2', 'not_a_caller'],
  ['1700000000.5', 'UnicastRTP/127.0.0.1:9000-0x7f', 'not_a_caller'],
  ['1700000000.6', 'Snoop/1700000000.1-00000001', 'not_a_caller'],
  ['1700000000.7', 'WebSocket/INCOMING/abc', 'not_a_caller'],
  ['1700000000.8', 'Announcer/ARI-00000001;2', 'not_a_caller'],
  ['1700000000.9', 'Message/ast_msg_queue', 'not_a_caller'],
  // A peer that is merely called like a technology is a caller.
  ['1700000000.10', 'PJSIP/Snoop-00000001', 'caller'],
  ['1700000000.11', 'SnoopDogg/1', 'caller'],
] as const)('%s %s is %s', (id, name, kind) => {
  expect(channelKind({ id, name }, 'patchcord')).toBe(kind)
})

test('an engine knows its own media channels and bridges from those of another application', () => {
  const media = { id: mediaChannelId('patchcord', uuid) }
  const bridge = { id: bridgeId('patchcord', uuid) }
  expect([mediaUuidOfChannel(media, 'patchcord'), mediaUuidOfBridge(bridge, 'patchcord')]).toEqual([uuid, uuid])
  for (const other of ['patch', 'patchcord-2', 'patchcord-media', 'cord']) {
    expect([mediaUuidOfChannel(media, other), mediaUuidOfBridge(bridge, other)]).toEqual([null, null])
  }
  expect(mediaUuidOfChannel({ id: 'patchcord-media-mine' }, 'patchcord')).toBe(null)
})
