import { exitCodes } from './io.ts'

/** What the engine starts as children of itself: each runs what must not live in the engine's own process. */
export async function internal(argv: readonly string[]): Promise<number> {
  const [child = '', ...rest] = argv
  // Ctrl-C and a supervisor signal the whole group. A draining engine still needs its children: they end with their input.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
  switch (child) {
    case 'phonemizer':
      await (await import('#speech/phonemizer-child.ts')).runPhonemizerChild(rest)
      return exitCodes.ok
    case 'llm':
      return await (await import('#providers/local/llm-child.ts')).runLlmChild(rest)
    case 'configuration':
      return (await import('./reread.ts')).runConfigurationChild()
    case 'edit':
      return (await import('./edit-child.ts')).runEditChild(rest)
    default:
      console.error(`patchcord internal: no such child ${child}`)
      return exitCodes.usage
  }
}
