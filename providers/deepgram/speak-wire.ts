import * as v from 'valibot'
import { identifier } from '#base/identifier.ts'

/** Messages of Aura's socket → what a voice does with them; pure, without a socket. */
export type SpeakMessage =
  /** All audio of what was flushed has been sent. */
  | { readonly type: 'flushed' }
  /** What comes now was asked for after the clear. */
  | { readonly type: 'cleared' }
  | { readonly type: 'warning'; readonly code: string }
  | { readonly type: 'error'; readonly code: string }
  | { readonly type: 'acknowledged' }

const shape = v.looseObject({ type: v.string(), code: v.nullish(v.string()), err_code: v.nullish(v.string()) })

export function readSpeakMessage(text: string): SpeakMessage | 'unknown' | 'malformed' {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'malformed'
  }
  const parsed = v.safeParse(shape, value)
  if (!parsed.success) return 'malformed'
  const { type, code, err_code: otherCode } = parsed.output
  switch (type) {
    case 'Flushed':
      return { type: 'flushed' }
    case 'Cleared':
      return { type: 'cleared' }
    case 'Warning':
      return { type: 'warning', code: identifier(code) || 'unnamed' }
    case 'Error':
      return { type: 'error', code: identifier(code ?? otherCode) || 'unnamed' }
    case 'Metadata':
      return { type: 'acknowledged' }
    default:
      return 'unknown'
  }
}
