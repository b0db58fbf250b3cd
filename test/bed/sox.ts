// sox converts and joins sound files; it is installed when it is missing.

import { renameSync } from 'node:fs'
import { ensureCommand, mustRun } from './host.ts'

/** Writes `from` as a mono 16-bit WAV. Clipping is avoided by a small headroom (-G). Throws when sox can't read it. */
export async function toTelephoneWav(from: string, to: string, rateHz: number): Promise<void> {
  await sox([from], to, rateHz, [])
}

/** Joins sound files of any kind into one, in order. */
export async function joinWavs(parts: readonly string[], to: string, rateHz: number): Promise<void> {
  await sox(parts, to, rateHz, [])
}

async function sox(from: readonly string[], to: string, rateHz: number, effects: readonly string[]): Promise<void> {
  await ensureCommand('sox')
  // Written under another name first, so that a killed run leaves no half file for the next one to find.
  const partial = `${to}.${process.pid}.${crypto.randomUUID().slice(0, 8)}.partial`
  const format = ['-t', 'wav', '-r', String(rateHz), '-c', '1', '-b', '16', '-e', 'signed-integer']
  await mustRun(['sox', '-G', ...from, ...format, partial, ...effects])
  renameSync(partial, to)
}
