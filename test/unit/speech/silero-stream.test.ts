import { expect, test } from 'bun:test'
import { RenewedStream, type SileroStream } from '#speech/silero-stream.ts'

const [quiet, doubtful, voice] = [0.05, 0.3, 0.9]
const windowsPerSecond = 31.25

/** Windows until another stream counts; null where none does within ten seconds. */
function windowsToRenewal(streams: RenewedStream, probabilityOf: (window: number) => number = () => quiet) {
  const first = streams.stream
  let heir: SileroStream | null = null
  let heirHeard = 0
  for (let window = 0; window < 10 * windowsPerSecond; window++) {
    const beside = streams.alongside
    heirHeard = beside === null ? 0 : beside === heir ? heirHeard + 1 : 1
    heir = beside
    streams.judged(probabilityOf(window))
    if (streams.stream === first) continue
    expect(streams.stream).toBe(heir as SileroStream)
    return { windows: window + 1, heirHeard }
  }
  return null
}

test('in silence an heir that has listened along for half a second takes over every 3 s', () => {
  const streams = new RenewedStream()
  for (let count = 0; count < 3; count++) {
    const { windows, heirHeard } = windowsToRenewal(streams) ?? { windows: 0, heirHeard: 0 }
    expect(windows / windowsPerSecond).toBeCloseTo(3, 1)
    expect(heirHeard / windowsPerSecond).toBeCloseTo(0.5, 1)
    expect(streams.alongside).toBeNull()
  }
})

test('the 3 s begin anew with each voice, and while one speaks nobody takes over', () => {
  const streams = new RenewedStream()
  const renewal = windowsToRenewal(streams, (window) => (window === 60 ? voice : quiet))
  expect(renewal?.windows).toBe(61 + 94)
  expect(windowsToRenewal(streams, () => voice)).toBeNull()
  expect(streams.alongside).toBeNull()
})

test('what may be the beginning of a voice keeps the stream that hears it', () => {
  const streams = new RenewedStream()
  // Not a voice, so that the time runs on; the heir begins anew behind it.
  const renewal = windowsToRenewal(streams, (window) => (window >= 90 && window < 100 ? doubtful : quiet))
  expect(renewal).toEqual({ windows: 100 + 1 + 16, heirHeard: 16 })
})

test('an heir begins with no memory, where the line stands', () => {
  const streams = new RenewedStream()
  const heard = streams.stream
  heard.state.fill(0.5)
  heard.context.fill(0.25)
  for (let window = 0; streams.alongside === null && window < 100; window++) streams.judged(quiet)
  const heir = streams.alongside
  expect(heir?.state.every((value) => value === 0)).toBe(true)
  expect(heir?.context).toEqual(heard.context)
  // And so does the one after it, which is the first of them once more.
  heard.state.fill(0.5)
  windowsToRenewal(streams)
  for (let window = 0; streams.alongside === null && window < 100; window++) streams.judged(quiet)
  expect(streams.alongside).toBe(heard)
  expect(heard.state.every((value) => value === 0)).toBe(true)
})

test('another call finds nothing of the one before', () => {
  const streams = new RenewedStream()
  for (let window = 0; streams.alongside === null && window < 100; window++) streams.judged(quiet)
  streams.stream.state.fill(0.5)
  streams.stream.context.fill(0.5)
  streams.reset()
  expect(streams.alongside).toBeNull()
  expect([...streams.stream.state, ...streams.stream.context].every((value) => value === 0)).toBe(true)
  expect(windowsToRenewal(streams)?.windows).toBe(94)
})
