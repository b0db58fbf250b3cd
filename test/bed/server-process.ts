// The Asterisk process of one instance: started, ended, and never left behind.

import { closeSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { AsteriskRoot } from './asterisk-root.ts'
import { containerName } from './docker-image.ts'
import { findCommand, readIfThere, run } from './host.ts'

const POLL_MS = 20
const OUTPUT = 'console'

export interface ServerOptions {
  readonly background: boolean
  /** Delete the instance's folder when this process ends before the server was stopped. */
  readonly folderToo: boolean
}

/** Instances that have to end with this process, and the folders that go with them. */
const owned = new Map<ServerProcess, string | undefined>()
let exitHookSet = false

export class ServerProcess {
  readonly pid: number
  readonly #root: AsteriskRoot
  readonly #folder: string

  private constructor(root: AsteriskRoot, folder: string, pid: number) {
    this.#root = root
    this.#folder = folder
    this.pid = pid
  }

  /**
   * Starts the server in the foreground of its own process. In the background it becomes a session of its own;
   * otherwise the kernel ends it when this process dies (`setpriv --pdeathsig`), even by a kill -9.
   */
  static start(root: AsteriskRoot, folder: string, options: ServerOptions): ServerProcess {
    const { background, folderToo } = options
    const configuration = `${root.insideFolder(folder)}/etc/asterisk.conf`
    const argv = root.serverCommand(folder, ['asterisk', '-C', configuration, '-f'])
    const output = openSync(join(folder, 'log', OUTPUT), 'a')
    const child = Bun.spawn([...wrapper(background), ...argv], {
      stdin: 'ignore',
      stdout: output,
      stderr: output,
      cwd: '/',
      // Asterisk keeps a command history there; each instance gets its own.
      env: { ...process.env, HOME: root.kind === 'path' ? folder : '/tmp', PATH: SERVER_PATH },
    })
    closeSync(output)
    const server = new ServerProcess(root, folder, child.pid)
    if (background) {
      child.unref()
    } else {
      owned.set(server, folderToo ? folder : undefined)
      setExitHook()
    }
    return server
  }

  /** A server that another process started. */
  static attach(root: AsteriskRoot, folder: string, pid: number): ServerProcess {
    return new ServerProcess(root, folder, pid)
  }

  /** Whether a process still is an instance, and not a later one that was given the same number. */
  static isServer(pid: number): boolean {
    return isAlive(pid) && /asterisk/.test(readIfThere(`/proc/${pid}/cmdline`))
  }

  get alive(): boolean {
    return isAlive(this.pid)
  }

  /** What the server wrote to its console. */
  output(): string {
    return readIfThere(join(this.#folder, 'log', OUTPUT))
  }

  /** Asks it to end, and ends it by force after `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    if (this.#root.kind === 'docker') await run(['docker', 'stop', '--time=3', containerName(this.#folder)])
    else signal(this.pid, 'SIGTERM')
    if (!(await this.#untilGone(timeoutMs))) await this.kill()
    owned.delete(this)
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.killNow()
    await this.#untilGone(5_000)
    owned.delete(this)
  }

  killNow(): void {
    if (this.#root.kind === 'docker') Bun.spawnSync(['docker', 'kill', containerName(this.#folder)])
    else signal(this.pid, 'SIGKILL')
  }

  async #untilGone(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs
    while (this.alive) {
      if (performance.now() > deadline) return false
      await Bun.sleep(POLL_MS)
    }
    return true
  }
}

const SERVER_PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`

/** Neither wrapper forks, so the pid of the child stays the server's. */
function wrapper(background: boolean): string[] {
  if (background) return findCommand('setsid') === null ? [] : ['setsid']
  return findCommand('setpriv') === null ? [] : ['setpriv', '--pdeathsig', 'KILL']
}

function setExitHook(): void {
  if (exitHookSet) return
  exitHookSet = true
  process.on('exit', () => {
    for (const [server, folder] of owned) {
      server.killNow()
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    }
  })
}

/** Whether a process runs; one that has ended but was not yet collected doesn't. */
export function isAlive(pid: number): boolean {
  const stat = readIfThere(`/proc/${pid}/stat`)
  if (stat !== '') return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z'
  return false
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended already.
  }
}
