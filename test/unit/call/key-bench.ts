import type { AgentKeyAction } from '#call/key-pad.ts'
import type { Bench } from './coordinator-bench.ts'

/** Keys that are pressed in a call of `Bench`, and what came of them. */
export const hours = { type: 'say', text: 'We open at nine.' } as const
export const say: AgentKeyAction = { do: 'say', text: hours.text }
export const interrupt: AgentKeyAction = { do: 'interrupt' }
export const repeat: AgentKeyAction = { do: 'repeat' }
export const hangUp: AgentKeyAction = { do: 'hang_up', say: 'Goodbye.' }
export const press = (bench: Bench, action: AgentKeyAction) => bench.coordinator.key(action)
export const told = (
  bench: Bench,
  text: string,
  more: { readonly corrects?: string; readonly follows?: string } = {},
) => bench.session.emit({ type: 'transcript', side: 'agent', final: true, text, ...more })
export const outcomes = ({ observer }: Bench) => observer.turns.map(({ outcome }) => outcome)
export const ended = ({ marks }: Bench) => marks.filter((mark) => ['agent', 'no_input'].includes(mark))
