/**
 * Memory of a training step, found by walking the graph as the executor does (`native/engine/network.cc`): which values
 * a forward pass holds and keeps, and which gradients are alive together on the way back.
 *
 * It counts tensors. What kernels take beside them for the time of a call is not known here.
 * @module
 */
import { liveNodes } from './cost.js'
import { findOp } from './ops.js'
import { elements } from './shape.js'
import type { Graph, Node } from './types.js'

export type Precision = 'fp32' | 'bf16' | 'fp16'

/** Bytes of one forward pass and of its way back. */
export interface PassMemory {
  /** The most that are alive at once in forward, input included. */
  readonly forward: number
  /** What waits for backward when forward is over, the output included. */
  readonly kept: number
  /** The most that are alive at once in backward, kept values and gradients of parameters included. */
  readonly backward: number
}

/** Bytes of a training step. */
export interface StepMemory extends PassMemory {
  /** The most that values and their gradients take at once. */
  readonly activations: number
  /** Parameters and buffers. */
  readonly weights: number
  /** Copies of the parameters in the type of the activations, where that is another. */
  readonly casts: number
  /** Gradients of the parameters that a result depends on. */
  readonly gradients: number
}

/** What backward computes once more instead of finding it kept (see recompute.ts); ids of nodes. */
export interface Recomputation {
  /** Nodes at which a stage begins that is computed again as a whole, the first stage left out. */
  readonly stages: readonly number[]
  /** Nodes whose value is computed again from what the node keeps. */
  readonly recomputed: readonly number[]
}

export const KEEP_ALL: Recomputation = { stages: [], recomputed: [] }

/** Of one step with `batch` images; parameters, gradients and optimizer are float32 in every precision. */
export function stepMemory(graph: Graph, batch: number, precision: Precision, recomputation = KEEP_ALL): StepMemory {
  const { forward, kept, backward } = passMemory(graph, batch, precision, recomputation)
  const entries = (chosen: Graph['state']) => chosen.reduce((sum, entry) => sum + elements(entry.shape), 0)
  const used = new Set(liveNodes(graph).flatMap((node) => Object.values(node.params)))
  const learning = graph.state.filter((entry) => entry.kind === 'parameter' && used.has(entry.name))
  return {
    forward,
    kept,
    backward,
    activations: Math.max(forward, passMemory(graph, batch, precision, recomputation, { gradients: false }).backward),
    weights: 4 * entries(graph.state),
    casts: precision === 'fp32' ? 0 : 2 * entries(learning),
    gradients: 4 * entries(learning),
  }
}

/** The most that a forward pass without backward holds at once. */
export function inferenceMemory(graph: Graph, batch: number, precision: Precision): number {
  return new Walk(graph, batch, precision).forward(false)
}

function passMemory(graph: Graph, batch: number, precision: Precision, recomputation: Recomputation, count = { gradients: true }): PassMemory {
  const walk = new Walk(graph, batch, precision, recomputation)
  const forward = walk.forward(true)
  const kept = walk.held
  return { forward, kept, backward: walk.backward(count.gradients) }
}

/** Memory that values share: freed when nobody holds it any more. */
interface Block {
  readonly bytes: number
  holders: number
}

/** Nodes from `begin` to before `end` that are computed again, and the values of earlier nodes that they read. */
interface Stage {
  readonly begin: number
  readonly end: number
  readonly read: Map<number, Block>
}

/** How often the result of each node is read. */
function usesOf(nodes: readonly Node[]): Map<number, number> {
  const uses = new Map<number, number>()
  for (const node of nodes) for (const id of node.inputs) uses.set(id, (uses.get(id) ?? 0) + 1)
  return uses
}

/** Ops that write the gradient of their operand over that of their result, where nobody else holds it. */
const IN_PLACE = ['batch_norm', 'batch_norm_act', 'prelu']

/** Operands that ops write their result over where nothing else reads them, in a pass without backward. */
const OVERWRITTEN: Readonly<Record<string, readonly number[]>> = {
  ...Object.fromEntries([...IN_PLACE, 'relu', 'relu6', 'sigmoid', 'silu', 'hard_sigmoid', 'hard_swish', 'gelu', 'mul'].map((op) => [op, [0]])),
  add: [0, 1],
}

/** Operands whose gradient is that of the result itself. */
function passedOn(node: Node): readonly number[] {
  if (node.op === 'add') return [0, 1]
  if (['add_parameter', 'add_channels', 'scale_shift'].includes(node.op)) return [0]
  if (node.op === 'batch_norm_act' && node.attrs['activation'] === 'none' && node.inputs.length === 2) return [1]
  return []
}

/** One pass over a graph, counting. */
class Walk {
  /** Bytes alive now. */
  held = 0
  #most = 0
  readonly #nodes: readonly Node[]
  readonly #learns: ReadonlySet<number>
  readonly #gradientBytes: ReadonlyMap<string, number>
  /** What a node keeps for its backward. */
  readonly #records = new Map<number, Block[]>()
  /** Stages that are computed again, by their last node. */
  readonly #stages = new Map<number, Stage>()
  readonly #recomputed: ReadonlySet<number>
  /** Where the stage of each node begins. */
  readonly #beginnings: readonly number[]
  /** Values that backward has computed again, until the backward of their node. */
  readonly #again = new Map<number, Block>()

  constructor(
    readonly graph: Graph,
    readonly batch: number,
    readonly precision: Precision,
    { stages, recomputed }: Recomputation = KEEP_ALL,
  ) {
    const all = [0, ...stages]
    // The last stage goes straight on to its backward.
    stages.forEach((end, stage) => this.#stages.set(end - 1, { begin: all[stage]!, end, read: new Map() }))
    this.#recomputed = new Set(recomputed)
    this.#beginnings = graph.nodes.map(({ id }) => all.findLast((begin) => begin <= id)!)
    // The executor runs every node, also those that no result depends on.
    this.#nodes = graph.nodes
    this.#learns = learningNodes(graph)
    this.#gradientBytes = new Map(graph.state.map(({ name, kind, shape }) => [name, kind === 'parameter' ? 4 * elements(shape) : 0]))
  }

  forward(keep: boolean): number {
    const values = new Map<number, Block>()
    const uses = usesOf(this.#nodes)
    for (const id of Object.values(this.graph.outputs)) uses.set(id, (uses.get(id) ?? 0) + 1)
    const stages = keep ? [...this.#stages.values()] : []
    for (const node of this.#nodes) {
      const stage = stages.find(({ begin, end }) => node.id >= begin && node.id < end)
      if (stage !== undefined) {
        for (const id of node.inputs) if (id < stage.begin && !stage.read.has(id)) stage.read.set(id, hold(values.get(id)!))
      }
      this.#compute(node, values, uses, keep && stage === undefined, !keep)
    }
    return this.#most
  }

  /** The values of a stage once more, with what its backward reads. */
  #runAgain({ begin, end, read }: Stage): void {
    const nodes = this.#nodes.slice(begin, end)
    const uses = usesOf(nodes)
    const values = new Map([...read].map(([id, block]) => [id, hold(block)]))
    for (const node of nodes) {
      this.#compute(node, values, uses, true)
      if (!uses.has(node.id)) this.#release(values.get(node.id)!)
    }
  }

  #compute(node: Node, values: Map<number, Block>, uses: Map<number, number>, keep: boolean, inference = false): void {
    const inputs = node.inputs.map((id) => values.get(id)!)
    const isFree = (place: number) => uses.get(node.inputs[place]!) === 1 && inputs[place]!.holders === 1
    const reused = this.#isView(node) ? 0 : inference ? OVERWRITTEN[node.op]?.find(isFree) : undefined
    const output = reused === undefined ? this.#take(this.#bytes(node)) : hold(inputs[reused]!)
    values.set(node.id, output)
    if (keep && this.#learns.has(node.id)) {
      const { keeps } = findOp(node.op)!
      const comesAgain = this.#recomputed.has(node.id)
      const operands = keeps === 'inputs' || comesAgain ? inputs.filter((_, place) => !this.#leavesOut(node, node.inputs[place]!)) : []
      const record = [...operands, ...(keeps === 'output' && !comesAgain ? [output] : [])].map(hold)
      const extra = this.#keptBeside(node)
      if (extra > 0) record.push(this.#take(extra))
      this.#records.set(node.id, record)
    }
    for (const id of node.inputs) {
      const left = uses.get(id)! - 1
      uses.set(id, left)
      if (left === 0) this.#release(values.get(id)!)
    }
  }

  /** Whether a node leaves the value of another to be computed again, which happens within a stage. */
  #leavesOut(reader: Node, id: number): boolean {
    return this.#recomputed.has(id) && this.#learns.has(id) && id >= this.#beginnings[reader.id]!
  }

  #valueAgain(node: Node): void {
    if (this.#again.has(node.id)) return
    this.#operandsAgain(node)
    this.#again.set(node.id, this.#take(this.#bytes(node)))
  }

  #operandsAgain(node: Node): void {
    for (const id of node.inputs) if (this.#leavesOut(node, id)) this.#valueAgain(this.graph.nodes[id]!)
  }

  /** @param gradients whether those of the parameters count */
  backward(gradients: boolean): number {
    this.#most = this.held
    const opened: Stage[] = []
    const grads = new Map<number, Block>()
    for (const id of Object.values(this.graph.outputs)) grads.set(id, this.#take(this.#bytes(this.graph.nodes[id]!)))
    for (const node of this.#nodes.toReversed()) {
      const stage = this.#stages.get(node.id)
      if (stage !== undefined) this.#runAgain(stage)
      const grad = grads.get(node.id)
      grads.delete(node.id)
      const { keeps } = findOp(node.op)!
      if (grad !== undefined && this.#learns.has(node.id)) {
        if (keeps === 'inputs') this.#operandsAgain(node)
        if (keeps === 'output' && this.#recomputed.has(node.id)) this.#valueAgain(node)
      }
      const value = this.#again.get(node.id)
      // What is computed again is let go before its own backward, unless that reads it.
      if (value !== undefined && keeps !== 'output') this.#release(value)
      if (grad !== undefined) {
        if (gradients) for (const name of Object.values(node.params)) this.#take(this.#gradientBytes.get(name)!)
        this.#backwardOf(node, grad, grads)
      }
      this.#records.get(node.id)?.forEach((block) => this.#release(block))
      if (value !== undefined && keeps === 'output') this.#release(value)
      if (stage !== undefined) opened.push(stage)
      if (opened.at(-1)?.begin === node.id) opened.pop()!.read.forEach((block) => this.#release(block))
    }
    return this.#most
  }

  #backwardOf(node: Node, grad: Block, grads: Map<number, Block>): void {
    const passing = this.#isView(node) ? [0] : passedOn(node)
    const overwritten = grad.holders === 1 && passing.length === 0 && IN_PLACE.includes(node.op)
    this.#release(this.#take(this.#transient(node)))
    node.inputs.forEach((id, place) => {
      if (!this.#learns.has(id)) return
      const source = this.graph.nodes[id]!
      const shared = passing.includes(place) || (overwritten && place === 0)
      const given = shared ? hold(grad) : this.#take(this.#bytes(source))
      const sum = grads.get(id)
      if (sum === undefined) grads.set(id, given)
      else if (sum.holders === 1) this.#release(given)
      else {
        // Somebody else holds the sum so far: a new one is made of both.
        grads.set(id, this.#take(this.#bytes(source)))
        this.#release(sum)
        this.#release(given)
      }
    })
    this.#release(grad)
  }

  /** Bytes that a node keeps beside operands and result: indices, masks, attention weights. */
  #keptBeside(node: Node): number {
    const size = node.shape.batch * elements(node.shape.dims) * this.batch
    if (node.op === 'max_pool2d') return (node.attrs['kernel'] as number[]).every((extent) => extent === 1) ? 0 : 8 * size
    if (node.op === 'dropout' && node.attrs['p'] !== 0) return this.#element * size
    if (node.op === 'attention') {
      const [tokens] = node.shape.dims as [number, number]
      return this.#element * node.shape.batch * this.batch * (node.attrs['heads'] as number) * tokens * tokens
    }
    return 0
  }

  /** Bytes that the backward of a node takes for a moment beside its results. */
  #transient(node: Node): number {
    if (node.op === 'mul' || node.op === 'maximum') return this.#bytes(node)
    if (node.op === 'attention') return 2 * this.#keptBeside(node) + this.#bytes(this.graph.nodes[node.inputs[0]!]!)
    return 0
  }

  get #element(): number {
    return this.precision === 'fp32' ? 4 : 2
  }

  #bytes(node: Node): number {
    return node.shape.batch * elements(node.shape.dims) * this.batch * this.#element
  }

  /** Images lie channels-last: only those without extent become rows without a copy. */
  #isView(node: Node): boolean {
    if (node.op === 'max_pool2d') return [...(node.attrs['kernel'] as number[]), ...(node.attrs['stride'] as number[])].every((extent) => extent === 1)
    if (node.op !== 'flatten' && node.op !== 'reshape') return false
    const { dims } = this.graph.nodes[node.inputs[0]!]!.shape
    return dims.length !== 3 || dims[1]! * dims[2]! === 1
  }

  #take(bytes: number): Block {
    this.held += bytes
    this.#most = Math.max(this.#most, this.held)
    return { bytes, holders: 1 }
  }

  #release(block: Block): void {
    if (--block.holders === 0) this.held -= block.bytes
  }
}

function hold(block: Block): Block {
  block.holders++
  return block
}

/** Nodes at or behind a parameter: backward passes through them. */
function learningNodes(graph: Graph): ReadonlySet<number> {
  const parameters = new Set(graph.state.filter((entry) => entry.kind === 'parameter').map((entry) => entry.name))
  const learning = new Set<number>()
  for (const node of graph.nodes) {
    if (Object.values(node.params).some((name) => parameters.has(name)) || node.inputs.some((id) => learning.has(id))) learning.add(node.id)
  }
  return learning
}
