/** The native trainer of a plan: networks, heads, program and optimizer with the dtypes and device of the run. @module */
import type { RunConfig } from '../config/run.js'
import type { Peers } from '../distributed/peers.js'
import { throwProblems } from '../errors.js'
import { fuseNorm } from '../graph/passes/index.js'
import { recomputation } from '../graph/recompute.js'
import type { Graph } from '../graph/types.js'
import type { BuiltModel } from '../model/build.js'
import type { Preprocessing } from '../model/preprocessing.js'
import { addon, type NativeDevice, type NativeNetworkOptions, type NativeTrainer } from '../native.js'
import { computeType } from './device.js'
import type { ModePlan } from './modes/index.js'
import { matchesAny, patternsWithoutMatch } from './name-patterns.js'
import { nativeOptimizer, noDecayPatterns, type TrainableParameter } from './optimizer.js'

/**
 * Makes the trainer; its weights are not initialised yet.
 * @throws FacexError ERR_CONFIG when a `freeze` or `no_decay` pattern matches nothing
 */
export function createTrainer(config: RunConfig, model: BuiltModel, plan: ModePlan, device: NativeDevice, peers: Peers): NativeTrainer {
  if (device === 'cuda') addon().allowTf32(config.tf32)
  const options = networkOptions(config.precision, model.preprocessing, device)
  const trainer = new (addon().Trainer)({
    networks: Object.fromEntries(Object.entries(plan.networks).map(([name, graph]) => [name, trained(fuseNorm(graph), options, config)])),
    heads: Object.fromEntries(Object.entries(plan.heads).map(([name, head]) => [name, { ...head, dtype: 'float32', device }])),
    program: plan.program,
    seed: config.seed,
    onNonFinite: config.on_non_finite,
    cudaGraphs: config.cuda_graphs,
    group: peers.group,
    synchroniseStatistics: config.sync_batch_norm,
    bucketBytes: config.distributed.bucket_mb * 2 ** 20,
    bfloat16Gradients: config.distributed.gradients === 'bf16',
  })
  const parameters = trainable(trainer, plan)
  checkPatterns(config, parameters.map(({ name }) => name))
  trainer.setOptimizer(nativeOptimizer(config.optimizer, parameters.filter(({ name }) => !matchesAny(name, config.freeze))))
  return trainer
}

function trained(graph: Graph, options: NativeNetworkOptions, { recompute }: RunConfig): { graph: Graph; options: NativeNetworkOptions } {
  return { graph, options: { ...options, ...recomputation(graph, recompute, options.device) } }
}

/** How a network computes and reads pixels. */
export function networkOptions(precision: RunConfig['precision'], preprocessing: Preprocessing, device: NativeDevice): NativeNetworkOptions {
  return { device, master: 'float32', compute: computeType(precision), pixelMean: preprocessing.mean, pixelScale: 1 / preprocessing.std }
}

/** Parameters of the heads and of the networks that backward reaches. */
function trainable(trainer: NativeTrainer, plan: ModePlan): TrainableParameter[] {
  const learning = new Set(plan.program.flatMap((verb) => (verb.verb === 'forward' && verb.gradient ? [verb.network] : [])))
  return trainer.parameters().flatMap(({ name, shape }): TrainableParameter[] => {
    const part = name.slice(0, name.indexOf('.'))
    if (part in plan.heads) return [{ name, shape, part: 'head' }]
    return learning.has(part) ? [{ name, shape, part: 'backbone' }] : []
  })
}

/** A pattern that matches nothing is a misspelt one. */
function checkPatterns(config: RunConfig, names: readonly string[]): void {
  const problems = [
    ...patternsWithoutMatch(config.freeze, names).map((pattern) => `freeze: no parameter is called "${pattern}"`),
    ...patternsWithoutMatch(noDecayPatterns(config.optimizer.no_decay), names).map((pattern) => `optimizer.no_decay: no parameter is called "${pattern}"`),
  ]
  throwProblems('ERR_CONFIG', `The configuration is wrong (parameters have names such as ${names[0] ?? 'backbone.conv1.weight'}):`, problems)
}
