// Asterisk in a Docker container, for machines without root but with an engine. The container shares the
// machine's network, so the bed's 127.0.0.1 is Asterisk's as well.

import { basename } from 'node:path'
import { findCommand, mustRun, run } from './host.ts'

/** The uid is the caller's at run time, so the image's folders must not matter: an instance brings its own. */
const DOCKERFILE = `FROM debian:sid
RUN apt-get update \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \\
      asterisk asterisk-modules asterisk-core-sounds-en asterisk-core-sounds-en-wav \\
 && rm -rf /var/lib/apt/lists/*
ENV HOME=/tmp
ENTRYPOINT []
`

export interface DockerImage {
  readonly versionText: string
  readonly modulesFolder: string
  serverCommand(instanceFolder: string, mount: string, argv: readonly string[]): string[]
  consoleCommand(instanceFolder: string, argv: readonly string[]): string[]
}

/** One container per instance folder; the folder's last name is unique, so it names the container too. */
export function containerName(instanceFolder: string): string {
  return `patchcord-bed-${basename(instanceFolder)}`
}

/** Builds the image unless it is there. Without a reachable engine the answer says so. */
export async function provideDockerImage(
  onProgress: (line: string) => void,
): Promise<DockerImage | { readonly refusal: string }> {
  const docker = findCommand('docker')
  if (docker === null) return { refusal: 'no `docker` on PATH' }
  if ((await run([docker, 'info'])).exitCode !== 0) return { refusal: '`docker info` reaches no engine' }
  // The tag follows the recipe, so a changed recipe is a new image.
  const image = `patchcord-asterisk-bed:${Bun.hash(DOCKERFILE).toString(16)}`
  if ((await run([docker, 'image', 'inspect', image])).exitCode !== 0) {
    onProgress(`building the Docker image ${image} (some minutes, once)`)
    await mustRun([docker, 'build', '--tag', image, '-'], { stdin: DOCKERFILE })
  }
  const ask = 'asterisk -V; dirname /usr/lib/*/asterisk/modules/app_stasis.so'
  const answer = (await mustRun([docker, 'run', '--rm', image, 'sh', '-c', ask])).trim().split('\n')
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`
  return {
    versionText: answer[0] ?? '',
    modulesFolder: answer[1] ?? '/usr/lib/x86_64-linux-gnu/asterisk/modules',
    serverCommand: (instanceFolder, mount, argv) => [
      docker,
      'run',
      '--rm',
      '--network=host',
      `--name=${containerName(instanceFolder)}`,
      `--user=${user}`,
      `--volume=${instanceFolder}:${mount}`,
      image,
      ...argv,
    ],
    consoleCommand: (instanceFolder, argv) => [docker, 'exec', containerName(instanceFolder), ...argv],
  }
}
