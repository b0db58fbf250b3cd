import { appendFile, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Appends whole lines to a file that only its owner may read, and makes its folder. Where the last write left half a line,
 * as a disk does that is full, the next begins one of its own.
 *
 * @param begins the first write, or the one before has failed
 * @param text ends in a line break
 * @returns how many bytes the file has grown by
 */
export async function appendLines(path: string, text: string, begins: boolean): Promise<number> {
  if (begins) await mkdir(dirname(path), { recursive: true })
  const isTorn = begins && (await endsInHalfALine(path).catch(() => false))
  const whole = isTorn ? `\n${text}` : text
  await appendFile(path, whole, { mode: 0o600 })
  return Buffer.byteLength(whole)
}

async function endsInHalfALine(path: string): Promise<boolean> {
  // A pipe has no end to look at, and whoever opened one to read would wait for a writer.
  const facts = await stat(path)
  if (!facts.isFile() || facts.size === 0) return false
  const file = await open(path, 'r')
  try {
    const last = new Uint8Array(1)
    await file.read(last, 0, 1, facts.size - 1)
    return last[0] !== 0x0a
  } finally {
    await file.close()
  }
}
