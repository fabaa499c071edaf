// Trains a small network on a folder with one sub-folder a person, and shows progress.
//
//   node examples/train.mjs FACES OUT_DIR
import { train } from 'facex'

const [faces, outDir] = process.argv.slice(2)

const controller = new AbortController()
process.once('SIGINT', () => controller.abort()) // ends with a checkpoint; run again with resume: true to go on

const run = await train(
  {
    out_dir: outDir,
    data: { train: [{ kind: 'folder', root: faces }] },
    backbone: { type: 'MobileFaceNet' },
    head: { type: 'ArcFace', margin_arc: 0.35, scale: 32 },
    epochs: 1,
    batch_size: 4,
    optimizer: { name: 'sgd', lr: 0.05 },
  },
  {
    signal: controller.signal,
    onProgress: ({ step, steps, loss }) => console.error(`step ${step} of ${steps}, loss ${loss.toFixed(3)}`),
  },
)
console.log(run.checkpoint)
