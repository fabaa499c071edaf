/**
 * RepVGG's re-parameterisation: parallel branches of one input become one convolution. Ding et al., arXiv:2101.03697.
 *
 * Runs after {@link foldBatchNorm}, when every branch is a convolution with bias or, for the identity, a batch norm.
 * The result is named `rbr_reparam` beside the branches, as in deployed models of the published code.
 * @module
 */
import type { Node, StateEntry } from '../types.js'
import { affineOf } from './affine.js'
import { realsLike, Rewriter } from './rewriter.js'
import type { Pass, Reals } from './rewriter.js'

/** A branch as a convolution: weight [O, I, k, k] and bias [O]. */
interface Branch {
  readonly weight: Reals
  readonly bias: Reals
  readonly shape: readonly [number, number, number, number]
}

export const reparameterise: Pass = (weighted) => {
  const rewriter = new Rewriter(weighted)
  for (const { id } of weighted.graph.nodes) {
    const sum = rewriter.nodes[id]!
    if (sum.op !== 'add') continue
    const [first, second] = sum.inputs.map((input) => rewriter.nodes[input]!) as [Node, Node]
    const conv = [first, second].find((node) => isCentred(node, rewriter))
    if (conv === undefined) continue
    const other = conv === first ? second : first
    if (isParallel(conv, other, rewriter) && [conv, other].every((node) => rewriter.uses(node.id) === 1)) merge(sum, conv, other, rewriter)
  }
  return rewriter.finish()
}

/** A square convolution with odd kernel whose padding keeps the kernel's middle on the pixel. */
function isCentred(node: Node, rewriter: Rewriter): boolean {
  if (node.op !== 'conv2d' || node.params.bias === undefined) return false
  const [, , ...kernel] = rewriter.entry(node.params.weight!).shape
  const { stride, padding, dilation } = node.attrs as Record<string, readonly number[]>
  const isSquare = kernel[0] === kernel[1] && stride![0] === stride![1]
  return isSquare && dilation!.every((step) => step === 1) && padding!.every((border) => 2 * border + 1 === kernel[0])
}

/** Whether `other` reads what `conv` reads and is a convolution of the same steps or an identity of the same shape. */
function isParallel(conv: Node, other: Node, rewriter: Rewriter): boolean {
  if (conv.inputs[0] !== other.inputs[0]) return false
  const [stride] = conv.attrs.stride as readonly [number]
  if (other.op === 'batch_norm') return stride === 1
  return isCentred(other, rewriter) && stride === (other.attrs.stride as readonly [number])[0] && conv.attrs.groups === other.attrs.groups
}

function merge(sum: Node, conv: Node, other: Node, rewriter: Rewriter): void {
  const a = convBranch(conv, rewriter)
  const b = other.op === 'batch_norm' ? identityBranch(other, a.shape, rewriter) : convBranch(other, rewriter)
  const size = Math.max(a.shape[2], b.shape[2])
  const shape = [a.shape[0], a.shape[1], size, size] as const
  const [left, right] = [enlarged(a, size), enlarged(b, size)]
  const name = (role: string) => `${sum.path}.rbr_reparam.${role}`
  const entry = (role: string, dims: readonly number[]): StateEntry => ({ ...rewriter.entry(conv.params.weight!), name: name(role), shape: dims })
  rewriter.put(entry('weight', shape), left.map((value, i) => value + right[i]!), conv.params.weight!)
  rewriter.put(entry('bias', [shape[0]]), a.bias.map((value, i) => value + b.bias[i]!), name('weight'))
  const padding = [(size - 1) / 2, (size - 1) / 2]
  rewriter.set({ ...conv, id: sum.id, path: `${sum.path}.rbr_reparam`, params: { weight: name('weight'), bias: name('bias') }, attrs: { ...conv.attrs, padding } })
}

function convBranch(conv: Node, rewriter: Rewriter): Branch {
  const shape = rewriter.entry(conv.params.weight!).shape as Branch['shape']
  return { weight: rewriter.tensor(conv.params.weight!), bias: rewriter.tensor(conv.params.bias!), shape }
}

/** Batch norm as a 1 x 1 convolution with the groups of `[O, I / groups, ...]`. */
function identityBranch(batchNorm: Node, [channels, perGroup]: Branch['shape'], rewriter: Rewriter): Branch {
  const { scale, shift } = affineOf(batchNorm, rewriter)
  const like = rewriter.tensor(batchNorm.params.running_mean!)
  const weight = realsLike(like, channels * perGroup)
  scale.forEach((factor, c) => (weight[c * perGroup + (c % perGroup)] = factor))
  const bias = realsLike(like, channels)
  bias.set(shift)
  return { weight, bias, shape: [channels, perGroup, 1, 1] }
}

/** The kernel in the middle of a larger one of zeros. */
function enlarged({ weight, shape: [out, inside, size] }: Branch, target: number): Reals {
  if (size === target) return weight
  const result = realsLike(weight, out * inside * target * target)
  const border = (target - size) / 2
  weight.forEach((value, i) => {
    const [filter, y, x] = [Math.floor(i / size ** 2), Math.floor(i / size) % size, i % size]
    result[filter * target ** 2 + (y + border) * target + x + border] = value
  })
  return result
}
