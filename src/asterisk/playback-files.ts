import { chmod, readdir, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type SampleRateHz, samplesPerFrame } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'

/**
 * How Asterisk gets at audio that it is to play: out of a folder that both sides see, or from our HTTP port.
 *
 * Either way it is signed linear without a header, because Asterisk takes the rate of that from the name alone, for all
 * four rates, and over HTTP as well: no Content-Type of its own stands in the way, as `audio/wav` would, which means
 * 8 kHz whatever the header says.
 */
export interface PlaybackFiles {
  /** The samples are read before this returns; the failure says the cure. Never throws. */
  publish(samples: Int16Array, sampleRateHz: SampleRateHz): Promise<Result<PublishedFile, string>>
}

export interface PublishedFile {
  /** As ARI's `media` takes it. */
  readonly mediaUri: string
  /** Nobody needs it any more. Idempotent. */
  remove(): void
}

// keyed by: sample rate
const extensions: Readonly<Record<SampleRateHz, string>> = {
  8000: 'sln',
  16000: 'sln16',
  24000: 'sln24',
  48000: 'sln48',
}

/** One for the resampler, one on its way through the whisper, one through the bridge. */
const silentFrames = 3

/**
 * Whole frames, and silence behind them. What plays in Asterisk hands on whole frames only, a resampler holds the last
 * samples back until more come, and a playback ends when its last frame is on its way: a channel that goes then would
 * take the last word with it.
 */
export function encodeSlin(samples: Int16Array, sampleRateHz: SampleRateHz): Uint8Array {
  const frame = samplesPerFrame(sampleRateHz)
  const padded = new Int16Array((Math.ceil(samples.length / frame) + silentFrames) * frame)
  padded.set(samples)
  return new Uint8Array(padded.buffer)
}

export interface FolderFilesOptions {
  /** As the engine sees it. */
  readonly folder: string
  /** The same folder as Asterisk sees it. */
  readonly asteriskFolder: string
  /** The Stasis application: each engine that shares the folder knows its own files by it. */
  readonly application: string
  readonly random: Random
  readonly log: Log
}

export class FolderFiles implements PlaybackFiles {
  private readonly options: FolderFilesOptions

  constructor(options: FolderFilesOptions) {
    this.options = options
  }

  /**
   * Removes what a killed engine of this application left behind, and finds out whether the folder can be written to.
   * Gives how many files it removed. Even one that is being played may go: Asterisk holds it open.
   */
  async prepare(): Promise<Result<number, string>> {
    try {
      const left = (await readdir(this.options.folder)).filter((name) => this.isOurs(name))
      await Promise.all(left.map((name) => this.unlink(name)))
      const probe = `${this.newName()}.sln`
      await this.write(probe, encodeSlin(new Int16Array(0), 8000))
      await this.unlink(probe)
      return ok(left.length)
    } catch (thrown) {
      return failed(this.trouble(thrown))
    }
  }

  async publish(samples: Int16Array, sampleRateHz: SampleRateHz): Promise<Result<PublishedFile, string>> {
    const bytes = encodeSlin(samples, sampleRateHz)
    const base = this.newName()
    const name = `${base}.${extensions[sampleRateHz]}`
    try {
      await this.write(name, bytes)
    } catch (thrown) {
      await this.unlink(`${name}${partSuffix}`)
      return failed(this.trouble(thrown))
    }
    // Asterisk finds the extension by itself.
    const mediaUri = `sound:${this.options.asteriskFolder.replace(/\/+$/, '')}/${base}`
    return ok({ mediaUri, remove: () => void this.unlink(name) })
  }

  private newName(): string {
    return `${this.options.application}-${this.options.random.uuid()}`
  }

  /** Under its name only when it is whole. */
  private async write(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.options.folder, name)
    const part = `${path}${partSuffix}`
    await writeFile(part, bytes)
    // Asterisk is often another user, and the engine's umask may be a strict one.
    await chmod(part, 0o644)
    await rename(part, path)
  }

  private isOurs(name: string): boolean {
    const { application } = this.options
    return name.startsWith(`${application}-`) && ourFile.test(name.slice(application.length + 1))
  }

  private async unlink(name: string): Promise<void> {
    try {
      await unlink(join(this.options.folder, name))
    } catch (thrown) {
      if (codeOf(thrown) === 'ENOENT') return
      this.options.log.warn('a file that was played could not be removed', { name, why: messageOf(thrown) })
    }
  }

  private trouble(thrown: unknown): string {
    const { folder } = this.options
    switch (codeOf(thrown)) {
      case 'ENOENT':
        return `the folder for audio files, ${folder}, does not exist: create it, or mount it where Asterisk's is`
      case 'EACCES':
      case 'EPERM':
      case 'EROFS':
        return `the engine may not write to the folder for audio files, ${folder}: give its user the right to`
      case 'ENOSPC':
        return `the disk with the folder for audio files, ${folder}, is full`
      default:
        return `an audio file could not be written to ${folder}: ${messageOf(thrown)}`
    }
  }
}

const partSuffix = '.part'
const ourFile = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.sln(16|24|48)?(\.part)?$/

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
}

export interface HttpFilesOptions {
  /** The engine's HTTP port as Asterisk reaches it: `http://host:port`, without a slash at the end. */
  readonly baseUrl: string
  readonly clock: Clock
  readonly random: Random
  /** Beyond either, the oldest file is dropped. */
  readonly limits?: { readonly files: number; readonly bytes: number }
}

/** 64 MiB are more than an hour at 8 kHz. */
const usualLimits = { files: 1000, bytes: 64 * 1024 * 1024 }
/** Longer than any fetch of a name that is still under way after its file was removed. */
const restMs: Milliseconds = 60_000

/**
 * Files in memory, under names that cannot be guessed.
 *
 * Asterisk keeps a copy of each URL that it ever fetched in its media cache, and never clears it by itself. So a name is
 * used again once it has rested: as each answer says that it may not be kept, Asterisk fetches anew and replaces its
 * copy, and its cache holds as many files as were once published within a minute.
 */
export class HttpFiles implements PlaybackFiles {
  /** Files that had to go before their owner removed them. */
  dropped = 0
  private readonly options: HttpFilesOptions
  private readonly limits: { readonly files: number; readonly bytes: number }
  // keyed by: file name; the oldest first
  private readonly files = new Map<string, Uint8Array>()
  private readonly resting: { readonly name: string; readonly sinceMs: Milliseconds }[] = []
  private bytes = 0

  constructor(options: HttpFilesOptions) {
    this.options = options
    this.limits = options.limits ?? usualLimits
  }

  get held(): { readonly files: number; readonly bytes: number } {
    return { files: this.files.size, bytes: this.bytes }
  }

  publish(samples: Int16Array, sampleRateHz: SampleRateHz): Promise<Result<PublishedFile, string>> {
    const bytes = encodeSlin(samples, sampleRateHz)
    if (bytes.length > this.limits.bytes) {
      return Promise.resolve(failed(`${bytes.length} bytes of audio are more than may be held for Asterisk`))
    }
    const name = this.freeName(extensions[sampleRateHz])
    this.files.set(name, bytes)
    this.bytes += bytes.length
    this.keepLimits()
    const remove = () => {
      // The name may hold another file by now.
      if (this.files.get(name) === bytes) this.remove(name)
    }
    return Promise.resolve(ok({ mediaUri: `sound:${this.options.baseUrl}/media/${name}`, remove }))
  }

  /** What Asterisk asks for; null for a name that holds nothing (any more). */
  read(name: string): Uint8Array | null {
    return this.files.get(name) ?? null
  }

  private freeName(extension: string): string {
    const rested = this.options.clock.now() - restMs
    const index = this.resting.findIndex(({ name, sinceMs }) => sinceMs <= rested && name.endsWith(`.${extension}`))
    const [reused] = index < 0 ? [] : this.resting.splice(index, 1)
    return reused?.name ?? `${this.options.random.uuid()}.${extension}`
  }

  private keepLimits(): void {
    for (const name of this.files.keys()) {
      if (this.files.size <= this.limits.files && this.bytes <= this.limits.bytes) return
      this.dropped += 1
      this.remove(name)
    }
  }

  private remove(name: string): void {
    this.bytes -= this.files.get(name)?.length ?? 0
    this.files.delete(name)
    this.resting.push({ name, sinceMs: this.options.clock.now() })
    this.resting.splice(0, Math.max(0, this.resting.length - this.limits.files))
  }
}
