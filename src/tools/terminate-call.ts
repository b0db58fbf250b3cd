import * as v from 'valibot'
import type { Tool } from './tool.ts'

/** The agent ends the call: its farewell is heard in full, then the engine hangs up. */
export function createTerminateCall(): Tool {
  return {
    name: 'terminate_call',
    description:
      'Ends the telephone call. Use it when the caller says goodbye, wants to hang up, or has nothing else to ask. Say a short goodbye with it: the call ends once that has been heard.',
    parameters: v.object({
      reason: v.optional(
        v.pipe(v.string(), v.maxLength(200), v.description('Why the call ends, in a few words; nobody hears them.')),
      ),
    }),
    deadlineMs: 1000,
    run: () => ({ output: { ok: true }, departure: { kind: 'hang_up' } }),
  }
}
