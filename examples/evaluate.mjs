// Verification accuracy of a model on a pair list.
//
//   node examples/evaluate.mjs CHECKPOINT PAIRS ROOT
import { evaluate, loadModel, openPairSet } from 'facex'

const [checkpoint, pairs, root] = process.argv.slice(2)

const model = await loadModel(checkpoint)
const result = await evaluate(model, openPairSet({ pairs, root }), { folds: 2 })
console.log(`${(100 * result.accuracy).toFixed(2)}% of ${result.pairs} pairs`)
model.dispose()
