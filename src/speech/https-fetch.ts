import type { Clock, Milliseconds } from '#base/clock.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import { failureOf, type ModelFailure, VerifiedFile } from './verified-file.ts'

/**
 * One file over HTTPS, resumed where the connection broke. Two deadlines, because a model may rightly take minutes:
 * one for the first answer, one for silence between two pieces.
 */
const answerDeadlineMs: Milliseconds = 6_000
const silenceDeadlineMs: Milliseconds = 20_000
/** How often a transfer that broke in the middle is taken up again. */
const resumesMax = 3

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface HttpsRequest {
  readonly url: string
  readonly expected: { readonly bytes: number; readonly sha256: string }
  /** Kept when the transfer breaks, so that the next run resumes; removed when the content is wrong or the disk full. */
  readonly partialPath: string
  readonly path: string
  readonly clock: Clock
  readonly fetch: Fetch
  readonly onBytes: (doneBytes: number) => void
}

/** `unreachable` means the network, not this file: no other web source is worth a wait in this run. */
export async function fetchHttps(request: HttpsRequest): Promise<Result<void, ModelFailure>> {
  for (let attempt = 0; ; attempt++) {
    const result = await attemptFetch(request)
    if (result.ok || result.error.code !== 'cut_short' || attempt >= resumesMax) return result
  }
}

async function attemptFetch(request: HttpsRequest): Promise<Result<void, ModelFailure>> {
  let file: VerifiedFile
  try {
    file = new VerifiedFile(request.partialPath, true)
    // A whole partial file is either right or of no use: begin anew unless it can still grow.
    if (file.bytesWritten > request.expected.bytes) {
      file.discard()
      file = new VerifiedFile(request.partialPath)
    }
  } catch (thrown) {
    return failed(failureOf(thrown))
  }
  if (file.bytesWritten === request.expected.bytes) return file.commit(request.path, request.expected)

  const received = await receive(request, file)
  if (received.ok) return received.value.commit(request.path, request.expected)
  // What is there is worth resuming, whatever keeps the rest away now; a full disk wants its room back.
  const { code } = received.error
  if (code === 'disk_full' || code === 'wrong_content' || file.bytesWritten === 0) file.discard()
  else file.keep()
  return received
}

async function receive(request: HttpsRequest, resumed: VerifiedFile): Promise<Result<VerifiedFile, ModelFailure>> {
  const { clock, expected } = request
  const abort = new AbortController()
  let lastActivity = clock.now()
  let deadlineMs = answerDeadlineMs
  using _watch = clock.every(500, (now) => {
    if (now - lastActivity > deadlineMs) abort.abort(new Error(`no answer for ${deadlineMs / 1000} s`))
  })
  let response: Response
  const from = resumed.bytesWritten
  try {
    response = await request.fetch(request.url, {
      signal: abort.signal,
      headers: { 'accept-encoding': 'identity', ...(from > 0 ? { range: `bytes=${from}-` } : {}) },
    })
  } catch (thrown) {
    return failed({ code: 'unreachable', message: `could not be reached (${messageOf(thrown)})` })
  }
  deadlineMs = silenceDeadlineMs
  lastActivity = clock.now()
  let file = resumed
  try {
    if (!response.ok || response.body === null) {
      await response.body?.cancel()
      // 416: it is shorter than what we have, which is no beginning of it.
      const code = response.status === 416 ? 'wrong_content' : 'not_found'
      return failed({ code, message: `answered ${response.status}` })
    }
    if (from > 0 && !continuesAt(response, from)) {
      // The server sends the whole file again.
      file.discard()
      file = new VerifiedFile(request.partialPath)
    }
    for await (const chunk of response.body) {
      lastActivity = clock.now()
      file.write(chunk)
      request.onBytes(file.bytesWritten)
      if (file.bytesWritten > expected.bytes) break
    }
  } catch (thrown) {
    const failure = failureOf(thrown)
    if (file !== resumed) file.keep()
    return failed(
      failure.code === 'disk_full' ? failure : { code: 'cut_short', message: cutMessage(file, expected.bytes, thrown) },
    )
  }
  if (file.bytesWritten < expected.bytes) {
    if (file !== resumed) file.keep()
    return failed({ code: 'cut_short', message: cutMessage(file, expected.bytes, 'the connection ended') })
  }
  return ok(file)
}

function continuesAt(response: Response, from: number): boolean {
  return response.status === 206 && (response.headers.get('content-range') ?? '').startsWith(`bytes ${from}-`)
}

function cutMessage(file: VerifiedFile, expectedBytes: number, why: unknown): string {
  return `broke off after ${file.bytesWritten} of ${expectedBytes} bytes (${messageOf(why)})`
}
