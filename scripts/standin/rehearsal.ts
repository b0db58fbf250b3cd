import type {
  Reply,
  ReplyAudio,
  ReplyFault,
  ReplyRequest,
  ReplyScript,
} from '../../test/standin/openai-realtime/options.ts'

/**
 * What a stand-in says that runs by itself: it understands no word, and says so. After some turns it says goodbye, and
 * ends the call by the tool for that, where the session has one.
 */
export const sentences = [
  'Hello. You are connected to a stand-in for the language model. Say something, please.',
  'I have heard you. I understand no words, so that is what I say to everything. You may interrupt me at any time while I speak, and I will stop at once.',
  'That was another turn. The model that I stand in for would have answered it.',
  'Everything works so far. Go on, or hang up whenever you like.',
  'This has been a good rehearsal. Goodbye.',
] as const

/** Turns before the goodbye. */
export const answersMax = 5
export const toolForTheEnd = 'terminate_call'

export interface RehearsalOptions {
  /** Of each sentence; null: tones. */
  readonly voice: readonly ReplyAudio[] | null
  /** Length of a reply in tones. */
  readonly replyMs: number | null
  readonly fault: ReplyFault | null
  /** Which reply of a session has the fault, from 1. */
  readonly faultAt: number
}

export function rehearsal({ voice, replyMs, fault, faultAt }: RehearsalOptions): ReplyScript {
  const last = sentences.length - 1
  // The same objects again and again: they are encoded once.
  const replies = sentences.map((text, index): Reply => {
    const audio = voice?.[index]
    return { text, ...(audio === undefined ? (replyMs === null ? {} : { ms: replyMs }) : { audio }) }
  })
  const goodbye: Reply = {
    ...replies[last],
    calls: [{ name: toolForTheEnd, arguments: { reason: 'the rehearsal is over' } }],
  }
  return (request) => {
    const reply = chosen(request, replies, goodbye)
    return fault !== null && request.index === faultAt - 1 ? { ...reply, fault } : reply
  }
}

function chosen(
  { index, session, afterFunctionOutput }: ReplyRequest,
  replies: readonly Reply[],
  goodbye: Reply,
): Reply {
  const { tools } = session.settings
  const canEnd = tools.some((tool) => tool.type === 'function' && tool.name === toolForTheEnd)
  if (canEnd && !afterFunctionOutput && index === answersMax) return goodbye
  const answers = replies.slice(1, -1)
  return (index === 0 ? replies[0] : answers[(index - 1) % answers.length]) ?? goodbye
}
