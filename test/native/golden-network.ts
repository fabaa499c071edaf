/**
 * Golden files of networks: what they hold, weights by formula, and how far a network is from them.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { buildBackbone } from '../../lib/backbones/index.js'
import { elements } from '../../lib/graph/shape.js'
import type { Graph, StateEntry } from '../../lib/graph/types.js'
import { addon } from '../../lib/native.js'
import type { NativeNetwork, NativeNetworkOptions, NativeTensor } from '../../lib/native.js'
import { packageRoot } from '../../lib/setup/places.js'
import { uniforms, values } from '../golden-values.js'
import { sharedPath } from '../shared.js'
import { DEVICE } from './device.js'
import type { Precision } from './head-runner.js'

export interface Golden {
  readonly title: string
  readonly backbone: string
  readonly config: Record<string, unknown>
  readonly input: readonly [number, number, number]
  readonly macs: number
  readonly eval: { readonly batch: number; readonly embedding: number[] }
  readonly train: {
    readonly batch: number
    readonly embedding: number[]
    readonly loss: number
    readonly grads: Readonly<Record<string, readonly [norm: number, probe: number] | null>>
    readonly running: Readonly<Record<string, number>>
  }
  readonly float32_noise: { readonly eval: number; readonly train: number; readonly grads: number }
}

/** Numbers of a native tensor. */
export type Content = Float32Array | Float64Array

/** A native tensor with a copy of `content`. */
export function tensor(name: string, dtype: Precision, shape: readonly number[], content: ArrayLike<number>): NativeTensor {
  return { name, dtype, shape, data: (dtype === 'float64' ? Float64Array : Float32Array).from(content).buffer as ArrayBuffer }
}

export function contentOf({ dtype, data }: NativeTensor): Content {
  return dtype === 'float64' ? new Float64Array(data) : new Float32Array(data)
}

/** All golden networks of this machine, cheap ones first: facex's own and, where they are, the shared ones. */
export function goldenNetworks(): Golden[] {
  const folders = [path.join(packageRoot(), 'test', 'fixtures', 'backbones'), sharedPath('golden', 'backbones')]
  const files = folders.flatMap((folder) => (folder === undefined ? [] : readdirSync(folder).map((file) => path.join(folder, file))))
  return files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Golden).sort((a, b) => a.macs - b.macs)
}

/** A network on {@link DEVICE} with the given types of parameters and activations. */
export function networkOf(graph: Graph, master: Precision, compute: NativeNetworkOptions['compute'] = master): NativeNetwork {
  return new (addon().Network)(graph, { device: DEVICE, master, compute, pixelMean: 127.5, pixelScale: 1 / 128 })
}

/** The content that the formula gives an entry; undefined where its structural content stays. */
export function formulaContent({ name, shape, dtype }: StateEntry): Float32Array | undefined {
  const last = name.slice(name.lastIndexOf('.') + 1)
  if (dtype === 'int64' || last === 'attn_mask') return undefined
  const filled = (scale: number, offset: number) => values(name, elements(shape), scale, offset)
  if (last === 'running_var') return filled(1, 0.5)
  if (last === 'running_mean' || (last === 'bias' && shape.length === 1)) return filled(0.2, -0.1)
  if (shape.length === 1) return filled(0.75, 0.5)
  const bound = Math.sqrt(3 / elements(shape.slice(1)))
  return filled(2 * bound, -bound)
}

/** Puts the formula's weights into a network, entry by entry to keep memory low. */
export function loadFormula(network: NativeNetwork, graph: Graph, dtype: Precision): void {
  network.initialise(0)
  for (const entry of graph.state) {
    const content = formulaContent(entry)
    if (content !== undefined) network.load([tensor(entry.name, dtype, entry.shape, content)])
  }
}

/** Images by formula: uniform in -1 to 1. */
export function images(name: string, batch: number, input: readonly number[], dtype: Precision): NativeTensor {
  const shape = [batch, ...input]
  return tensor(name, dtype, shape, values(name, elements(shape), 2, -1))
}

/** The network of a golden file. */
export const goldenGraph = (golden: Golden): Graph => buildBackbone(golden.backbone, golden.config).graph

/** How far a network is from its golden file, relative as golden/README.md says. */
export interface Deviation {
  readonly eval: number
  readonly train: number
  readonly loss: number
  readonly grads: number
  readonly running: number
}

/**
 * Runs evaluation, then one forward and backward in train mode. Throws when other parameters get gradients.
 * @param graph of the golden network, or a rewrite of it
 * @param extra content of entries that the rewrite added
 */
export async function deviation(golden: Golden, dtype: Precision, graph = goldenGraph(golden), extra: readonly NativeTensor[] = []): Promise<Deviation> {
  const network = networkOf(graph, dtype)
  loadFormula(network, graph, dtype)
  network.load(extra)
  const embedding = contentOf(await network.infer(images('input', golden.eval.batch, golden.input, dtype), 'embedding'))

  const { train } = golden
  const target = values('target', train.embedding.length, 1, -0.5)
  const shape = [train.batch, train.embedding.length / train.batch]
  const gradient = tensor('target', dtype, shape, Array.from(target, (value) => value / target.length))
  const { output, grads } = network.forwardBackward(images('train input', train.batch, golden.input, dtype), 'embedding', gradient)
  const trained = contentOf(output)
  const loss = target.reduce((sum, value, i) => sum + value * trained[i]!, 0) / target.length
  const state = network.state().filter((entry) => entry.name in train.running)
  const running = state.map((entry) => relative(norm(contentOf(entry)), train.running[entry.name]!))
  network.dispose()
  return {
    eval: distance(embedding, golden.eval.embedding),
    train: distance(trained, train.embedding),
    loss: relative(loss, train.loss),
    grads: gradientError(golden, grads, dtype === 'float64'),
    running: Math.max(0, ...running),
  }
}

/** Error of gradient norms (and probes) relative to the largest norm. */
function gradientError(golden: Golden, grads: readonly NativeTensor[], probes: boolean): number {
  const expected = Object.entries(golden.train.grads).filter(([, value]) => value !== null) as [string, [number, number]][]
  const found = new Map(grads.map((grad) => [grad.name, grad]))
  const missing = expected.filter(([name]) => !found.has(name)).map(([name]) => name)
  if (missing.length > 0 || found.size !== expected.length) throw new Error(`gradients: ${found.size} for ${expected.length} parameters, missing ${missing.join(', ')}`)
  const largest = Math.max(...expected.map(([, [norm]]) => norm))
  const errors = expected.map(([name, [expectedNorm, expectedProbe]]) => {
    const content = contentOf(found.get(name)!)
    const normError = Math.abs(norm(content) - expectedNorm)
    return probes ? Math.max(normError, Math.abs(probe(name, content) - expectedProbe)) : normError
  })
  return Math.max(...errors) / largest
}

function probe(name: string, content: Content): number {
  const weights = uniforms(`${name}#probe`, content.length)
  return weights.reduce((sum, weight, i) => sum + content[i]! * (weight - 0.5), 0)
}

/** Norm of the difference relative to the norm of what is expected; Infinity for another length or NaN. */
export function distance(found: ArrayLike<number>, expected: readonly number[] | Content): number {
  const difference = norm(Float64Array.from(expected, (value, i) => value - (found[i] ?? Infinity)))
  return found.length === expected.length && !Number.isNaN(difference) ? difference / norm(Float64Array.from(expected)) : Infinity
}

function relative(found: number, expected: number): number {
  return Math.abs(found - expected) / Math.max(Math.abs(expected), 1e-6)
}

function norm(content: Content): number {
  let square = 0
  for (const value of content) square += value * value
  return Math.sqrt(square)
}
