import type { SessionSeen } from './provider-wire.ts'
import { commonNow } from './turns-wire.ts'

/** What is noted of a stand-in's session, whosesoever: when what came in and left. */
export interface WatchedSession {
  /** Audio messages so far. */
  readonly appends: () => number
  readonly bytes: () => { readonly receivedBytes: number; readonly sentBytes: number }
  readonly seen: () => Pick<SessionSeen, 'call' | 'speechStarted' | 'errors'>
}

export class SessionWatch {
  private readonly session: WatchedSession
  private readonly appends: number[] = []
  private readonly replies: number[] = []

  constructor(session: WatchedSession) {
    this.session = session
  }

  /** A message is timed before it is read. */
  timed<Message>(receive: (message: Message) => void): (message: Message) => void {
    return (message) => {
      const [atMs, before] = [commonNow(), this.session.appends()]
      receive(message)
      if (this.session.appends() > before) this.appends.push(atMs)
    }
  }

  /** A piece of a reply leaves. */
  audio(startMs: number): void {
    if (startMs === 0) this.replies.push(commonNow())
  }

  get bytes() {
    return this.session.bytes()
  }

  seen(): SessionSeen {
    return { ...this.session.seen(), appends: this.appends, replies: this.replies }
  }
}
