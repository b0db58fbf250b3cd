import type { AriChannel } from './ari-client.ts'

/**
 * What a channel that enters our Stasis application is. Our own media channels carry an id that begins with our prefix;
 * a media or helper channel that is not ours is nobody to talk to.
 */
export const mediaChannelPrefix = 'patchcord-media-'
export const bridgePrefix = 'patchcord-bridge-'

export type ChannelKind = 'caller' | 'our_media' | 'not_a_caller'

/** Technologies that only ever carry media or helpers; each name is followed by a slash in a channel's name. */
const helperTechnologies = [
  'AudioSocket',
  'UnicastRTP',
  'MulticastRTP',
  'WebSocket',
  'Snoop',
  'Announcer',
  'Recorder',
  'CBAnn',
  'CBRec',
  'Message',
]

export function channelKind(channel: Pick<AriChannel, 'id' | 'name'>): ChannelKind {
  if (channel.id.startsWith(mediaChannelPrefix)) return 'our_media'
  const technology = channel.name.split('/', 1)[0] ?? ''
  return helperTechnologies.includes(technology) ? 'not_a_caller' : 'caller'
}
