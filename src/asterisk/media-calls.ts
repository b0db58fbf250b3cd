import type { WireFormat } from '#audio/format.ts'
import type { Admission } from '#call/admission.ts'
import { noWishes } from '#call/choice.ts'
import type { Leg } from '#call/leg.ts'
import type { PbxSide } from '#call/pbx-side.ts'
import type { SessionStore } from '#call/session-store.ts'
import type { Acceptance } from './door.ts'

/**
 * Who takes a media connection: the call that announced its UUID through ARI; or, where `audiosocket.accept_unannounced`
 * allows it, a new call of its own, made by `AudioSocket(uuid,host:port)` in the dialplan or by `patchcord dial`. Such
 * a call has no ARI side: ending the connection is all that can be done with it, and the dialplan goes on from there.
 */
export class MediaCalls {
  private readonly store: SessionStore
  private readonly admission: Admission
  private readonly unannouncedWire: () => WireFormat | null

  /** `unannouncedWire`: what such a call speaks now; null where none is taken. */
  constructor(store: SessionStore, admission: Admission, unannouncedWire: () => WireFormat | null) {
    this.store = store
    this.admission = admission
    this.unannouncedWire = unannouncedWire
  }

  accept(uuid: string, leg: Leg): Acceptance {
    const announced = this.store.byMediaUuid(uuid)
    if (announced !== undefined) return announced.attachLeg(leg) === 'attached' ? 'accepted' : 'duplicate_uuid'
    // A connection that comes after its call has ended must not become a call of its own.
    const wire = this.unannouncedWire()
    if (wire === null || this.store.endedLately(uuid)) {
      this.store.noteUnknown('media')
      return 'unknown_uuid'
    }
    const call = this.admission.admit({
      id: uuid,
      caller: { number: '', name: '', dialled: '' },
      origin: 'dialplan',
      transport: 'audiosocket',
      wire,
      pbx: noPbx,
      wishes: noWishes,
    })
    if (typeof call === 'string') return 'refused'
    this.store.bindMedia(uuid, call)
    call.answered()
    if (call.attachLeg(leg) !== 'attached') {
      void call.end('setup_failed')
      return 'refused'
    }
    call.bridged()
    return 'accepted'
  }
}

const noPbx: PbxSide = {
  files: null,
  callerCodec: () => Promise.resolve(null),
  channelEntered: () => {},
  carriesMedia: () => false,
  playbackEvent: () => {},
  kick: () => {},
  reopenMedia: () => Promise.resolve(false),
  release: () => Promise.resolve(),
}
