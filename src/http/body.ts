import type { Context } from 'hono'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { failed, ok, type Result } from '#base/result.ts'

/** What is taken of a request's body. */
export interface BodyBounds {
  readonly bytesMax: number
  /** From the first byte to the last. */
  readonly maxMs: Milliseconds
}

export interface BodyRefusal {
  readonly status: 400 | 408 | 413
  readonly error: string
}

/** A command's words. */
export const wordsBounds: BodyBounds = { bytesMax: 1024, maxMs: 2000 }

/** The body as text, within its bounds. */
export async function textBody(
  context: Context,
  clock: Clock,
  { bytesMax, maxMs }: BodyBounds,
): Promise<Result<string, BodyRefusal>> {
  const tooLarge = failed<BodyRefusal>({ status: 413, error: `expected a body of at most ${bytesMax} bytes` })
  const request = context.req.raw
  if (Number(request.headers.get('content-length') ?? 0) > bytesMax) return tooLarge
  if (request.body === null) return ok('')
  const reader = request.body.getReader()
  const late = Promise.withResolvers<'late'>()
  using _limit = clock.after(maxMs, () => late.resolve('late'))
  const parts: Uint8Array[] = []
  let bytes = 0
  while (bytes <= bytesMax) {
    const read = await Promise.race([reader.read(), late.promise])
    if (read === 'late') {
      void reader.cancel().catch(() => {})
      return failed({ status: 408, error: `the body did not end within ${maxMs} ms` })
    }
    if (read.done) return decoded(Buffer.concat(parts))
    bytes += read.value.length
    parts.push(read.value)
  }
  void reader.cancel().catch(() => {})
  return tooLarge
}

function decoded(bytes: Uint8Array): Result<string, BodyRefusal> {
  try {
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return failed({ status: 400, error: 'the body is not UTF-8 text' })
  }
}
