/** What a caller's line sounds like, in frames of 20 ms at 8 kHz: nothing, or a hum of 200 Hz, as one who speaks. */
export class CallerLine {
  private phase = 0

  frame(line: 'quiet' | 'hum'): Int16Array {
    const samples = new Int16Array(160)
    if (line === 'quiet') return samples
    for (let index = 0; index < samples.length; index += 1) {
      samples[index] = Math.round(8000 * Math.sin(this.phase))
      this.phase += (2 * Math.PI * 200) / 8000
    }
    return samples
  }
}
