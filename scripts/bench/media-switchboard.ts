import type { Engine } from '#app'
import type { PreparedMedia } from '#asterisk/door.ts'
import type { Door } from './media-wire.ts'

/**
 * ARI's part in opening a media channel, for doors that must be told beforehand which call will need media: the callers'
 * process asks for a call as Asterisk would bring one, is told what the door wants of Asterisk, makes its end of it, and
 * says where that is. Used while calls are set up and ended, and never in between.
 */
export interface SwitchboardRequest {
  readonly step: 'prepare' | 'made' | 'gone'
  readonly uuid: string
  readonly variables: Readonly<Record<string, string>>
}

export function openSwitchboard(engine: Engine, name: Door): { readonly port: number } {
  const entrance = engine.media.doors.entrance(name)
  if (!entrance.ok) throw new Error(entrance.error)
  const { door, format } = entrance.value
  const prepared = new Map<string, PreparedMedia>()
  const { port } = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const { step, uuid, variables } = (await request.json()) as SwitchboardRequest
      if (step === 'prepare') {
        const media = await door.prepare({ uuid, channelId: uuid, format })
        if (!media.ok) return new Response(media.error, { status: 503 })
        prepared.set(uuid, media.value)
        return Response.json(media.value.request)
      }
      if (step === 'made') prepared.get(uuid)?.made(variables)
      else {
        void engine.store.byMediaUuid(uuid)?.end('caller')
        prepared.get(uuid)?.release()
        prepared.delete(uuid)
      }
      return Response.json({})
    },
  })
  return { port: port as number }
}

/** The other side of it. */
export async function askSwitchboard(port: number, request: SwitchboardRequest): Promise<Record<string, string>> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: JSON.stringify(request) })
  if (!response.ok) throw new Error(await response.text())
  return (await response.json()) as Record<string, string>
}
