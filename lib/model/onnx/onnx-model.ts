/**
 * An ONNX model under construction, and its encoding. Field numbers are those of onnx.proto.
 * @module
 */
import { bytes, float, integer, message, text, type Fields } from './protobuf.js'

/** Attributes of a node: a whole number array, a text, or a number whose kind the writer must say. */
export type OnnxAttribute = { readonly ints: readonly number[] } | { readonly int: number } | { readonly float: number } | { readonly text: string }

const IR_VERSION = 8
/** The first that resizes along named axes, which keeps the batch free. */
const OPSET = 18
const FLOAT = 1
const INT64 = 7

export class OnnxModel {
  readonly #nodes: Buffer[] = []
  readonly #initializers = new Map<string, Buffer>()
  #count = 0

  /** Adds a node; returns the name of its result. */
  node(op: string, inputs: readonly string[], attributes: Readonly<Record<string, OnnxAttribute>> = {}, output = `v${this.#count++}`): string {
    const encoded = Object.entries(attributes).map(([name, value]) => message(5, attribute(name, value)))
    this.#nodes.push(message(1, [...inputs.map((input) => text(1, input)), text(2, output), text(4, op), ...encoded]))
    return output
  }

  /** A float32 tensor with a name of its own; the same name is stored once. */
  floats(name: string, dims: readonly number[], values: ArrayLike<number>): string {
    const data = Float32Array.from(values)
    return this.#initializer(name, dims, FLOAT, Buffer.from(data.buffer))
  }

  /** A constant scalar. */
  scalar(value: number): string {
    return this.floats(`const ${value}`, [], [value])
  }

  /** A constant list of whole numbers, such as a shape. */
  integers(values: readonly number[]): string {
    return this.#initializer(`const [${values.join(', ')}]`, [values.length], INT64, int64s(values))
  }

  /** A constant whole number. */
  index(value: number): string {
    return this.#initializer(`index ${value}`, [], INT64, int64s([value]))
  }

  #initializer(name: string, dims: readonly number[], type: number, data: Uint8Array): string {
    if (!this.#initializers.has(name)) {
      this.#initializers.set(name, message(5, [...dims.map((dim) => integer(1, dim)), integer(2, type), text(8, name), bytes(9, data)]))
    }
    return name
  }

  /** The file. Shapes are without the batch, which is the symbol N. */
  encode(options: {
    readonly name: string
    readonly version: string
    readonly inputs: Readonly<Record<string, readonly number[]>>
    readonly outputs: Readonly<Record<string, readonly number[]>>
    readonly metadata: Readonly<Record<string, string>>
  }): Buffer {
    const { name, version, inputs, outputs, metadata } = options
    const values = (field: number, shapes: Readonly<Record<string, readonly number[]>>) => Object.entries(shapes).map(([value, dims]) => message(field, valueInfo(value, dims)))
    const graph = [...this.#nodes, text(2, name), ...this.#initializers.values(), ...values(11, inputs), ...values(12, outputs)]
    const properties = Object.entries(metadata).map(([key, value]) => message(14, [text(1, key), text(2, value)]))
    return Buffer.concat([integer(1, IR_VERSION), text(2, 'facex'), text(3, version), message(7, graph), message(8, [text(1, ''), integer(2, OPSET)]), ...properties])
  }
}

function attribute(name: string, value: OnnxAttribute): Fields {
  if ('ints' in value) return [text(1, name), ...value.ints.map((item) => integer(8, item)), integer(20, 7)]
  if ('int' in value) return [text(1, name), integer(3, value.int), integer(20, 2)]
  if ('float' in value) return [text(1, name), float(2, value.float), integer(20, 1)]
  return [text(1, name), text(4, value.text), integer(20, 3)]
}

function valueInfo(name: string, dims: readonly number[]): Fields {
  const shape = [message(1, [text(2, 'N')]), ...dims.map((dim) => message(1, [integer(1, dim)]))]
  return [text(1, name), message(2, [message(1, [integer(1, FLOAT), message(2, shape)])])]
}

function int64s(values: readonly number[]): Uint8Array {
  return new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
}
