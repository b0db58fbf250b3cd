import { bytesPerSample, type WireAudio } from './wire-audio.ts'

const formatCodes = { linear16: 1, mulaw: 7, alaw: 6 } as const
/** A stream does not know its length: the largest there is. */
const unknownLength = 0xffffffff

/** What comes before the samples where no container was asked away: 44 bytes, heard as a click where they are played. */
export function wavHeader(audio: WireAudio): Uint8Array {
  const header = new DataView(new ArrayBuffer(44))
  const text = (at: number, word: string) => {
    for (let index = 0; index < word.length; index += 1) header.setUint8(at + index, word.charCodeAt(index))
  }
  const bytes = bytesPerSample(audio)
  text(0, 'RIFF')
  header.setUint32(4, unknownLength, true)
  text(8, 'WAVEfmt ')
  header.setUint32(16, 16, true)
  header.setUint16(20, formatCodes[audio.encoding], true)
  header.setUint16(22, 1, true)
  header.setUint32(24, audio.sampleRateHz, true)
  header.setUint32(28, audio.sampleRateHz * bytes, true)
  header.setUint16(32, bytes, true)
  header.setUint16(34, bytes * 8, true)
  text(36, 'data')
  header.setUint32(40, unknownLength, true)
  return new Uint8Array(header.buffer)
}
