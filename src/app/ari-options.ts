import type { Configuration } from '#config/schema.ts'

/** The configuration of the connection to Asterisk as its clients take it. */
export function requestOptions({ host, port, username, password, request_timeout_ms }: Configuration['asterisk']) {
  return { host, port, username, password, requestTimeoutMs: request_timeout_ms }
}

export function eventOptions(asterisk: Configuration['asterisk']) {
  return {
    ...requestOptions(asterisk),
    application: asterisk.app_name,
    pingIntervalMs: asterisk.ping_interval_ms,
    pingTimeoutMs: asterisk.ping_timeout_ms,
    reconnectMaxMs: asterisk.reconnect_max_ms,
  }
}
