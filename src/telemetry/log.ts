import type { Clock } from '#base/clock.ts'
import type { Log, LogFields, LogLevel } from '#base/log.ts'

/** Writes log lines to one sink, as JSON lines or for a reader's eyes. Never called on the 20 ms path. */
export interface LogOptions {
  /** Level and format are read at each line: a getter may change them while the engine runs. */
  readonly level: LogLevel
  readonly format: 'json' | 'pretty'
  readonly clock: Clock
  /** One line, without its line break. */
  readonly write: (line: string) => void
}

const order: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }

export function createLog(options: LogOptions, bound: LogFields = {}): Log {
  const say = (level: LogLevel, message: string, fields: LogFields = {}) => {
    if (order[level] < order[options.level]) return
    const all = { ...bound, ...fields }
    const time = new Date(options.clock.wallNow()).toISOString()
    options.write(
      options.format === 'json' ? JSON.stringify({ time, level, message, ...all }) : pretty(time, level, message, all),
    )
  }
  return {
    debug: (message, fields) => say('debug', message, fields),
    info: (message, fields) => say('info', message, fields),
    warn: (message, fields) => say('warn', message, fields),
    error: (message, fields) => say('error', message, fields),
    with: (fields) => createLog(options, { ...bound, ...fields }),
  }
}

function pretty(time: string, level: LogLevel, message: string, fields: LogFields): string {
  const rest = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === 'string' && /\s/.test(value) ? JSON.stringify(value) : value}`)
  return [time.slice(11, 23), level.toUpperCase().padEnd(5), message, ...rest].join(' ')
}

/** Says everything to both. */
export function joinLogs(first: Log, second: Log): Log {
  const both = (level: LogLevel) => (message: string, fields?: LogFields) => {
    first[level](message, fields)
    second[level](message, fields)
  }
  return {
    debug: both('debug'),
    info: both('info'),
    warn: both('warn'),
    error: both('error'),
    with: (fields) => joinLogs(first.with(fields), second.with(fields)),
  }
}
