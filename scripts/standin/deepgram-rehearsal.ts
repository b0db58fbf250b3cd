import type { Reply, ReplyFault, ReplyRequest, ReplyScript } from '../../test/standin/deepgram/options.ts'
import type { StandinVoice } from './command.ts'
import { answersMax, sentences, toolForTheEnd } from './rehearsal.ts'

export interface DeepgramRehearsalOptions {
  readonly voice: StandinVoice
  /** Length of a reply in tones. */
  readonly replyMs: number | null
  readonly fault: ReplyFault | null
  /** Which reply of a session has the fault, from 1; the greeting is not counted. */
  readonly faultAt: number
}

/** The rehearsal as Deepgram's agent says it: the greeting is the client's text, in a sound of our own. */
export function deepgramRehearsal({ voice, replyMs, fault, faultAt }: DeepgramRehearsalOptions): {
  readonly replies: ReplyScript
  readonly greeting: Reply
} {
  // The same objects again and again: they are encoded once.
  const said = sentences.map((text, index): Reply => {
    const audio = voice?.[index]
    return { text, ...(audio === undefined ? (replyMs === null ? {} : { ms: replyMs }) : { audio }) }
  })
  const [greeting = {}, ...rest] = said
  const goodbye: Reply = {
    ...rest.at(-1),
    calls: [{ name: toolForTheEnd, arguments: { reason: 'the rehearsal is over' } }],
  }
  const answers = rest.slice(0, -1)
  const chosen = ({ index, session, afterFunctionResponse }: ReplyRequest): Reply => {
    const canEnd = session.settings?.functions.includes(toolForTheEnd) === true
    if (canEnd && !afterFunctionResponse && index === answersMax - 1) return goodbye
    return answers[index % answers.length] ?? goodbye
  }
  return {
    greeting,
    replies: (request) => {
      const reply = chosen(request)
      return fault !== null && request.index === faultAt - 1 ? { ...reply, fault } : reply
    },
  }
}
