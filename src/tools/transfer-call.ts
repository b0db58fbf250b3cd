import * as v from 'valibot'
import type { DialplanPlace } from '#call/dialplan-place.ts'
import type { Tool } from './tool.ts'

/** Where callers can be sent, by the name that the model knows. */
export interface TransferDestination extends DialplanPlace {
  /** What is there, in words for the model. */
  readonly description: string
}

/**
 * A blind transfer: the caller goes on in the dialplan at a place that the configuration names. The model chooses among
 * names only, so that it can reach nothing else.
 */
export function createTransferCall(destinations: Readonly<Record<string, TransferDestination>>): Tool {
  const names = Object.keys(destinations)
  const known = Object.entries(destinations)
    .map(([name, { description }]) => (description === '' ? name : `${name} (${description})`))
    .join('; ')
  return {
    name: 'transfer_call',
    description: `Transfers the caller to somebody else. Use it when they ask for it or need what you cannot do, and say shortly where they are being put through. Destinations: ${known}.`,
    parameters: v.object({
      destination: v.pipe(v.picklist(names), v.description('Where the caller is transferred to.')),
    }),
    deadlineMs: 1000,
    run(input, { canTransfer }) {
      const destination = destinations[String(input.destination)]
      if (destination === undefined || !canTransfer)
        return { output: { ok: false, error: 'this call cannot be transferred' } }
      const { context, extension, priority } = destination
      return { output: { ok: true }, departure: { kind: 'transfer', to: { context, extension, priority } } }
    },
  }
}
