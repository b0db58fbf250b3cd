import { createTerminateCall } from './terminate-call.ts'
import type { Tool } from './tool.ts'
import { createTransferCall, type TransferDestination } from './transfer-call.ts'

/** The tools that a configuration can switch on, by name: the one list. */
export const toolNames = ['terminate_call', 'transfer_call'] as const
export type ToolName = (typeof toolNames)[number]

export interface ToolSettings {
  readonly destinations: Readonly<Record<string, TransferDestination>>
}

/** Those among `names`; without a destination there is no transfer. */
export function createTools(names: readonly string[], settings: ToolSettings): Tool[] {
  const made: Record<ToolName, () => Tool | null> = {
    terminate_call: createTerminateCall,
    transfer_call: () =>
      Object.keys(settings.destinations).length === 0 ? null : createTransferCall(settings.destinations),
  }
  return toolNames.flatMap((name) => (names.includes(name) ? (made[name]() ?? []) : []))
}
