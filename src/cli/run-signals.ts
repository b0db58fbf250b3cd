import { closeSync, openSync } from 'node:fs'
import type { Clock, Milliseconds } from '#base/clock.ts'

/**
 * What the signals of a running engine ask for. SIGHUP has two meanings: somebody wants the configuration read anew, or
 * the terminal that the engine runs in has been closed. In the second case the terminal is gone by the time the signal
 * comes, and an engine that stayed would hold its ports with nobody to see it.
 */
export interface SignalActions {
  stop(signal: NodeJS.Signals): void
  /** Asked again, after a second or more: no more patience. */
  hurry(): void
  reload(): void
}

export interface SignalDeps {
  readonly clock: Clock
  readonly actions: SignalActions
  readonly on?: (signal: NodeJS.Signals, listener: () => void) => void
  /** Is there a terminal that this process belongs to? */
  readonly hasTerminal?: () => boolean
}

/** Signals so close together are one request to stop. */
const sameRequestMs: Milliseconds = 1000

export function followSignals(deps: SignalDeps): void {
  const { clock, actions, on = onProcess, hasTerminal = terminalThere } = deps
  let askedMs: Milliseconds | null = null
  const stop = (signal: NodeJS.Signals) => {
    const nowMs = clock.now()
    // One request can arrive twice: from the terminal or a supervisor, and handed on by the program in between.
    if (askedMs !== null && nowMs - askedMs < sameRequestMs) return
    actions.stop(signal)
    if (askedMs !== null) actions.hurry()
    askedMs = nowMs
  }
  const began = hasTerminal()
  on('SIGTERM', () => stop('SIGTERM'))
  on('SIGINT', () => stop('SIGINT'))
  on('SIGHUP', () => {
    if (began && !hasTerminal()) stop('SIGHUP')
    else actions.reload()
  })
}

function onProcess(signal: NodeJS.Signals, listener: () => void): void {
  process.on(signal, listener)
}

/** `/dev/tty` can be opened only by a process that has a controlling terminal. */
function terminalThere(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}
