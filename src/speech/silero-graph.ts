import { contextSamples, type DetectionRateHz, windowSamples } from './detection-memory.ts'
import { branchWeights, type Graph, type GraphNode, type Weights, writeModel } from './onnx-file.ts'

/**
 * Silero's own weights in a graph made for many calls at once. The model as it is published holds four frames of each
 * window as the time axis of convolutions, and the runtime multiplies one small matrix for each call of the batch, for
 * 40 µs a window. Here each convolution is a multiplication over the whole batch, without the taps that only ever meet
 * padding, and the branches that tell rates and shapes apart are gone: 12 µs. The verdicts agree within 1e-4
 * (`silero.test.ts`).
 *
 * Layers (v5): spectrum of 4 frames (magnitude of a windowed transform) → four convolutions of 3 taps with strides
 * 1, 2, 2, 1 over 4, 4, 2, 1 frames → LSTM of 128 → one number.
 *
 * `input` [B, padded window], −1 to 1 · `state` [B, 256], the LSTM's output and cell → `output` [B, 1] · `stateN`.
 */
export const sileroState = 256
const hidden = sileroState / 2
const frames = 4

/** The end is mirrored, so that the last frame is whole: what `input` has beyond context and window. */
export function mirroredSamples(sampleRateHz: DetectionRateHz): number {
  return contextSamples(sampleRateHz)
}

/** @param model the bytes of silero_vad.onnx, v5. Throws when it holds other layers. */
export function sileroGraph(model: Uint8Array, sampleRateHz: DetectionRateHz): Uint8Array {
  const weights = branchWeights(model, sampleRateHz === 16000 ? 'then_branch' : 'else_branch')
  const builder = new Builder(weights)
  const width = contextSamples(sampleRateHz) + windowSamples(sampleRateHz) + mirroredSamples(sampleRateHz)

  const basis = builder.layer('stft.forward_basis_buffer')
  const [bins2 = 0, , frameSize = 0] = basis.dims
  const bins = bins2 / 2
  const hop = (width - frameSize) / (frames - 1)
  const framed = Array.from({ length: frames }, (_, t) => builder.columns('input', t * hop, t * hop + frameSize))
  // Frames of one window stay beside each other, so that a convolution's view is a range of columns.
  const rows = builder.reshape(builder.concat(framed), frameSize)
  const spectrum = builder.add('MatMul', [rows, builder.weight(transposed(basis.data, bins2, frameSize))])
  const squares = builder.add('Mul', [spectrum, spectrum])
  const power = builder.add('Add', [builder.columns(squares, 0, bins), builder.columns(squares, bins, bins2)])
  const magnitudes = builder.reshape(builder.add('Sqrt', [power]), frames * bins)

  const range = (from: number, to: number) => builder.columns(magnitudes, from * bins, to * bins)
  const first = [
    builder.convolution(0, range(0, 2), 1, 3),
    builder.convolution(0, range(0, 3), 0, 3),
    builder.convolution(0, range(1, 4), 0, 3),
    builder.convolution(0, range(2, 4), 0, 2),
  ] as const
  const second = [
    builder.convolution(1, builder.concat([first[0], first[1]]), 1, 3),
    builder.convolution(1, builder.concat([first[1], first[2], first[3]]), 0, 3),
  ]
  const third = builder.convolution(2, builder.concat(second), 1, 3)
  const encoded = builder.convolution(3, third, 1, 2)

  const { output, stateN } = builder.recurrent(encoded)
  const graph: Graph = {
    nodes: [
      ...builder.nodes,
      { op: 'Identity', inputs: [output], outputs: ['output'] },
      { op: 'Identity', inputs: [stateN], outputs: ['stateN'] },
    ],
    weights: builder.weights,
    integers: builder.integers,
    inputs: { input: width, state: sileroState },
    outputs: { output: 1, stateN: sileroState },
  }
  return writeModel(graph)
}

class Builder {
  readonly nodes: GraphNode[] = []
  // keyed by: tensor name
  readonly weights: Record<string, Weights> = {}
  // keyed by: tensor name
  readonly integers: Record<string, readonly number[]> = {}
  private readonly layers: Readonly<Record<string, Weights>>
  private names = 0

  constructor(layers: Readonly<Record<string, Weights>>) {
    this.layers = layers
  }

  layer(name: string): Weights {
    const found = this.layers[name]
    if (found === undefined) throw new Error(`the speech detection model has no ${name}`)
    return found
  }

  add(op: string, inputs: readonly string[], attributes: GraphNode['attributes'] = {}): string {
    const output = this.name()
    this.nodes.push({ op, inputs, outputs: [output], attributes })
    return output
  }

  weight(weights: Weights): string {
    const name = this.name()
    this.weights[name] = weights
    return name
  }

  concat(parts: readonly string[]): string {
    return this.add('Concat', parts, { axis: 1 })
  }

  columns(from: string, begin: number, end: number): string {
    return this.add('Slice', [from, this.integer(begin), this.integer(end), this.integer(1)])
  }

  reshape(from: string, width: number): string {
    return this.add('Reshape', [from, this.integer(-1, width)])
  }

  /**
   * One frame of a convolution with ReLU.
   * @param view the frames under taps `begin` to `end`, beside each other
   */
  convolution(index: number, view: string, begin: number, end: number): string {
    const { dims, data } = this.layer(`encoder.${index}.reparam_conv.weight`)
    const [outputs = 0, inputs = 0, taps = 0] = dims
    const matrix = new Float32Array((end - begin) * inputs * outputs)
    for (let out = 0; out < outputs; out++) {
      for (let channel = 0; channel < inputs; channel++) {
        for (let tap = begin; tap < end; tap++) {
          const value = data[(out * inputs + channel) * taps + tap] as number
          matrix[((tap - begin) * inputs + channel) * outputs + out] = value
        }
      }
    }
    const weights = this.weight({ dims: [(end - begin) * inputs, outputs], data: matrix })
    const bias = this.weight(this.layer(`encoder.${index}.reparam_conv.bias`))
    return this.add('Relu', [this.add('Gemm', [view, weights, bias])])
  }

  /** The gates lie in the order input, forget, cell, output. */
  recurrent(encoded: string): { readonly output: string; readonly stateN: string } {
    const ofInput = transposed(this.layer('decoder.rnn.weight_ih').data, 4 * hidden, hidden)
    const ofHidden = transposed(this.layer('decoder.rnn.weight_hh').data, 4 * hidden, hidden)
    const both = new Float32Array(2 * ofInput.data.length)
    both.set(ofInput.data)
    both.set(ofHidden.data, ofInput.data.length)
    const hiddenBias = this.layer('decoder.rnn.bias_hh').data
    const bias = this.layer('decoder.rnn.bias_ih').data.map((value, index) => value + (hiddenBias[index] as number))
    const weights = this.weight({ dims: [2 * hidden, 4 * hidden], data: both })
    const view = this.concat([encoded, this.columns('state', 0, hidden)])
    const gates = this.add('Gemm', [view, weights, this.weight({ dims: [4 * hidden], data: bias })])
    const gate = (index: number, op: string) =>
      this.add(op, [this.columns(gates, index * hidden, (index + 1) * hidden)])
    const kept = this.add('Mul', [gate(1, 'Sigmoid'), this.columns('state', hidden, 2 * hidden)])
    const cell = this.add('Add', [kept, this.add('Mul', [gate(0, 'Sigmoid'), gate(2, 'Tanh')])])
    const out = this.add('Mul', [gate(3, 'Sigmoid'), this.add('Tanh', [cell])])
    const last = this.weight({ dims: [hidden, 1], data: this.layer('decoder.decoder.2.weight').data })
    const lastBias = this.weight(this.layer('decoder.decoder.2.bias'))
    const sum = this.add('Gemm', [this.add('Relu', [out]), last, lastBias])
    return { output: this.add('Sigmoid', [sum]), stateN: this.concat([out, cell]) }
  }

  private integer(...values: readonly number[]): string {
    const name = this.name()
    this.integers[name] = values
    return name
  }

  private name(): string {
    this.names += 1
    return `v${this.names}`
  }
}

function transposed(data: Float32Array, rows: number, columns: number): Weights {
  const turned = new Float32Array(data.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = data[row * columns + column] as number
    }
  }
  return { dims: [columns, rows], data: turned }
}
