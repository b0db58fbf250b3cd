import { dlopen, FFIType } from 'bun:ffi'
import { readFileSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { isCompiled } from './executable.ts'
import { setLibraryVariable } from './libc.ts'
import { placeLibrary } from './runtime-library.ts'

/**
 * The only door to ONNX Runtime. It is loaded at the first session and never before: a machine where it can't load
 * still runs an engine whose partners are all elsewhere.
 *
 * `session.run()` does its work on the thread that calls it, promise or not, so this file is used inside workers only.
 *
 * In a compiled binary the runtime's addon finds its shared library neither beside itself nor anywhere else: the
 * library is embedded, put on the disk (`runtime-library.ts`) and opened by hand. The addon's own loader then finds
 * that name (soname libonnxruntime.so.1) already in memory.
 */
export type OnnxSession = InferenceSession
export type OnnxTensor = OrtTensor
export type Feeds = Record<string, OrtTensor>

type Runtime = typeof import('onnxruntime-node')
let loading: Promise<Runtime> | undefined

/** Throws when the runtime can't be loaded on this machine; the same error to every caller. */
export function loadOnnx(): Promise<Runtime> {
  if (loading === undefined) loading = load()
  return loading
}

export interface SessionOptions {
  /** Threads of one operator, the calling one included. */
  readonly threads: number
}

/** @param model a path, or the bytes of a model */
export async function createSession(model: string | Uint8Array, options: SessionOptions): Promise<OnnxSession> {
  const { InferenceSession } = await loadOnnx()
  const settings: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    // Threads that wait by spinning would eat a core between two jobs: an idle engine costs nothing.
    // The binding takes configuration entries under their full dotted names, given as nested objects.
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  }
  return typeof model === 'string' ? InferenceSession.create(model, settings) : InferenceSession.create(model, settings)
}

async function load(): Promise<Runtime> {
  // Since 1.29 the official builds send what models are loaded and how long they run to Microsoft, and keep a device id,
  // unless this stands before the library is loaded. Calls are nobody else's business: without it nothing is loaded.
  if (!setLibraryVariable('ORT_DISABLE_TELEMETRY', '1')) throw new Error("ONNX Runtime's telemetry can't be turned off")
  const embedded = await embeddedLibrary()
  if (embedded !== null) openLibrary(embedded)
  return import('onnxruntime-node')
}

/** The library's path inside a compiled Linux binary; null from source, where the addon finds it beside itself. */
async function embeddedLibrary(): Promise<string | null> {
  if (process.platform !== 'linux' || !isCompiled) return null
  // One import per processor, each behind a comparison that the bundler decides: only the target's file is embedded.
  if (process.arch === 'arm64') {
    const library = await import('../../node_modules/onnxruntime-node/bin/napi-v6/linux/arm64/libonnxruntime.so.1', {
      with: { type: 'file' },
    })
    return library.default
  }
  if (process.arch === 'x64') {
    const library = await import('../../node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1', {
      with: { type: 'file' },
    })
    return library.default
  }
  return null
}

function openLibrary(embedded: string): void {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const { path, temporary } = placeLibrary(readFileSync(embedded), join(cache, 'patchcord', 'runtime'))
  // One real symbol must be named; the handle is never closed, for the addon needs the library until the end.
  dlopen(path, { OrtGetApiBase: { args: [], returns: FFIType.ptr } })
  // A library in memory needs no name any more.
  if (temporary) rmSync(dirname(path), { recursive: true, force: true })
}
