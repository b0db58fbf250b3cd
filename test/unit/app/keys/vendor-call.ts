import type { KeyCall } from '../../../fakes/key-call.ts'
import type { KeyWorld, Tree } from '../../../fakes/key-world.ts'
import type { Probe } from './probe.ts'

/** Keys of an agent behind a server: what its stand-in is told of a call, and when. */
export interface VendorServer {
  silent: boolean
  readonly urls: readonly string[]
  readonly headers: readonly Readonly<Record<string, string>>[]
  readonly sessions: readonly unknown[]
}

export interface VendorCall<Session> {
  readonly up: KeyCall
  readonly world: KeyWorld
  readonly session: Session
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

export interface VendorOptions<Session, Script> {
  readonly name: string
  readonly server: (world: KeyWorld) => VendorServer
  /** The last. */
  readonly session: (world: KeyWorld) => Session
  /** A stand-in that has met nobody. @param replies what it says, where it is not at its ease */
  readonly renew: (world: KeyWorld, replies?: Script) => void
  /** So long after the greeting the caller may speak. */
  readonly greetedMs: number
  /** Of the caller, as far as the server has found any. */
  readonly turns: (session: Session) => number
  /** Its filler is waited for so long. */
  readonly fillerMaxMs: number
  /** Says nothing to a turn. */
  readonly mute: Script
}

export type VendorProbe<Session, Script> = (
  values: readonly [unknown, unknown],
  look: (call: VendorCall<Session>) => unknown,
  rest?: Partial<Probe> & { options?: Tree; replies?: Script },
) => Probe

/** A key that the session of a call shows. */
export function vendorProbe<Session, Script>({
  name,
  server,
  session,
  renew,
}: VendorOptions<Session, Script>): VendorProbe<Session, Script> {
  return (values, look, { options = {}, replies, ...rest } = {}) => ({
    values,
    around: chosen(name, options),
    seen: 'wire',
    begin: async (world) => {
      renew(world, replies)
      const up = await world.call()
      await world.turn()
      const { urls, headers } = server(world)
      const seen = { up, world, session: session(world), url: urls.at(-1) ?? '', headers: headers.at(-1) ?? {} }
      return () => look(seen)
    },
    ...rest,
  })
}

/** Keys that each such agent has, with the same meaning. */
export function sharedProbes<Session, Script>(vendor: VendorOptions<Session, Script>): Readonly<Record<string, Probe>> {
  const { name, server, mute } = vendor
  const place = `providers.${name}`
  const probe = vendorProbe(vendor)
  return {
    [`${place}.enabled`]: {
      values: [true, false],
      shows: ['not_ready', 'unknown_provider'],
      seen: 'call',
      atOnce: true,
      begin: (world) => () => world.outcome({ provider: name }),
    },
    [`${place}.connect_timeout_ms`]: {
      values: [2000, 4000],
      around: chosen(name),
      seen: 'wire',
      begin: attempts(vendor),
    },
    [`${place}.reply_timeout_ms`]: probe([2000, 3000], (call) => fillerAfter(vendor, call), { replies: mute }),
    // As long as the local voice needs for its words.
    [`${place}.filler`]: probe(
      ['One moment.', 'One moment, please, I am looking it up.'],
      async (call) => {
        await fillerAfter(vendor, call)
        return await soundMs(call.up)
      },
      { replies: mute, shows: [200, 760] },
    ),
    [`${place}.renew_after_ms`]: probe([10_000, 20_000], async ({ up, world }) => {
      const { sessions } = server(world)
      const { length } = sessions
      const fromMs = up.nowMs
      await up.until(() => sessions.length > length, 40_000)
      return Math.round((up.nowMs - fromMs) / 10_000) * 10_000
    }),
  }
}

/** Calls go to this one. */
export function chosen(name: string, options: Tree = {}): Tree {
  return { active_pipeline: '', default_provider: name, providers: { [name]: options } }
}

/** How long after the caller's turn something is heard that is not the server's. */
async function fillerAfter<Session, Script>(
  { greetedMs, turns, fillerMaxMs }: VendorOptions<Session, Script>,
  { up, session }: VendorCall<Session>,
): Promise<number> {
  await up.pass(greetedMs)
  await up.pass(800, 1)
  const before = turns(session)
  await up.until(() => turns(session) > before, 3000)
  return Math.floor(((await up.soundsAfter(fillerMaxMs)) ?? Number.NaN) / 100) * 100
}

/** How long a sound lasts that has begun. */
async function soundMs(up: KeyCall): Promise<number> {
  const before = up.levels.length
  await up.until(() => up.levels.length > before + 1 && up.levels.at(-1) === 0, 10_000)
  return up.levels.slice(before).filter((level) => level > 0).length * 20
}

/** From one attempt to open a session to the next. */
function attempts<Session, Script>({ server, renew }: VendorOptions<Session, Script>): Probe['begin'] {
  return async (world) => {
    renew(world)
    server(world).silent = true
    const { urls } = server(world)
    const up = await world.call()
    return async () => {
      const fromMs = up.nowMs
      const { length } = urls
      await up.until(() => urls.length > length, 30_000)
      // The pause between two attempts is chance, and below a second.
      return Math.floor((up.nowMs - fromMs) / 1000) * 1000
    }
  }
}
