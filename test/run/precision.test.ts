import t from 'tap'

import { train } from '../../lib/index.js'
import { tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(300_000)

async function losses(root: string, precision: 'fp32' | 'bf16' | 'fp16'): Promise<number[]> {
  const curve: number[] = []
  const config = tinyConfig(root, { precision, head: { type: 'ArcFace', scale: 16, margin_arc: 0.3 }, epochs: 12, batch_size: 8, optimizer: { name: 'sgd', lr: 0.05 } })
  const end = await train(config, { listeners: [{ onEpoch: ({ loss }) => void curve.push(loss) }] })
  t.equal(end.reason, 'finished')
  return curve
}

t.test('bf16 trains along the curve of fp32, fp16 with loss scaling gets there too', async (t) => {
  const root = await writeTinyFaces()
  const exact = await losses(root, 'fp32')
  t.ok(exact.at(-1)! < 0.5 * exact[0]!, `fp32: ${exact[0]!.toFixed(3)} to ${exact.at(-1)!.toFixed(3)}`)

  const bf16 = await losses(root, 'bf16')
  const gap = Math.max(...bf16.map((loss, epoch) => Math.abs(loss - exact[epoch]!)))
  t.ok(gap < 0.02 * exact[0]!, `bf16 is never farther away than ${gap.toFixed(3)}`)

  // The first steps find the loss scale: their updates are dropped, so the curve lags behind.
  const fp16 = await losses(root, 'fp16')
  t.ok(fp16.every(Number.isFinite))
  t.ok(fp16.at(-1)! < 0.5 * exact[0]!, `fp16 ends at ${fp16.at(-1)!.toFixed(3)}`)
})
