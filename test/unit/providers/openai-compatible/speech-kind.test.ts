import { describe, expect, test } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import { speechKind } from '../../../../providers/openai-compatible/speech-kind.ts'

const ascii = (text: string) => new TextEncoder().encode(text)

/** Frames of so many bytes, each of which begins with this header. */
function frames(header: readonly number[], bytes: number): Uint8Array {
  const all = new Uint8Array(3 * bytes).fill(0x55)
  for (let frame = 0; frame < 3; frame += 1) all.set(header, frame * bytes)
  return all
}

// Lengths of frames as the standards' tables and every encoder have them.
const compressed = [
  ['MP3 of 128 kbit/s at 44.1 kHz', frames([0xff, 0xfb, 0x90, 0x64], 417)],
  ['the same, padded', frames([0xff, 0xfb, 0x92, 0x64], 418)],
  ['MP3 of 160 kbit/s at 24 kHz, as OpenAI sends it', frames([0xff, 0xf3, 0xe4, 0xc4], 480)],
  ['MP3 of 64 kbit/s at 22.05 kHz', frames([0xff, 0xf3, 0x80, 0xc4], 208)],
  ['MP3 of 32 kbit/s at 8 kHz', frames([0xff, 0xe3, 0x48, 0xc4], 288)],
  ['AAC in ADTS, frames of 371 bytes', frames([0xff, 0xf1, 0x50, 0x80, 0x2e, 0x7f, 0xfc], 371)],
] as const

describe('what a voice sends', () => {
  test.each(compressed)('%s is compressed', (_name, bytes) => {
    expect(speechKind(bytes, null)).toBe('compressed')
    // One frame alone may be samples, where the server does not say what it is.
    expect(speechKind(bytes.subarray(0, 200), null)).toBe('unknown_yet')
    expect(speechKind(bytes.subarray(0, 200), 'audio/mpeg')).toBe('compressed')
  })

  test.each(['ID3\x04', 'OggS', 'fLaC'])('%p is compressed', (magic) => {
    expect(speechKind(ascii(magic), null)).toBe('compressed')
  })

  test('a complaint is text, whole or cut, and one that the server calls text is believed', () => {
    expect(speechKind(ascii('{"error": "no such voice"}'), 'audio/pcm')).toBe('text')
    expect(speechKind(ascii('<html><body>502 Bad Gateway'), null)).toBe('text')
    expect(speechKind(ascii('{"error"'), null)).toBe('unknown_yet')
    // 16 bytes of the first end in the middle of a letter.
    for (const complaint of ['{"error":"x","für":1}', '{"error":"für diese Stimme"}', '<h1>Ошибка сервера</h1>'])
      expect([complaint, speechKind(ascii(complaint), null)]).toEqual([complaint, 'text'])
    for (const complaint of ['Clé refusée par le serveur', '没有这样的声音，请检查设置。', '\ufeff<html><body>Fehler'])
      expect([complaint, speechKind(ascii(complaint), 'text/plain')]).toEqual([complaint, 'text'])
    expect(speechKind(ascii('"there is no such voice"'), 'application/json; charset=utf-8')).toBe('text')
  })

  test('a header of WAV is one, whatever the server calls it', () => {
    for (const type of ['audio/mpeg', 'text/html', 'application/json'])
      expect(speechKind(ascii('RIFF....WAVE'), type)).toBe('wav')
  })

  test.each([null, 'audio/pcm', 'application/octet-stream', 'audio/mpeg', 'text/html'])(
    'samples named %p are samples, whatever they begin with',
    (type) => {
      const random = seededRandom(1)
      for (let first = -200; first < 200; first += 1) {
        const samples = Int16Array.from({ length: 2000 }, () => Math.round(60 * random.next() - 30))
        samples[0] = first
        const bytes = new Uint8Array(samples.buffer)
        // What begins as a frame and is said to be one would have to be believed.
        if (type === 'audio/mpeg' && bytes[0] === 0xff) continue
        expect([first, speechKind(bytes, type)]).toEqual([first, 'raw'])
      }
    },
  )
})
