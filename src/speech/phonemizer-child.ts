import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { messageOf } from '#base/result.ts'
import { lowerThreadPriority } from './libc.ts'
import type { PhonemizerAnswer, PhonemizerRequest } from './phonemizer.ts'

/**
 * The phonemizer's process: `internal phonemizer DIR`. eSpeak NG is under the GPL, so it is neither linked nor bundled:
 * this process loads it from the model store at run time and speaks JSON lines with the engine over stdin and stdout.
 * It ends when stdin does, that is when the engine ends, however that happens.
 */
type Phonemize = (text: string, language: string) => Promise<string[]>

/** @param argv the folder that holds phonemizer.js. @returns the exit code */
export async function runPhonemizerChild(argv: readonly string[]): Promise<number> {
  const [folder] = argv
  if (folder === undefined) return 2
  // Phonemes are on the way to the first audio, yet the engine's own process comes before them.
  lowerThreadPriority(5)
  let phonemize: Phonemize
  try {
    const library: unknown = await import(pathToFileURL(resolve(folder, 'phonemizer.js')).href)
    phonemize = (library as { readonly phonemize: Phonemize }).phonemize
    // The first call compiles: better now than in a caller's first sentence.
    await phonemize('ready', 'en-us')
  } catch (thrown) {
    write({ failed: messageOf(thrown) })
    return 1
  }
  write({ ready: true })
  for await (const line of console) {
    if (line === '') continue
    const request = JSON.parse(line) as PhonemizerRequest
    try {
      const phonemes: string[] = []
      for (const clause of request.clauses) phonemes.push(joinParts(await phonemize(clause, request.voice)))
      write({ id: request.id, phonemes })
    } catch (thrown) {
      write({ id: request.id, error: messageOf(thrown) })
    }
  }
  return 0
}

/** eSpeak answers in lines of its own choice, and marks a word it took for another language: `(fr)…(en-us)`. */
function joinParts(parts: readonly string[]): string {
  return parts
    .join(' ')
    .replace(/\([a-z-]+\)/g, '')
    .trim()
}

function write(answer: PhonemizerAnswer): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
