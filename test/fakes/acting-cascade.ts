import { createCascade } from '#agent/cascade.ts'
import { createFallback } from '#agent/fallback.ts'
import type { PartRole } from '#agent/fallback-memory.ts'
import type { Provider } from '#agent/provider.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { type FakePart, fakePart } from './cascade-parts.ts'
import { ManualClock } from './manual-clock.ts'

/** What the parts of an acting cascade do by themselves: recognise the same words, answer them, speak the answer. */
export interface ActingCascade {
  readonly provider: Provider<'agent'>
  /** The next turns hold no words. */
  deaf: boolean
  /** The next answers fail. */
  mute: boolean
}

/** A list whose first fails whenever something is wanted of it. */
function behindBroken<R extends PartRole>(part: FakePart<R>): Provider<R> {
  const broken = fakePart(part.role)
  broken.session.script = (input) => {
    if (!['finalize', 'generate', 'speak'].includes(input.type)) return
    queueMicrotask(() => broken.session.emit({ type: 'fault', code: 'broken', message: 'broken', retryable: true }))
  }
  const deps = { clock: new ManualClock(), random: seededRandom(1), log: silentLog, retryAfterMs: 0 }
  return createFallback(part.role, [broken, part], deps)
}

/**
 * A cascade whose three parts act by themselves, a moment after they are asked; what is cancelled stays silent.
 * @param inLists each of them is the second of a list whose first fails
 */
export function actingCascade(name: string, inLists = false): ActingCascade {
  const stt = fakePart('stt')
  const llm = fakePart('llm')
  const tts = fakePart('tts')
  const acting: ActingCascade = {
    // Every session is the same three fakes: enough for one call at a time.
    provider: inLists
      ? createCascade({ name, stt: behindBroken(stt), llm: behindBroken(llm), tts: behindBroken(tts) })
      : createCascade({ name, stt, llm, tts }),
    deaf: false,
    mute: false,
  }

  stt.session.script = (input) => {
    if (input.type !== 'finalize') return
    queueMicrotask(() =>
      stt.session.emit({ type: 'transcript', final: true, text: acting.deaf ? '' : 'What time is it?' }),
    )
  }

  let answer = 0
  llm.session.script = (input) => {
    answer += 1
    if (input.type !== 'generate') return
    const mine = answer
    const say = async () => {
      for (const delta of ['It is ', 'noon in Vienna. ', 'Is there ', 'anything else?']) {
        await Promise.resolve()
        if (mine !== answer) return
        if (acting.mute) {
          llm.session.emit({ type: 'fault', code: 'unreachable', message: 'gone', retryable: true })
          return
        }
        llm.session.emit({ type: 'text', delta })
      }
      if (mine === answer) llm.session.emit({ type: 'done' })
    }
    void say()
  }

  let voice = 0
  let queue: Promise<void> = Promise.resolve()
  tts.session.script = (input) => {
    if (input.type === 'cancel') {
      voice += 1
      return
    }
    const mine = voice
    const { text } = input
    const speak = async () => {
      for (let chunk = 0; chunk < 3; chunk += 1) {
        await Promise.resolve()
        if (mine !== voice) return
        const samples = new Int16Array(80 * text.length).fill(chunk + 1)
        tts.session.emit({ type: 'audio', frame: { sampleRateHz: 8000, samples } })
      }
      if (mine === voice) tts.session.emit({ type: 'spoken', text })
    }
    queue = queue.then(speak)
  }
  return acting
}
