import * as v from 'valibot'
import type { Tool } from '#tools/tool.ts'

/** A function `look` that ends when the test says so. */
export function slowTool(output: Readonly<Record<string, string | number | boolean>>) {
  let end = () => {}
  const tool: Tool = {
    name: 'look',
    description: 'Looks.',
    parameters: v.object({}),
    deadlineMs: 30_000,
    run: () =>
      new Promise((resolve) => {
        end = () => resolve({ output })
      }),
  }
  return { tool, end: () => end() }
}
