import type { AccountState } from './account-watch.ts'
import type { CallContext, Provider, Role, SessionOf } from './provider.ts'
import type { Tally } from './tally.ts'

/** A provider whose sessions have a connection each to a vendor's server: it is ready when its account is. */
export interface ServerProviderParts<R extends Role>
  extends Required<Pick<Provider<R>, 'name' | 'role' | 'turnDetection' | 'audioRates'>>,
    Pick<Provider<R>, 'wordsIn'> {
  /** For whoever comes when it is closed: `agent`, `voice` … */
  readonly what: string
  readonly account: { readonly state: AccountState; start(): void; close(): Promise<void> }
  readonly tally: Tally
  /** What starts and ends with it. */
  readonly beside?: Pick<Provider<R>, 'start' | 'close'>
  readonly open: (context: CallContext) => SessionOf<R>
}

export function serverProvider<R extends Role>(parts: ServerProviderParts<R>): Provider<R> {
  const { name, role, turnDetection, audioRates, wordsIn, what, account, tally, beside, open } = parts
  let closed = false
  return {
    name,
    role,
    turnDetection,
    readiness: () => account.state.readiness,
    audioRates,
    events: () => tally.all,
    ...(wordsIn === undefined ? {} : { wordsIn }),
    start() {
      account.start()
      beside?.start()
    },
    open: (context) => (closed ? Promise.reject(new Error(`the ${what} is closed`)) : Promise.resolve(open(context))),
    async close() {
      closed = true
      await Promise.all([account.close(), beside?.close()])
    },
  }
}
