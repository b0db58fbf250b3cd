import type { AriBridge, AriChannel } from './ari-client.ts'

/**
 * What a channel that enters our Stasis application is. Our own media channels and bridges carry ids that begin with the
 * application's name, so that several engines on one Asterisk know their own from each other's; a media or helper
 * channel that is not ours is nobody to talk to.
 */
export type ChannelKind = 'caller' | 'our_media' | 'not_a_caller'

export const mediaChannelId = (application: string, mediaUuid: string): string => `${application}-media-${mediaUuid}`
export const bridgeId = (application: string, mediaUuid: string): string => `${application}-bridge-${mediaUuid}`

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

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

export function channelKind(channel: Pick<AriChannel, 'id' | 'name'>, application: string): ChannelKind {
  if (mediaUuidOfChannel(channel, application) !== null) return 'our_media'
  const technology = channel.name.split('/', 1)[0] ?? ''
  return helperTechnologies.includes(technology) ? 'not_a_caller' : 'caller'
}

/** Whether it runs this Stasis application: its name stands before the arguments. Null where Asterisk does not say. */
export function runsApplication({ dialplan }: Pick<AriChannel, 'dialplan'>, application: string): boolean | null {
  const { app_name: runs = '', app_data: data } = dialplan
  if (runs === '' || (runs === 'Stasis' && data === undefined)) return null
  return runs === 'Stasis' && data?.split(',', 1)[0] === application
}

/** The media UUID of a channel that an engine of this application made; null for any other. */
export function mediaUuidOfChannel(channel: Pick<AriChannel, 'id'>, application: string): string | null {
  return uuidBehind(channel.id, mediaChannelId(application, ''))
}

/** The media UUID of the call that a bridge was made for by an engine of this application; null for any other. */
export function mediaUuidOfBridge(bridge: Pick<AriBridge, 'id'>, application: string): string | null {
  return uuidBehind(bridge.id, bridgeId(application, ''))
}

function uuidBehind(id: string, prefix: string): string | null {
  const rest = id.startsWith(prefix) ? id.slice(prefix.length) : ''
  return uuidPattern.test(rest) ? rest : null
}
