/**
 * Sentences that were spoken before, in memory: greetings and apologies are said in every call and should cost nothing
 * the second time. The least recently used go first when the bytes run out.
 */
export type SpokenPhrase = readonly Int16Array[]

export class PhraseCache {
  private readonly bytesMax: number
  /** In order of use, the latest last: a Map keeps the order of insertion. */
  private readonly phrases = new Map<string, SpokenPhrase>()
  private bytesHeld = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  get bytes(): number {
    return this.bytesHeld
  }

  get size(): number {
    return this.phrases.size
  }

  get(voice: string, text: string, sampleRateHz: number): SpokenPhrase | undefined {
    const key = keyOf(voice, text, sampleRateHz)
    const phrase = this.phrases.get(key)
    if (phrase !== undefined) {
      this.phrases.delete(key)
      this.phrases.set(key, phrase)
    }
    return phrase
  }

  /** A phrase longer than a quarter of the room is not worth the others it would drive out. */
  put(voice: string, text: string, sampleRateHz: number, phrase: SpokenPhrase): void {
    const bytes = bytesOf(phrase)
    if (bytes > this.bytesMax / 4) return
    const key = keyOf(voice, text, sampleRateHz)
    this.remove(key)
    this.phrases.set(key, phrase)
    this.bytesHeld += bytes
    for (const oldest of this.phrases.keys()) {
      if (this.bytesHeld <= this.bytesMax) break
      this.remove(oldest)
    }
  }

  private remove(key: string): void {
    this.bytesHeld -= bytesOf(this.phrases.get(key) ?? [])
    this.phrases.delete(key)
  }
}

function keyOf(voice: string, text: string, sampleRateHz: number): string {
  return `${voice}\n${sampleRateHz}\n${text}`
}

function bytesOf(phrase: SpokenPhrase): number {
  return phrase.reduce((sum, piece) => sum + piece.byteLength, 0)
}
