import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { createInflateRaw } from 'node:zlib'

/**
 * Reads one member of a zip file in a stream: a wheel is a zip file, and pip, which brings it, may be all there is on
 * the machine. Stored and deflated members of files under 4 GiB; zip64, encryption and split archives are refused.
 * Source: PKWARE APPNOTE 6.3, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (its end).
 */
interface ZipMember {
  readonly method: number
  readonly packedBytes: number
  readonly localHeaderOffset: number
}

const endRecordBytes = 22
const commentBytesMax = 65_535
const centralHeaderBytes = 46
const localHeaderBytes = 30

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  if (bytesRead !== length) throw new Error('the zip file is cut short')
  return buffer
}

async function findMember(file: FileHandle, name: string): Promise<ZipMember | null> {
  const { size } = await file.stat()
  const tailBytes = Math.min(size, endRecordBytes + commentBytesMax)
  const tail = await read(file, size - tailBytes, tailBytes)
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]))
  if (end < 0 || tail.length - end < endRecordBytes) throw new Error('not a zip file, or cut short')
  const count = tail.readUInt16LE(end + 10)
  const directoryBytes = tail.readUInt32LE(end + 12)
  const directoryOffset = tail.readUInt32LE(end + 16)
  if (directoryOffset === 0xffffffff || count === 0xffff) throw new Error('zip64 is not supported')
  const directory = await read(file, directoryOffset, directoryBytes)
  let at = 0
  for (let index = 0; index < count && at + centralHeaderBytes <= directory.length; index++) {
    if (directory.readUInt32LE(at) !== 0x02014b50) throw new Error('the zip directory is damaged')
    const nameBytes = directory.readUInt16LE(at + 28)
    const skip = nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
    if (directory.toString('utf8', at + centralHeaderBytes, at + centralHeaderBytes + nameBytes) === name) {
      return {
        method: directory.readUInt16LE(at + 10),
        packedBytes: directory.readUInt32LE(at + 20),
        localHeaderOffset: directory.readUInt32LE(at + 42),
      }
    }
    at += centralHeaderBytes + skip
  }
  return null
}

/**
 * Hands the member's bytes to `sink` piece by piece. Throws when the archive is damaged, and passes on what `sink`
 * throws. The member's CRC is not looked at: the caller compares a SHA-256.
 * @returns false when the archive has no such member
 */
export async function readZipMember(
  archive: string,
  name: string,
  sink: (chunk: Uint8Array) => void,
): Promise<boolean> {
  const file = await open(archive, 'r')
  try {
    const member = await findMember(file, name)
    if (member === null) return false
    if (member.method !== 0 && member.method !== 8) throw new Error(`zip method ${member.method} is not supported`)
    const header = await read(file, member.localHeaderOffset, localHeaderBytes)
    // Lengths of name and extra field in the local header may differ from those in the directory.
    const start = member.localHeaderOffset + localHeaderBytes + header.readUInt16LE(26) + header.readUInt16LE(28)
    if (member.packedBytes === 0) return true
    const packed = createReadStream(archive, { start, end: start + member.packedBytes - 1, highWaterMark: 1 << 18 })
    if (member.method === 0) {
      for await (const chunk of packed) sink(chunk as Uint8Array)
    } else {
      const inflate = createInflateRaw({ chunkSize: 1 << 18 })
      packed.on('error', (thrown) => inflate.destroy(thrown))
      try {
        for await (const chunk of packed.pipe(inflate)) sink(chunk as Uint8Array)
      } finally {
        packed.destroy()
        inflate.destroy()
      }
    }
    return true
  } finally {
    await file.close()
  }
}
