/** Evaluation during training: the network of the trainer as it is, on the pair lists of the configuration. @module */
import { evaluatePairs } from '../evaluation/evaluate.js'
import { findRule } from '../evaluation/rules/index.js'
import { embeddingSize } from '../model/build.js'
import { Embedder } from '../model/embedder.js'
import type { Evaluate } from './loop.js'
import type { PreparedRun } from './prepare.js'

/** Undefined when the configuration names no pair list. */
export function createEvaluate(run: PreparedRun): Evaluate | undefined {
  const { config, model, pairSets, trainer } = run
  if (pairSets.length === 0) return undefined
  const { batch_size: batchSize, folds, rule: ruleName } = config.evaluation
  const rule = findRule(ruleName)
  const embedder = new Embedder(trainer.network(run.evaluated), {
    preprocessing: model.preprocessing,
    size: embeddingSize(model.backbone.graph),
    threads: run.decodeThreads,
  })
  return async (signal) => {
    const results: Awaited<ReturnType<Evaluate>> = []
    for (const set of pairSets) results.push({ set, ...(await evaluatePairs(embedder, set, { rule, folds, batchSize, signal })) })
    return results
  }
}
