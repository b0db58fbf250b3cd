/**
 * The HTTP status that a WebSocket's upgrade was refused with. Bun tells it only in its words, behind a URL whose port and
 * query may hold the same digits: `WebSocket connection to 'ws://…' failed: Expected 101 status code: 404`.
 *
 * @param why the message of the socket's error
 * @returns null where it was not refused by HTTP
 */
export function refusedWith(why: string): number | null {
  const status = /status code:? (\d{3})\b/i.exec(why)?.[1]
  return status === undefined ? null : Number(status)
}
