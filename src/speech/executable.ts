import { dirname, join } from 'node:path'

/**
 * Where this code runs: from source, or inside the binary that `scripts/build.ts` makes. The bundler turns each worker
 * into an entry point of its own under `/$bunfs/root/`, the binary's inner file system, with its path from the
 * repository's root. The absolute path is used so that no file in the folder where the engine was started can stand in.
 */
export const isCompiled: boolean = import.meta.path.startsWith('/$bunfs/')

/** @param name a file of `src/speech/`, without its ending */
export function workerUrl(name: string): string {
  return isCompiled ? `/$bunfs/root/src/speech/${name}.js` : new URL(`./${name}.ts`, import.meta.url).href
}

/** The command that starts this very engine again, for a child process: `internal NAME …`. */
export function selfCommand(args: readonly string[]): string[] {
  if (isCompiled) return [process.execPath, ...args]
  return [process.execPath, join(dirname(import.meta.dir), 'main.ts'), ...args]
}
