import { failed, type Result } from '#base/result.ts'

export function sampleSpeech(_env: unknown, _rate: number): Promise<Result<Int16Array, string>> {
  return Promise.resolve(failed('no sample speech yet'))
}
