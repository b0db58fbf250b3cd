/**
 * Audio that Asterisk fetches to play it, under names that cannot be guessed: whoever knows one has it from Asterisk.
 */
export interface MediaFiles {
  /** Null: there is no such file (any more). */
  read(name: string): Uint8Array | null
}

/**
 * Its Content-Type says nothing, so that Asterisk's media cache takes the format from the name, as it has to: it knows no
 * type for signed linear. `no-cache` and no ETag make it ask for the whole file each time, since a name is used again for
 * other audio; `no-store` is for proxies between.
 */
export function mediaFileResponse(files: MediaFiles | undefined, name: string): Response | null {
  const bytes = files?.read(name) ?? null
  if (bytes === null) return null
  return new Response(bytes, {
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(bytes.length),
      'cache-control': 'no-store, no-cache',
    },
  })
}
