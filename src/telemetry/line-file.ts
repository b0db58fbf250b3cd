import { appendFile, mkdir, open } from 'node:fs/promises'
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
  const whole = begins && (await endsInHalfALine(path)) ? `\n${text}` : text
  await appendFile(path, whole, { mode: 0o600 })
  return Buffer.byteLength(whole)
}

async function endsInHalfALine(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch(() => null)
  if (file === null) return false
  try {
    const { size } = await file.stat()
    const last = new Uint8Array(1)
    const { bytesRead } = await file.read(last, 0, 1, Math.max(0, size - 1))
    return bytesRead === 1 && last[0] !== 0x0a
  } finally {
    await file.close()
  }
}
