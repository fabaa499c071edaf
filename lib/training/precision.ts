/**
 * Which part of a run computes in which type, down to the nodes that differ from their network. What the engine does is
 * fixed per op (native/engine/ops); this says it in words before anything runs.
 * @module
 */
import { fuseNorm } from '../graph/passes/index.js'
import type { Graph, Node } from '../graph/types.js'
import type { HeadPieces } from '../heads/index.js'
import type { ComputeType } from '../native.js'
import { computeType } from './device.js'
import type { PreparedRun } from './prepare.js'

export interface PrecisionRow {
  readonly part: string
  readonly type: ComputeType | 'uint8'
  readonly why: string
  /** Paths of the nodes that the row is about, where it is about some nodes of a network only. */
  readonly nodes?: readonly string[]
}

/** How nodes that compute wider than the 16-bit values around them are told, and told apart. */
interface WiderNodes {
  readonly what: string
  readonly why: string
  readonly includes: (node: Node, graph: Graph, where: Place) => boolean
}

interface Place {
  readonly device: PreparedRun['device']
  readonly compute: ComputeType
}

const NORMS = ['batch_norm', 'batch_norm_act']

/** facex's own loops on the CPU take bfloat16, not float16. */
const ownLoops = ({ device, compute }: Place): boolean => device === 'cpu' && compute === 'bfloat16'

const WIDER: readonly WiderNodes[] = [
  {
    what: 'batch norm',
    why: 'scale, shift, statistics and sums over the batch; values in and out are 16 bits',
    includes: ({ op }) => NORMS.includes(op),
  },
  {
    what: 'depthwise convolution',
    why: 'weights as the optimizer keeps them, and sums; values in and out are 16 bits',
    includes: (node, graph, where) => ownLoops(where) && node.params['bias'] === undefined && isLightDepthwise(node, graph),
  },
  {
    what: 'prelu',
    why: 'slopes as the optimizer keeps them; values in and out are 16 bits',
    includes: ({ op }, _, where) => ownLoops(where) && op === 'prelu',
  },
]

/** One filter of 3 x 3 or 5 x 5 a channel, stride 1 or 2: the convolutions of native/engine/kernels/depthwise.h. */
function isLightDepthwise({ op, attrs, params }: Node, graph: Graph): boolean {
  if (op !== 'conv2d') return false
  const [outputs, inputs, height, width] = graph.state.find(({ name }) => name === params['weight'])!.shape
  const [stride, dilation] = [attrs['stride'], attrs['dilation']] as [readonly number[], readonly number[]]
  return (
    inputs === 1 && outputs === attrs['groups'] && height === width && (height === 3 || height === 5) &&
    stride[0] === stride[1] && stride[0]! <= 2 && dilation.every((step) => step === 1)
  )
}

/** The parts of a run in the order in which values pass through them. */
export function precisionOf({ config, plan, device }: Pick<PreparedRun, 'config' | 'plan' | 'device'>): PrecisionRow[] {
  const compute = computeType(config.precision)
  const mixed = compute !== 'float32'
  const learning = new Set(plan.program.flatMap((verb) => (verb.verb === 'forward' && verb.gradient ? [verb.network] : [])))
  const networks = Object.entries(plan.networks).flatMap(([name, graph]): PrecisionRow[] => [
    {
      part: `network ${name}`,
      type: compute,
      why: learning.has(name) ? 'activations and their gradients; sums inside a kernel are wider' : 'activations; it does not learn by gradients',
    },
    ...(mixed ? widerNodes(fuseNorm(graph), { device, compute }) : []),
  ])
  return [
    { part: 'images', type: 'uint8', why: `decoded and moved as bytes, normalised into ${compute}` },
    ...networks,
    { part: 'norm statistics', type: 'float32', why: 'means, variances and their running averages' },
    ...Object.entries(plan.heads).flatMap(([name, head]) => headRows(name, head)),
    { part: 'weights', type: 'float32', why: mixed ? `masters that the optimizer updates; networks read ${compute} copies where no line says otherwise` : 'that the optimizer updates' },
    { part: 'gradients, optimizer', type: 'float32', why: compute === 'float16' ? 'with dynamic loss scaling, from 65536; a step that overflows is dropped and counted' : 'without loss scaling' },
  ]
}

function widerNodes(graph: Graph, where: Place): PrecisionRow[] {
  return WIDER.flatMap(({ what, why, includes }): PrecisionRow[] => {
    const nodes = graph.nodes.filter((node) => includes(node, graph, where)).map(({ path }) => path)
    return nodes.length === 0 ? [] : [{ part: `  ${what} (${nodes.length})`, type: 'float32', why, nodes }]
  })
}

function headRows(name: string, head: HeadPieces): PrecisionRow[] {
  const row: PrecisionRow = { part: `head ${name}`, type: 'float32', why: `${head.name}: logits, loss and class centres` }
  if (head.gemm === undefined) return [row]
  return [row, { part: '  products', type: head.gemm, why: 'embeddings and class centres are rounded for them, sums are wider' }]
}
