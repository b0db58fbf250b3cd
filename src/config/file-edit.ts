import { constants } from 'node:fs'
import { access, chmod, chown, open, readFile, realpath, rename, stat, unlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import { setTopValue } from './edit.ts'

/**
 * Writes a changed configuration file so that it stays the operator's: same owner, same rights, links followed. A new file
 * takes the old one's name in one step, so that no reader meets half of it. Where that would lose something (a file with
 * another owner or a second name) or cannot be done (a single file mounted into a container), it is written in place.
 *
 * Reading, changing and writing is one run without a pause but for the disk; what somebody else saves meanwhile is found
 * by comparing right before the write, and wins.
 */

export interface EditedFile {
  /** The file that was written, links followed. */
  readonly path: string
  readonly before: string
  readonly after: string
  /** Of the value, counted from 1. */
  readonly line: number
}

/**
 * Sets a text at the top of a file and no other byte of it.
 * @param name of the file, for messages
 * @returns why it cannot be done, with the cure; nothing has been written then
 */
export async function editFile(
  path: string,
  name: string,
  key: string,
  value: string,
): Promise<Result<EditedFile, string>> {
  const target = await writable(path, name)
  if (!target.ok) return target
  const before = await textOf(target.value, name)
  if (!before.ok) return before
  const edit = setTopValue(name, before.value, key, value)
  if (!edit.ok) return edit
  const { text: after, line } = edit.value
  const edited = { path: target.value, before: before.value, after, line }
  if (after === before.value) return ok(edited)
  const written = await replace(target.value, name, before.value, after)
  return written.ok ? ok(edited) : written
}

/** Puts a file back as it was before an edit, unless somebody has changed it since: then it stays, and that is said. */
export function undoEdit({ path, before, after }: EditedFile): Promise<Result<void, string>> {
  return before === after ? Promise.resolve(ok(undefined)) : replace(path, path, after, before)
}

/** The file itself, behind all links. A file without any right to write is meant to stay, whoever we are. */
async function writable(path: string, name: string): Promise<Result<string, string>> {
  try {
    const target = await realpath(path)
    const { mode } = await stat(target)
    if ((mode & 0o222) === 0) return failed(readOnly(name))
    await access(target, constants.W_OK)
    return ok(target)
  } catch (thrown) {
    const code = codeOf(thrown)
    if (code === 'ENOENT')
      return failed(`${name}: there is no such file (any more). Put it back, or restart the engine.`)
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return failed(readOnly(name))
    return failed(`${name}: cannot be written: ${messageOf(thrown)}`)
  }
}

const readOnly = (name: string) =>
  `${name}: the file is read-only. Give the user that does this the right to write it, or change it where the file is made.`

async function textOf(path: string, name: string): Promise<Result<string, string>> {
  try {
    // With its byte order mark, if it has one.
    return ok(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path)))
  } catch (thrown) {
    return failed(`${name}: cannot be read as UTF-8 text: ${messageOf(thrown)}`)
  }
}

async function replace(path: string, name: string, from: string, to: string): Promise<Result<void, string>> {
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`)
  try {
    const hasDraft = await draftLike(path, draft, to)
    const now = await textOf(path, name)
    if (!now.ok || now.value !== from) {
      if (hasDraft) await unlink(draft)
      return failed(
        `${name}: somebody else has changed the file meanwhile, and it was left as they saved it. Try again.`,
      )
    }
    if (!hasDraft || !(await renamed(draft, path))) await writeFile(path, to)
    return ok(undefined)
  } catch (thrown) {
    return failed(`${name}: cannot be written: ${messageOf(thrown)}`)
  }
}

/** A file beside it with the same owner and rights; false where there can be none. */
async function draftLike(path: string, draft: string, text: string): Promise<boolean> {
  const { mode, uid, gid, nlink } = await stat(path)
  if (nlink > 1) return false
  try {
    await unlink(draft).catch(() => {})
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await chown(draft, uid, gid)
    await chmod(draft, mode & 0o7777)
    return true
  } catch {
    await unlink(draft).catch(() => {})
    return false
  }
}

/** False where a mount stands on the name. */
async function renamed(draft: string, path: string): Promise<boolean> {
  try {
    await rename(draft, path)
    return true
  } catch {
    await unlink(draft).catch(() => {})
    return false
  }
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
}
