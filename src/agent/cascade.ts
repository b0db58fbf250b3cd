import { type CascadeOptions, CascadeSession } from './cascade-session.ts'
import type { Provider, Readiness } from './provider.ts'
import { Tally } from './tally.ts'

/** An agent made of a recogniser, a language model and a voice, behind the same contract as a realtime agent. */
export interface CascadeParts extends CascadeOptions {
  readonly name: string
  readonly stt: Provider<'stt'>
  readonly llm: Provider<'llm'>
  readonly tts: Provider<'tts'>
  /** BCP 47, told to the parts instead of the call's. */
  readonly language?: string
}

export function createCascade(parts: CascadeParts): Provider<'agent'> {
  const { name, stt, llm, tts, language } = parts
  const all = [stt, llm, tts]
  const tally = new Tally()
  return {
    name,
    role: 'agent',
    turnDetection: 'engine',
    readiness(): Readiness {
      const reasons = all.flatMap((part) => {
        const state = part.readiness()
        return state.ready ? [] : [`${part.role}: ${state.reason}`]
      })
      return reasons.length === 0 ? { ready: true } : { ready: false, reason: reasons.join('; ') }
    },
    audioRates: (legHz) => ({
      inputHz: stt.audioRates?.(legHz).inputHz ?? legHz,
      outputHz: tts.audioRates?.(legHz).outputHz ?? legHz,
    }),
    ...(stt.wordsIn === undefined ? {} : { wordsIn: stt.wordsIn.bind(stt) }),
    // Each by its part: `stt_session`, `tts_late_audio`; and its own, `tool_done`.
    events: () => ({
      ...tally.all,
      ...Object.fromEntries(
        all.flatMap((part) =>
          Object.entries(part.events?.() ?? {}).map(([event, count]) => [`${part.role}_${event}`, count] as const),
        ),
      ),
    }),
    queued: () => all.reduce((sum, part) => sum + (part.queued?.() ?? 0), 0),
    start: () => all.forEach((part) => part.start()),
    async open(given) {
      const context = language === undefined ? given : { ...given, language }
      const opened = await Promise.allSettled([stt.open(context), llm.open(context), tts.open(context)] as const)
      const [sttSession, llmSession, ttsSession] = opened
      if (sttSession.status === 'fulfilled' && llmSession.status === 'fulfilled' && ttsSession.status === 'fulfilled') {
        return new CascadeSession(parts, tally, context, sttSession.value, llmSession.value, ttsSession.value)
      }
      await Promise.all(opened.map((result) => (result.status === 'fulfilled' ? result.value.close() : undefined)))
      throw opened.find((result) => result.status === 'rejected')?.reason
    },
    async close() {
      await Promise.all(all.map((part) => part.close()))
    },
  }
}
