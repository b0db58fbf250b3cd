import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readZipMember } from '#speech/zip.ts'

// Written by Python's zipfile: pkg/stored.txt "stored words", pkg/deflated.txt "squeezed " × 200, and a comment.
const zip = Buffer.from(
  'UEsDBBQAAAAAAJiQdl06KkLPDAAAAAwAAAAOAAAAcGtnL3N0b3JlZC50eHRzdG9yZWQgd29yZHNQSwMEFAAAAAgAmJB2XZFPwhsZAAAACAcAABAAAABwa2cvZGVmbGF0ZWQudHh0Ky4sTU2tSk1RKB5ljDJGGaOMUcYoY+QxAFBLAQIUAxQAAAAAAJiQdl06KkLPDAAAAAwAAAAOAAAAAAAAAAAAAACAAQAAAABwa2cvc3RvcmVkLnR4dFBLAQIUAxQAAAAIAJiQdl2RT8IbGQAAAAgHAAAQAAAAAAAAAAAAAACAATgAAABwa2cvZGVmbGF0ZWQudHh0UEsFBgAAAAACAAIAegAAAH8AAAAUAGEgY29tbWVudCBhdCB0aGUgZW5k',
  'base64',
)

async function member(bytes: Uint8Array, name: string): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), 'zip-'))
  try {
    const path = join(folder, 'a.zip')
    writeFileSync(path, bytes)
    const parts: Uint8Array[] = []
    const found = await readZipMember(path, name, (chunk) => parts.push(chunk.slice()))
    return found ? Buffer.concat(parts).toString() : null
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('stored and deflated members', async () => {
  expect(await member(zip, 'pkg/stored.txt')).toBe('stored words')
  expect(await member(zip, 'pkg/deflated.txt')).toBe('squeezed '.repeat(200))
})

test('a member that is not there', async () => {
  expect(await member(zip, 'pkg/other.txt')).toBeNull()
})

test('an archive that was cut short is refused, not read in part', async () => {
  await expect(member(zip.subarray(0, zip.length - 60), 'pkg/stored.txt')).rejects.toThrow()
  await expect(member(zip.subarray(100), 'pkg/stored.txt')).rejects.toThrow()
  await expect(member(Buffer.from('<html>not a zip</html>'), 'pkg/stored.txt')).rejects.toThrow('not a zip')
})
