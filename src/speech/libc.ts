import { dlopen, FFIType } from 'bun:ffi'

/**
 * The calls of the C library that no runtime API offers: a thread's own priority, a process's scheduling policy, the
 * environment that libraries see (`process.env` is JavaScript's copy), and a lock on a file that the kernel gives back when
 * its holder dies, however it dies. Where the library can't be opened (another system, another name) each says so by its
 * return value and the engine goes on without.
 */
function open() {
  const names = process.platform === 'darwin' ? ['libSystem.B.dylib'] : ['libc.so.6', `libc.musl-${muslArch()}.so.1`]
  for (const name of names) {
    try {
      return dlopen(name, {
        setpriority: { args: [FFIType.i32, FFIType.u32, FFIType.i32], returns: FFIType.i32 },
        setenv: { args: [FFIType.cstring, FFIType.cstring, FFIType.i32], returns: FFIType.i32 },
        flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
      }).symbols
    } catch {
      // Not this C library; the next name may be the one.
    }
  }
  return null
}

function muslArch(): string {
  return process.arch === 'arm64' ? 'aarch64' : 'x86_64'
}

let symbols: ReturnType<typeof open> | undefined
function libc(): ReturnType<typeof open> {
  if (symbols === undefined) symbols = open()
  return symbols
}

/**
 * Lowers the priority of the calling thread, and of every thread it creates from now on. On Linux a "process" of
 * setpriority(2) is a thread, so the main thread, which carries the audio, is not touched.
 * @param nice 0 (normal) to 19 (only when nobody else wants the core)
 */
export function lowerThreadPriority(nice: number): boolean {
  // PRIO_PROCESS = 0; who = 0 is the calling thread. Elsewhere than on Linux it would be the whole process.
  return process.platform === 'linux' && libc()?.setpriority(0, 0, nice) === 0
}

let scheduler: ReturnType<typeof openScheduler> | undefined
function openScheduler() {
  try {
    return dlopen('libc.so.6', {
      sched_setscheduler: { args: [FFIType.i32, FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
    }).symbols
  } catch {
    // musl has the name alone.
    return null
  }
}

/**
 * Lets a process run only where nothing else wants the core, with the threads that it makes from now on. A niceness is a
 * share, and no rank: whoever has one keeps the core for some milliseconds while others of a better one wait. A process of
 * SCHED_IDLE gives it up at once.
 */
export function runWhereIdle(pid: number): boolean {
  if (process.platform !== 'linux') return false
  if (scheduler === undefined) scheduler = openScheduler()
  const schedIdle = 5
  // struct sched_param: the only priority of this policy is 0.
  return scheduler?.sched_setscheduler(pid, schedIdle, new Int32Array(1)) === 0
}

/** Sets a variable in the environment that C libraries of this process read. */
export function setLibraryVariable(name: string, value: string): boolean {
  const bytes = (text: string) => Buffer.from(`${text}\0`)
  return libc()?.setenv(bytes(name), bytes(value), 1) === 0
}

/** Takes the exclusive lock of an open file, or says at once that somebody holds it. `unknown`: no such call here. */
export function tryLockFile(fd: number): 'locked' | 'held' | 'unknown' {
  const lockExclusive = 2
  const doNotWait = 4
  const answer = libc()?.flock(fd, lockExclusive | doNotWait)
  if (answer === undefined) return 'unknown'
  return answer === 0 ? 'locked' : 'held'
}
