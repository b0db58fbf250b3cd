import type { Clock, Milliseconds } from '#base/clock.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'

/** One look at a vendor's server over HTTP, which nobody waits for without end: whatever it answers is an answer. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface ServerLook<Answer> {
  readonly clock: Clock
  readonly fetch?: Fetch | undefined
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Nobody wants to know any more. */
  readonly signal: AbortSignal
  /** What the answer says; its body counts towards the time that there is. */
  readonly read: (response: Response) => Promise<Answer>
}

const answerMaxMs: Milliseconds = 5000

/** Never rejects; a failure says why there was no answer, and completes "cannot be reached:". */
export async function lookAtServer<Answer>(look: ServerLook<Answer>): Promise<Result<Answer, string>> {
  const { clock, url, headers } = look
  const deadline = new AbortController()
  using _ = clock.after(answerMaxMs, () => deadline.abort())
  try {
    const signal = AbortSignal.any([deadline.signal, look.signal])
    return ok(await look.read(await (look.fetch ?? fetch)(url, { headers, signal })))
  } catch (thrown) {
    return failed(deadline.signal.aborted ? `no answer within ${answerMaxMs} ms` : networkError(thrown))
  }
}

/** Network errors name hosts and ports, never contents; Bun adds advice for programmers to them. */
export function networkError(thrown: unknown): string {
  const message = messageOf(thrown)
  return message.split(/[.?] /)[0] ?? message
}
