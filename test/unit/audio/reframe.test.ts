import { describe, expect, test } from 'bun:test'
import { Reframer } from '#audio/reframe.ts'
import { seededRandom } from '#base/random.ts'

const ramp = (length: number, from = 0) => Int16Array.from({ length }, (_, n) => from + n)

function collect() {
  const frames: number[][] = []
  return { frames, emit: ({ samples }: { samples: Int16Array }) => void frames.push([...samples]) }
}

describe('Reframer', () => {
  test('gives whole frames and keeps what is left for the next chunk', () => {
    const { frames, emit } = collect()
    const reframer = new Reframer(8000)
    reframer.push(ramp(159), emit)
    expect(frames).toEqual([])
    reframer.push(ramp(2, 159), emit)
    expect(frames).toEqual([[...ramp(160)]])
    reframer.push(ramp(159, 161), emit)
    expect(frames).toEqual([[...ramp(160)], [...ramp(160, 160)]])
  })

  test('a chunk of several frames is cut, one of none changes nothing', () => {
    const { frames, emit } = collect()
    const reframer = new Reframer(8000)
    reframer.push(ramp(480), emit)
    reframer.push(new Int16Array(0), emit)
    expect(frames.map((frame) => [frame.length, frame[0]])).toEqual([
      [160, 0],
      [160, 160],
      [160, 320],
    ])
  })

  test.each([8000, 16000, 24000, 48000] as const)(
    'at %d Hz a frame is 20 ms, and the stream is the same whatever the chunks',
    (rate) => {
      const random = seededRandom(rate)
      const { frames, emit } = collect()
      const reframer = new Reframer(rate)
      const stream = ramp(rate / 2)
      for (let offset = 0; offset < stream.length; ) {
        const size = Math.floor(random.next() * 3000)
        reframer.push(stream.subarray(offset, offset + size), emit)
        offset += size
      }
      // Half a second is 25 frames.
      expect(frames).toHaveLength(25)
      expect(frames.every((frame) => frame.length === rate / 50)).toBe(true)
      expect(frames.flat()).toEqual([...stream])
    },
  )

  test('a frame says its rate', () => {
    new Reframer(16000).push(ramp(320), (frame) => expect(frame.sampleRateHz).toBe(16000))
    expect.assertions(1)
  })

  test('a flush pads the tail with silence, once, whatever lay there before', () => {
    const { frames, emit } = collect()
    const reframer = new Reframer(8000)
    reframer.push(ramp(100, 1), emit)
    reframer.push(ramp(60, 101), emit)
    reframer.push(ramp(3, 7), emit)
    reframer.flush(emit)
    reframer.flush(emit)
    expect(frames).toEqual([[...ramp(160, 1)], [7, 8, 9, ...new Array<number>(157).fill(0)]])
  })

  test('clear forgets what waits', () => {
    const { frames, emit } = collect()
    const reframer = new Reframer(8000)
    reframer.push(ramp(100), emit)
    reframer.clear()
    reframer.flush(emit)
    reframer.push(ramp(160, 500), emit)
    expect(frames).toEqual([[...ramp(160, 500)]])
  })
})
