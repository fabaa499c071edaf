/**
 * facex from TypeScript.
 *
 * ```ts
 * import { loadModel, train } from 'facex'
 *
 * const run = await train({ data, backbone, head, epochs: 20, out_dir: 'runs/faces' })
 * const model = await loadModel(run.checkpoint!)
 * const embeddings = await model.embed(['a.jpg', 'b.jpg'])
 * ```
 * @module
 */

// Training
export { resolveRun } from './config/resolve.js'
export type { ResolvedRun, RunRequest } from './config/resolve.js'
export type { RunConfig, RunConfigInput } from './config/run.js'
export { train } from './report/train.js'
export type { TrainOptions } from './report/train.js'
export type { CheckpointReport, EpochReport, EvaluationReport, Message, Position, RunEnd, RunListener, RunPlan, StepReport } from './training/events.js'

// Models in use
export { loadModel } from './model/model.js'
export type { LoadOptions, Model } from './model/model.js'
export type { EmbedOptions } from './model/embedder.js'
export type { Preprocessing } from './model/preprocessing.js'

// Evaluation
export { evaluatePairs as evaluate } from './evaluation/evaluate.js'
export type { EvaluateOptions, Evaluation } from './evaluation/evaluate.js'
export { openPairSet } from './evaluation/pair-set.js'
export type { PairSet } from './evaluation/pair-set.js'

// Tables, and how to add to them
export { BACKBONES, buildBackbone, defineBackbone } from './backbones/index.js'
export type { Backbone, BackboneConfig, BackboneDefinition, BuiltBackbone, ImageShape } from './backbones/index.js'
export { HEADS } from './heads/index.js'
export { expressionHead } from './heads/expression.js'
export * as formula from './heads/expression.js'
export type { HeadConfig, HeadDefinition } from './heads/index.js'
export { defineSampler, SAMPLERS } from './data/samplers/index.js'
export type { EpochOrder, SamplerContext, SamplerDefinition } from './data/samplers/index.js'
export { defineMode, MODES } from './training/modes/index.js'
export type { Mode, ModeContext, ModePlan } from './training/modes/index.js'
export * as program from './training/program.js'
export * as layers from './layers/index.js'
export { z } from 'zod'

export { FacexError } from './errors.js'
export type { ErrorCode } from './errors.js'
