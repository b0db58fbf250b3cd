import { readFileSync } from 'node:fs'
import { rounded } from './media-figures.ts'

/** What the scheduler has counted of one thread. */
export interface ThreadTimes {
  readonly atMs: number
  /** On a core. */
  readonly ranMs: number
  /** Ready to run, with no core to run on: what others have taken from it. */
  readonly waitedMs: number
}

/** Of the main thread of a process; null where the system does not tell. */
export function threadTimes(pid: number): ThreadTimes | null {
  try {
    const [ran, waited] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ').map(Number)
    if (ran === undefined || waited === undefined) return null
    return { atMs: performance.now(), ranMs: ran / 1e6, waitedMs: waited / 1e6 }
  } catch {
    return null
  }
}

/** Milliseconds a second. */
export interface ThreadShare {
  readonly ran: number
  readonly waited: number
}

/** What it ran and waited between the two. */
export function perSecond(from: ThreadTimes, until: ThreadTimes): ThreadShare {
  const seconds = (until.atMs - from.atMs) / 1000
  return {
    ran: rounded((until.ranMs - from.ranMs) / seconds, 1),
    waited: rounded((until.waitedMs - from.waitedMs) / seconds, 1),
  }
}
