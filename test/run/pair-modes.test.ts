import t from 'tap'

import { resolveRun } from '../../lib/config/resolve.js'
import type { RunConfigInput } from '../../lib/config/run.js'
import { train } from '../../lib/index.js'
import { planTraining } from '../../lib/training/train.js'
import { tinyConfig, writeTinyFaces } from './tiny-run.js'

t.setTimeout(300_000)

const plan = (config: RunConfigInput) => planTraining(resolveRun({ config }), () => {})

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

t.test('a head that does not belong to the mode is refused before the first step, with the mode that it belongs to', async (t) => {
  const root = await writeTinyFaces()
  const refused = async (changes: Partial<RunConfigInput>, message: RegExp) => t.rejects(plan(tinyConfig(root, changes)), { code: 'ERR_CONFIG', message })
  await refused({ mode: { name: 'triplet' } }, /mode triplet: expected head\.type: Triplet, received CurricularFace/)
  for (const [type, mode] of [['Triplet', 'triplet'], ['Contrastive', 'siamese'], ['SST_Prototype', 'semi-siamese']] as const) {
    await refused({ head: { type } }, new RegExp(`mode conventional: expected a head with a centre for each identity, received head.type: ${type}, which goes with mode.name: ${mode}$`))
  }
})

t.test('an option of another mode is refused with its place', async (t) => {
  const root = await writeTinyFaces()
  await t.rejects(plan(tinyConfig(root, { mode: { name: 'conventional', alpha: 0.9 } })), { code: 'ERR_CONFIG', message: /mode\.alpha: unknown key; there is nothing more to set here/ })
})

t.test('a sampler whose samples have another number of images than the mode takes is refused before the first step', async (t) => {
  const root = await writeTinyFaces()
  const withSampler = (sampler: string, changes: Partial<RunConfigInput> = {}) => {
    const config = tinyConfig(root, changes)
    return plan({ ...config, data: { ...config.data, sampler: { name: sampler } } })
  }
  const semiSiamese = { mode: { name: 'semi-siamese' }, head: { type: 'SST_Prototype', queue_size: 8 } }
  await t.rejects(withSampler('shuffle', semiSiamese), { code: 'ERR_CONFIG', message: 'mode semi-siamese: expected samples of 2 images, received 1 from data.sampler.name: shuffle; leave data.sampler out for the one of the mode' })
  await t.rejects(withSampler('pairs'), { code: 'ERR_CONFIG', message: /mode conventional: expected samples of 1 image, received 2 from data.sampler.name: pairs/ })
  await t.resolves(withSampler('pairs', semiSiamese))
})
