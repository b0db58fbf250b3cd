/** The body of an answer as text, or null where it is longer than `bytesMax`: a server that never ends is left. */
export async function readBounded(response: Response, bytesMax: number): Promise<string | null> {
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for await (const bytes of response.body ?? []) {
    length += bytes.length
    // Leaving the loop closes the connection.
    if (length > bytesMax) return null
    text += decoder.decode(bytes, { stream: true })
  }
  return text + decoder.decode()
}
