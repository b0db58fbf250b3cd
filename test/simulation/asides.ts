import type { AgentEvent, AgentInput } from '#agent/provider.ts'
import type { Aside } from '../fakes/scripted-agent.ts'
import type { Dice } from './dice.ts'

/** What the parts of a cascade say beside its replies: words while they come, the recogniser's own ends, tools. */
export function randomAsides(dice: Dice): (input: AgentInput) => readonly Aside[] {
  // Not every recogniser tells of ends; one that does tells of most.
  const tellsEnds = dice.chance(0.5)
  const tools = dice.pick([0, 0.1, 0.3])
  return ({ type }) => {
    if (type === 'speech_stopped') {
      const asides: Aside[] = [{ afterMs: dice.between(30, 700), event: words(dice, false) }]
      if (tellsEnds && dice.chance(0.8)) {
        const afterMs = dice.between(0, 800)
        asides.push({ afterMs, event: { type: 'turn_end', done: true } })
        if (dice.chance(0.2)) {
          asides.push({ afterMs: afterMs + dice.between(0, 300), event: { type: 'turn_end', done: false } })
        }
      }
      return asides
    }
    if (type !== 'turn_committed') return []
    const asides: Aside[] = [{ afterMs: dice.between(0, 500), event: words(dice, true) }]
    if (dice.chance(tools)) {
      const fromMs = dice.between(0, 1500)
      asides.push({ afterMs: fromMs, event: { type: 'tool', running: true } })
      asides.push({ afterMs: fromMs + dice.between(10, 2500), event: { type: 'tool', running: false } })
    }
    return asides
  }
}

const words = (dice: Dice, final: boolean): AgentEvent => ({
  type: 'transcript',
  side: 'caller',
  final,
  text: dice.pick(['yes', 'mm-hm', 'stop it', 'and then I wanted to', '']),
})
