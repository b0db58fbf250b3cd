import type { Clock, Milliseconds } from '#base/clock.ts'

/**
 * How a worker ends: it is asked to, and ends itself in the handler of that message, where no run is under way. Ended
 * from outside in the middle of a run, ONNX Runtime's addon throws where nobody can catch it, and the whole process
 * aborts with every call in it. So nothing of ours calls `terminate`.
 *
 * A worker that hangs in a run is therefore left behind: the word lies in its queue, and it ends when the run returns.
 * Until then it holds its thread and its model, so there is a limit to how many may be left so.
 */
export interface LeavingWorker {
  onmessage: ((event: MessageEvent) => void) | null
  onerror: ((event: ErrorEvent) => void) | null
  addEventListener(type: 'close', listener: () => void): void
}

/** A model takes up to 300 MB: two that hang beside one that works is what a machine for three voices can bear. */
const leavingMax = 2
/** The longest run is a breath of speech, or the encoder over 30 s of it: a second or two. */
const endMaxMs: Milliseconds = 2_000

export class WorkerExit {
  private readonly clock: Clock
  private readonly onRoom: () => void
  private count = 0

  /** @param onRoom one that was left behind has ended */
  constructor(clock: Clock, onRoom: () => void) {
    this.clock = clock
    this.onRoom = onRoom
  }

  /** Workers that were asked to end and have not. */
  get leaving(): number {
    return this.count
  }

  /** No other worker may be started before one of them ends. */
  get full(): boolean {
    return this.count >= leavingMax
  }

  /**
   * Its owner hears nothing of it any more. Resolves when it has ended, or at a limit: a worker that is still in a run
   * then does no harm to a process that exits.
   * @param ask sends it the word
   */
  async leave(worker: LeavingWorker, ask: () => void): Promise<void> {
    const ended = Promise.withResolvers<void>()
    const limit = new AbortController()
    this.count += 1
    // A word sent before its `onmessage` stood is lost: it is asked again when it says that it listens.
    worker.onmessage = ask
    worker.onerror = () => {}
    worker.addEventListener('close', () => {
      this.count -= 1
      worker.onmessage = null
      ended.resolve()
      this.onRoom()
    })
    ask()
    await Promise.race([ended.promise, this.clock.sleep(endMaxMs, limit.signal)])
    limit.abort()
  }
}
