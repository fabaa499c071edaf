import t from 'tap'

import { train } from '../../lib/index.js'
import { tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(300_000)

t.test('siamese and triplet training learn and evaluate like any other run', async (t) => {
  const root = await writeTinyFaces()
  for (const [name, type, mining] of [['siamese', 'Contrastive', 'hardest'], ['triplet', 'Triplet', 'semi-hard'], ['triplet', 'Triplet', 'random']] as const) {
    const losses: number[] = []
    const config = tinyConfig(root, {
      mode: { name },
      head: { type, mining, margin: 1 },
      batch_size: 12,
      data: { train: [{ kind: 'list', root, list: `${root}/train.txt` }], sampler: { name: 'p-k', k: 4 } },
      evaluation: { sets: [{ name: 'tiny', pairs: `${root}/pairs.txt`, root }] },
      epochs: 15,
    })
    const end = await train(config, { listeners: [{ onEpoch: ({ loss }) => void losses.push(loss) }] })
    t.equal(end.reason, 'finished')
    t.ok(losses.at(-1)! < losses[0]!, `${name} ${mining}: loss ${losses[0]!.toFixed(3)} falls to ${losses.at(-1)!.toFixed(3)}`)
    t.match(end.evaluations, [{ name: 'tiny' }])
  }
})

t.test('a head that does not belong to the mode is refused', async (t) => {
  const root = await writeTinyFaces()
  await t.rejects(train(tinyConfig(root, { mode: { name: 'triplet' } })), { code: 'ERR_CONFIG', message: /mode triplet: expected head\.type: Triplet, received CurricularFace/ })
})
