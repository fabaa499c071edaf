/**
 * Evaluation during training: the network of the trainer as it is, under the protocols of the configuration, by the same
 * code as `facex evaluate`.
 * @module
 */
import { headline } from '../evaluation/headline.js'
import { findRule } from '../evaluation/rules/index.js'
import { shardedEmbedder } from '../evaluation/sharded-embedder.js'
import { embeddingSize } from '../model/build.js'
import { Embedder } from '../model/embedder.js'
import type { EvaluationDetails, EvaluationReport, Position } from './events.js'
import type { PreparedRun } from './prepare.js'

/** Evaluates the network of a run as it is between two steps. */
export type Evaluate = (signal: AbortSignal) => Promise<EvaluationDetails[]>

/** Undefined when the configuration names no test set. */
export function createEvaluate(run: PreparedRun): Evaluate | undefined {
  const { config, model, testSets, trainer } = run
  if (testSets.length === 0) return undefined
  const { batch_size: batchSize, folds, rule } = config.evaluation
  const options = { rule: findRule(rule), folds }
  const own = new Embedder(trainer.network(run.evaluated), {
    preprocessing: model.preprocessing,
    size: embeddingSize(model.backbone.graph),
    threads: run.decodeThreads,
  })
  const embedder = shardedEmbedder(own, run.peers)
  return async (signal) => {
    await trainer.synchroniseBuffers()
    const results: EvaluationDetails[] = []
    for (const { name, protocol } of testSets) {
      const taken = Object.fromEntries(Object.entries(options).filter(([option]) => protocol.takes.includes(option as keyof typeof options)))
      results.push({ ...(await protocol.run(embedder, { ...taken, batchSize, signal })), name })
    }
    return results
  }
}

/** What listeners hear of a result. */
export function reportOf(result: EvaluationDetails, position: Position, isBest: (value: number) => boolean): EvaluationReport {
  const { figure, value } = headline(result)
  const report = { ...position, name: result.name, figure, value, seconds: result.seconds, best: isBest(value) }
  if (result.kind !== 'verification') return report
  const { accuracy, std, rule, folds, pairs, threshold } = result
  return { ...report, accuracy, std, rule, folds, pairs, threshold }
}
