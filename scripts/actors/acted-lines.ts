import { closeSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureCommand, mustRun } from '../../test/bed/host.ts'
import { toTelephoneWav } from '../../test/bed/sox.ts'
import { writeWav } from '../../test/bed/wav-file.ts'
import { RATE_HZ } from '../../test/material/audio.ts'
import { debianFolders } from '../../test/material/packages.ts'
import { fromMade } from '../../test/material/take.ts'
import { unpackRnc } from './rnc.ts'

/**
 * Adventure games whose every line is spoken: actors who ask, refuse, agree and cut in, in English, in 10,000 lines. What
 * the games' archives look like is told by the engine that plays them today (ScummVM's wiki); both games may be given away
 * and changed ("Beneath a Steel Sky" and "Flight of the Amazon Queen" licences).
 */
export interface ActedLine {
  /** Of the line in its game; unique. */
  readonly name: string
  /** A scene or a dialogue: nothing says which actor speaks. */
  readonly scene: string
  /** At 8 kHz, full scale 32,768, as it comes. */
  readonly load: () => Promise<Float64Array>
}

const sky = { package: 'beneath-a-steel-sky', folder: '/usr/share/scummvm/beneath-a-steel-sky' }
const queen = { package: 'flight-of-the-amazon-queen', folder: '/usr/share/scummvm/flight-of-the-amazon-queen' }

/** The first call on a machine downloads 100 MB. */
export async function actedLines(): Promise<ActedLine[]> {
  await ensureCommand('mpg123')
  const folders = await debianFolders([sky, queen])
  return [...skyLines(folders.get(sky) ?? sky.folder), ...queenLines(folders.get(queen) ?? queen.folder)]
}

/** An index of 8 bytes a file: its number, where it lies and how long it is, three bytes each with flags above. */
const skyEntryBytes = 8
const skySpeech = { from: 50_000, until: 56_000 }
/** Before what is compressed: a header of the game's own. */
const skyHeaderBytes = 22
/** 8 bits, unsigned. */
const skyRateHz = 11_025

function skyLines(folder: string): ActedLine[] {
  const index = readFileSync(join(folder, 'sky.dnr'))
  const archive = join(folder, 'sky.dsk')
  const lines: ActedLine[] = []
  for (let at = 4; at + skyEntryBytes <= index.length; at += skyEntryBytes) {
    const file = index.readUInt16LE(at)
    if (file < skySpeech.from || file >= skySpeech.until) continue
    const place = index.readUIntLE(at + 2, 3)
    // Far ones are counted in steps of 16 bytes.
    const offset = place & 0x80_00_00 ? (place & 0x7f_ff_ff) * 16 : place
    const length = index.readUIntLE(at + 5, 3) & 0x3f_ff_ff
    const name = `sky-${file}`
    const load = fromMade(`acted-${name}`, async (to) => {
      const bytes = unpackRnc(bytesOf(archive, offset + skyHeaderBytes, length - skyHeaderBytes))
      const wav = `${to}.unpacked.wav`
      await writeWav(wav, { sampleRateHz: skyRateHz, samples: Int16Array.from(bytes, (byte) => (byte - 128) * 256) })
      await converted(wav, to)
    })
    lines.push({ name, scene: `sky-${Math.floor(file / 100)}`, load })
  }
  return lines
}

/** A table of 21 bytes a file: a name of 12, an archive's number, where it lies and how long it is. */
const queenFile = 'queen.1c'
const queenCountAt = 13
const queenEntryBytes = 21

function queenLines(folder: string): ActedLine[] {
  const archive = join(folder, queenFile)
  const count = bytesOf(archive, queenCountAt, 2).readUInt16BE()
  const table = bytesOf(archive, queenCountAt + 2, count * queenEntryBytes)
  const lines: ActedLine[] = []
  for (let at = 0; at < table.length; at += queenEntryBytes) {
    const file = table.toString('latin1', at, at + 12).replace(/\0.*$/, '')
    if (!file.endsWith('.SB')) continue
    const name = `queen-${file.slice(0, -'.SB'.length)}`
    const [offset, length] = [table.readUInt32BE(at + 13), table.readUInt32BE(at + 17)]
    const load = fromMade(`acted-${name}`, async (to) => {
      const [mp3, wav] = [`${to}.mp3`, `${to}.decoded.wav`]
      writeFileSync(mp3, bytesOf(archive, offset, length))
      await mustRun(['mpg123', '-q', '-w', wav, mp3])
      await converted(wav, to)
      rmSync(mp3)
    })
    lines.push({ name, scene: `queen-${file.slice(0, 3)}`, load })
  }
  return lines
}

function bytesOf(file: string, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  const opened = openSync(file, 'r')
  try {
    if (readSync(opened, bytes, 0, length, offset) !== length) throw new Error(`${file} ends early`)
    return bytes
  } finally {
    closeSync(opened)
  }
}

async function converted(from: string, to: string): Promise<void> {
  await toTelephoneWav(from, to, RATE_HZ)
  rmSync(from)
}
