/**
 * The optimizer of a configuration as the addon takes it: its numbers, and every parameter in one group that says at
 * which rate it learns and how it decays.
 * @module
 */
import type { RunConfig } from '../config/run.js'
import type { NativeOptimizerSpec, NativeParameterGroup } from '../native.js'
import { matchesAny } from './name-patterns.js'

export type OptimizerConfig = RunConfig['optimizer']

/** A tensor that learns, by its full name such as `backbone.conv1.conv.weight`. */
export interface TrainableParameter {
  readonly name: string
  readonly shape: readonly number[]
  /** Which part of the configuration its rate and decay come from. */
  readonly part: 'backbone' | 'head'
}

/** `parameters` without the frozen ones; what is in no group does not learn. */
export function nativeOptimizer(config: OptimizerConfig, parameters: readonly TrainableParameter[]): NativeOptimizerSpec {
  return { name: config.name, values: nativeValues(config), groups: parameterGroups(config, parameters) }
}

function nativeValues(config: OptimizerConfig): Record<string, number> {
  switch (config.name) {
    case 'sgd':
      return { momentum: config.momentum, nesterov: Number(config.nesterov) }
    case 'adamw':
      return { beta1: config.beta1, beta2: config.beta2, eps: config.eps }
  }
}

function parameterGroups(config: OptimizerConfig, parameters: readonly TrainableParameter[]): NativeParameterGroup[] {
  const groups = new Map<string, NativeParameterGroup & { names: string[] }>()
  for (const parameter of parameters) {
    const { lr_multiplier: lrMultiplier, weight_decay = config.weight_decay } = config[parameter.part]
    const weightDecay = isExempt(parameter, config.no_decay) ? 0 : weight_decay
    const key = `${lrMultiplier} ${weightDecay}`
    const group = groups.get(key) ?? { names: [], lrMultiplier, weightDecay }
    group.names.push(parameter.name)
    groups.set(key, group)
  }
  return [...groups.values()]
}

/** Word of `no_decay` for the tensors of at most one dimension: norms' weights and all biases, PReLU's slopes among them. */
const NORM_AND_BIAS = 'norm_and_bias'

/** Name patterns of `no_decay`, without the words. */
export function noDecayPatterns(noDecay: OptimizerConfig['no_decay']): readonly string[] {
  return typeof noDecay === 'string' ? [] : noDecay.filter((entry) => entry !== NORM_AND_BIAS)
}

function isExempt(parameter: TrainableParameter, noDecay: OptimizerConfig['no_decay']): boolean {
  const flat = noDecay === NORM_AND_BIAS || (Array.isArray(noDecay) && noDecay.includes(NORM_AND_BIAS))
  return (flat && parameter.shape.length <= 1) || matchesAny(parameter.name, noDecayPatterns(noDecay))
}
