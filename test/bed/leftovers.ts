// What an engine holds while no call is live, to be compared with what it held before: every gauge, each kind of open
// file, threads, and what Asterisk has.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { Asterisk } from './asterisk.ts'
import type { BedEngine } from './engine.ts'

/** Values by name; a name that is missing is 0. */
export type Holdings = Readonly<Record<string, number>>

/** Gauges that are no holding: memory is compared after a collection, open files by kind; a warm-up is experience, and a day goes on. */
const notHeld = [
  'process_resident_memory_bytes',
  'process_open_fds',
  'process_start_time_seconds',
  'ai_agent_warm_up_extra_seconds',
  'ai_agent_provider_minutes_today',
]

const toAsterisk = 'open: kept connections to Asterisk'
const toModel = 'open: kept connections to the language model'
const fromReaders = 'open: from readers of /metrics'

/**
 * Connections that are kept for the next request, so that their number is chance: as many as there may be requests at
 * once. Asterisk ends one that was idle for 15 s: who waits so long finds none.
 */
export interface Tolerance {
  readonly toAsterisk: number
  readonly toModel: number
  /** A timer that watches the start of the language model runs out in its first minute. */
  readonly fewerTimers: boolean
}

/** The bed's own. */
const readersMax = 4

export async function holdings(engine: BedEngine, asterisk: Asterisk, ariPort: number): Promise<Holdings> {
  const [gauges, channels, bridges] = await Promise.all([gaugesOf(engine), asterisk.channels(), asterisk.bridges()])
  return {
    'channels in Asterisk': channels.length,
    'bridges in Asterisk': bridges.length,
    ...gauges,
    ...openFiles(engine.pid, {
      http: Number(new URL(engine.httpUrl).port),
      ari: ariPort,
      media: engine.audioSocketPort,
    }),
    threads: readdirSync(`/proc/${engine.pid}/task`).length,
    'child processes': childrenOf(engine.pid),
  }
}

/** What is not as before, in words. The runtime may let go of helper threads; it takes none for a call. */
export function differences(before: Holdings, now: Holdings, tolerance: Tolerance): string[] {
  const limits: Holdings = {
    [toAsterisk]: tolerance.toAsterisk,
    [toModel]: tolerance.toModel,
    [fromReaders]: readersMax,
    threads: before.threads ?? 0,
    ...(tolerance.fewerTimers ? { ai_agent_timers: before.ai_agent_timers ?? 0 } : {}),
  }
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])]
  return names.flatMap((name) => {
    const [was, is] = [before[name] ?? 0, now[name] ?? 0]
    const limit = limits[name]
    const same = limit === undefined ? is === was : is <= limit
    return same ? [] : [`${name}: ${was} before, ${is} now`]
  })
}

async function gaugesOf(engine: BedEngine): Promise<Record<string, number>> {
  const lines = (await (await fetch(`${engine.httpUrl}/metrics`)).text()).split('\n')
  const gauges = lines.flatMap((line) => /^# TYPE (\S+) gauge$/.exec(line)?.[1] ?? [])
  const held = gauges.filter((name) => !notHeld.includes(name))
  return Object.fromEntries(
    lines
      .filter((line) => held.includes(/^[a-z_]+/.exec(line)?.[0] ?? ''))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

function openFiles(
  pid: number,
  ports: { readonly http: number; readonly ari: number; readonly media: number },
): Record<string, number> {
  const tcp = [...socketTable(pid, 'tcp'), ...socketTable(pid, 'tcp6')]
  const udp = [...socketTable(pid, 'udp'), ...socketTable(pid, 'udp6')]
  const counts: Record<string, number> = {}
  for (const entry of readdirSync(`/proc/${pid}/fd`)) {
    let target = ''
    try {
      target = readlinkSync(`/proc/${pid}/fd/${entry}`)
    } catch {
      continue
    }
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
    const kind = inode === undefined ? fileKind(target) : socketKind(inode)
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  // The event socket is the one of them that is meant to stay.
  return { ...counts, [toAsterisk]: Math.max(0, (counts[toAsterisk] ?? 0) - 1) }

  function socketKind(inode: string): string {
    const stream = tcp.find((socket) => socket.inode === inode)
    if (stream !== undefined) {
      if (stream.listens) return 'open: listening sockets'
      if (stream.remotePort === ports.ari) return toAsterisk
      return stream.localPort === ports.http
        ? fromReaders
        : stream.localPort === ports.media
          ? 'open: AudioSocket connections'
          : toModel
    }
    return udp.some((socket) => socket.inode === inode) ? 'open: UDP sockets' : 'open: other sockets'
  }
}

function fileKind(target: string): string {
  if (target.startsWith('pipe:')) return 'open: pipes'
  return target.startsWith('anon_inode:') ? 'open: poll, event and timer handles' : 'open: files'
}

interface SocketEntry {
  readonly inode: string
  readonly localPort: number
  readonly remotePort: number
  readonly listens: boolean
}

/** Lines of /proc/PID/net/tcp: number, local and remote address in hexadecimal, state (0A listens), …, inode as tenth. */
function socketTable(pid: number, name: string): SocketEntry[] {
  const port = (address: string | undefined) => Number.parseInt(address?.split(':')[1] ?? '0', 16)
  return readFileSync(`/proc/${pid}/net/${name}`, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .map((words) => ({
      inode: words[9] ?? '',
      localPort: port(words[1]),
      remotePort: port(words[2]),
      listens: words[3] === '0A',
    }))
}

function childrenOf(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`)
  return tasks.flatMap((task) => {
    try {
      return readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean)
    } catch {
      return []
    }
  }).length
}
