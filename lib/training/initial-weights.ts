/** The weights that a run starts from. @module */
import { fitBackbone, fitHead } from '../model/fit-weights.js'
import { describePreprocessing, differingFields, type Preprocessing } from '../model/preprocessing.js'
import { loadWeights } from '../model/weights.js'
import type { Message } from './events.js'
import type { PreparedRun } from './prepare.js'

/**
 * Initialises every network and head from the seed, takes the weights of `init` where there are any, and lets the
 * mode's copies begin as the backbone.
 * @throws FacexError ERR_CHECKPOINT when the weights do not fit
 */
export async function initialWeights(run: PreparedRun, onMessage: (message: Message) => void): Promise<void> {
  const { config, trainer } = run
  trainer.initialise(config.seed)
  if (config.init !== undefined) await takeWeights(run, config.init, onMessage)
  // Their running statistics stay their own.
  for (const copy of run.plan.copies) trainer.copyParameters('backbone', copy)
  for (const [part, tensors] of Object.entries(run.plan.weights ?? {})) {
    trainer.load(tensors.map((tensor) => ({ ...tensor, name: `${part}.${tensor.name}` })))
  }
}

async function takeWeights(run: PreparedRun, init: NonNullable<PreparedRun['config']['init']>, onMessage: (message: Message) => void): Promise<void> {
  const { model, trainer } = run
  const options = { file: init.weights, partial: init.partial }
  const weights = await loadWeights(init.weights, { head: init.head })
  if (weights.meta !== undefined) warnOfPreprocessing(model.preprocessing, weights.meta.preprocessing, init.weights, onMessage)
  const fitted = [{ part: 'backbone', ...fitBackbone(model.backbone.graph, weights.backbone, options) }]
  if (init.head) {
    const own = trainer.entries().filter(({ name }) => name.startsWith('head.')).map((entry) => ({ ...entry, name: entry.name.slice('head.'.length) }))
    fitted.push({ part: 'head', ...fitHead(own, weights.head, options) })
  }
  for (const { part, tensors, messages, keyMap } of fitted) {
    trainer.load(tensors.map((tensor) => ({ ...tensor, name: `${part}.${tensor.name}` })))
    const names = keyMap === undefined ? '' : ` (names of ${keyMap} translated)`
    onMessage({ level: 'info', text: `${part}: ${tensors.length} tensors taken from ${init.weights}${names}` })
    for (const text of messages) onMessage({ level: 'warning', text: `${part}: ${text}` })
  }
}

/** Weights learn to see other colours or another scale, but whoever starts from them should know. */
function warnOfPreprocessing(own: Preprocessing, theirs: Preprocessing, file: string, onMessage: (message: Message) => void): void {
  if (differingFields(own, theirs).length === 0) return
  onMessage({ level: 'warning', text: `${file} was trained on images prepared otherwise: ${describePreprocessing(theirs)}; this run has ${describePreprocessing(own)}` })
}
