/**
 * As much of the ONNX file format as it takes to read a model's weights and to write a small graph: protocol buffers,
 * field numbers from onnx.proto3. Nothing here knows the runtime.
 */
export interface Weights {
  readonly dims: readonly number[]
  readonly data: Float32Array
}

export interface GraphNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Whole numbers, the only attributes that are needed. */
  readonly attributes?: Readonly<Record<string, number>>
}

export interface Graph {
  readonly nodes: readonly GraphNode[]
  readonly weights: Readonly<Record<string, Weights>>
  /** Whole numbers that operators take as inputs: shapes, ranges. */
  readonly integers: Readonly<Record<string, readonly number[]>>
  /** Tensors of floats, [any number, width]. */
  readonly inputs: Readonly<Record<string, number>>
  readonly outputs: Readonly<Record<string, number>>
}

const floatType = 1
const int64Type = 7
/** `AttributeProto.type` of a whole number. */
const intAttribute = 2

interface Field {
  readonly number: number
  readonly value: number
  readonly bytes: Uint8Array
}

const noBytes = new Uint8Array(0)

/** Throws on anything but numbers and byte strings, of which these messages consist. */
function* fields(message: Uint8Array): Generator<Field> {
  let at = 0
  const varint = () => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++]
      if (byte === undefined) throw new Error('the model file is cut short')
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  while (at < message.length) {
    const tag = varint()
    const number = Math.floor(tag / 8)
    if (tag % 8 === 0) yield { number, value: varint(), bytes: noBytes }
    else if (tag % 8 === 2) {
      const length = varint()
      yield { number, value: 0, bytes: message.subarray(at, at + length) }
      at += length
    } else if (tag % 8 === 5) at += 4
    else throw new Error(`the model file has a field of kind ${tag % 8}`)
  }
}

function bytesOf(message: Uint8Array, number: number): Uint8Array[] {
  return [...fields(message)].filter((field) => field.number === number).map((field) => field.bytes)
}

const textOf = (message: Uint8Array, number: number) => new TextDecoder().decode(bytesOf(message, number)[0] ?? noBytes)

/**
 * The named constants of one branch of a model that is a single `If`.
 * @param branch `then_branch` or `else_branch`
 */
export function branchWeights(model: Uint8Array, branch: string): Record<string, Weights> {
  const found: Record<string, Weights> = {}
  const [graph = noBytes] = bytesOf(model, 7)
  for (const node of bytesOf(graph, 1)) {
    for (const attribute of bytesOf(node, 5)) {
      if (textOf(attribute, 1) !== branch) continue
      const [inner = noBytes] = bytesOf(attribute, 6)
      for (const constant of bytesOf(inner, 1)) readConstant(constant, found)
    }
  }
  return found
}

function readConstant(node: Uint8Array, found: Record<string, Weights>): void {
  if (textOf(node, 4) !== 'Constant') return
  for (const attribute of bytesOf(node, 5)) {
    const [tensor = noBytes] = bytesOf(attribute, 5)
    const name = textOf(tensor, 8)
    const [raw] = bytesOf(tensor, 9)
    const type = [...fields(tensor)].find((field) => field.number === 2)?.value
    if (name === '' || raw === undefined || type !== floatType) continue
    const dims = [...fields(tensor)].filter((field) => field.number === 1).map((field) => field.value)
    // Its own copy: floats must begin at a multiple of four.
    found[name] = { dims, data: new Float32Array(new Uint8Array(raw).buffer) }
  }
}

/**
 * The same model with some of its inner tensors of floats among its outputs. A message that comes twice is read as one
 * (protocol buffers merge them), so that the outputs need only be put behind it.
 */
export function withOutputs(model: Uint8Array, names: readonly string[]): Uint8Array {
  const floats = bytes(2, bytes(1, integer(1, floatType)))
  return message(model, bytes(7, message(...names.map((name) => bytes(12, message(text(1, name), floats))))))
}

/** Bytes of an ONNX model, opset 13. */
export function writeModel(graph: Graph): Uint8Array {
  const nodes = graph.nodes.map((node) =>
    message(
      ...node.inputs.map((name) => text(1, name)),
      ...node.outputs.map((name) => text(2, name)),
      text(4, node.op),
      ...Object.entries(node.attributes ?? {}).map(([name, value]) =>
        bytes(5, message(text(1, name), integer(3, value), integer(20, intAttribute))),
      ),
    ),
  )
  const floats = Object.entries(graph.weights).map(([name, { dims, data }]) =>
    tensor(name, floatType, dims, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  )
  const integers = Object.entries(graph.integers).map(([name, values]) =>
    tensor(name, int64Type, [values.length], new Uint8Array(BigInt64Array.from(values, BigInt).buffer)),
  )
  const ends = (number: number, tensors: Readonly<Record<string, number>>) =>
    Object.entries(tensors).map(([name, width]) => bytes(number, valueInfo(name, width)))
  const body = message(
    ...nodes.map((node) => bytes(1, node)),
    text(2, 'graph'),
    ...[...floats, ...integers].map((each) => bytes(5, each)),
    ...ends(11, graph.inputs),
    ...ends(12, graph.outputs),
  )
  const opset = message(text(1, ''), integer(2, 13))
  return message(integer(1, 8), bytes(7, body), bytes(8, opset))
}

function tensor(name: string, type: number, dims: readonly number[], data: Uint8Array): Uint8Array {
  return message(...dims.map((size) => integer(1, size)), integer(2, type), text(8, name), bytes(9, data))
}

function valueInfo(name: string, width: number): Uint8Array {
  const shape = message(bytes(1, text(2, 'batch')), bytes(1, integer(1, width)))
  return message(text(1, name), bytes(2, bytes(1, message(integer(1, floatType), bytes(2, shape)))))
}

function message(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts)
}

function varintBytes(value: number): number[] {
  const out: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) + 128)
  out.push(rest)
  return out
}

function integer(number: number, value: number): Uint8Array {
  return Uint8Array.from([number * 8, value].flatMap(varintBytes))
}

function bytes(number: number, content: Uint8Array): Uint8Array {
  return message(Uint8Array.from([number * 8 + 2, content.length].flatMap(varintBytes)), content)
}

function text(number: number, content: string): Uint8Array {
  return bytes(number, new TextEncoder().encode(content))
}
