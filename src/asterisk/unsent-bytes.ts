import { dlopen, FFIType, ptr } from 'bun:ffi'

/**
 * How much of what was written to a TCP socket the kernel has not sent yet. Its buffer grows to megabytes by itself, which
 * are minutes of telephone audio, and a small SO_SNDBUF is no bound: Linux goes on filling a segment it has begun, up to
 * 64 KiB of small messages. So the kernel is asked (`SIOCOUTQNSD` of linux/sockios.h). What is under way is not in it, so
 * that a long round trip counts for nothing; nor is what the peer's kernel has taken and the peer has not read.
 */
const unsentRequest = 0x894b

function open() {
  if (process.platform !== 'linux') return null
  for (const name of ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`]) {
    try {
      return dlopen(name, { ioctl: { args: [FFIType.i32, FFIType.u64, FFIType.ptr], returns: FFIType.i32 } }).symbols
    } catch {
      // Not this C library; the next name may be the one.
    }
  }
  return null
}

let symbols: ReturnType<typeof open> | undefined
/** Made once: nothing is made for each question. On a buffer of its own, which stays where it is. */
const answer = new Int32Array(new ArrayBuffer(4))
const answerAt = ptr(answer)

/** Of one of Bun's sockets; 0 also where this system, or this Bun, does not tell. About a microsecond. */
export function unsentBytes(socket: object): number {
  if (symbols === undefined) symbols = open()
  // Not in Bun's types, but in its sockets; −1 for a closed one.
  const { fd } = socket as { readonly fd?: unknown }
  if (symbols === null || typeof fd !== 'number' || fd < 0) return 0
  // Read as if another thread had written it: a compiled loop takes a plain read for one that it has done before.
  return symbols.ioctl(fd, unsentRequest, answerAt) === 0 ? Atomics.load(answer, 0) : 0
}
