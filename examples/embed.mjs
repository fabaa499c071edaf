// Compares two aligned faces with a trained model.
//
//   node examples/embed.mjs CHECKPOINT A.jpg B.jpg
import { loadModel } from 'facex'

const [checkpoint, ...images] = process.argv.slice(2)

const model = await loadModel(checkpoint)
const embeddings = await model.embed(images, { flip: true }) // [2, D], row-major
const [a, b] = [embeddings.subarray(0, model.size), embeddings.subarray(model.size)]
const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0)
console.log((dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))).toFixed(4))
model.dispose()
