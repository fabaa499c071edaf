import t from 'tap'

import { AUGMENTATIONS, resolveAugmentations } from '../../lib/data/augment.js'

t.test('presets and defaults become explicit values', (t) => {
  t.same(resolveAugmentations('none'), [])
  t.same(resolveAugmentations('flip'), [{ name: 'flip', probability: 0.5, values: {} }])
  t.same(resolveAugmentations('facex_zoo').map(({ name, probability }) => [name, probability]), [
    ['crop', 0.5],
    ['flip', 0.5],
    ['grey_blue', 0.2],
    ['rotate_corner', 0.5],
  ])
  t.same(resolveAugmentations([{ name: 'blur', probability: 0.3, sigma: 2 }]), [{ name: 'blur', probability: 0.3, values: { sigma: 2 } }])
  t.end()
})

t.test('mistakes name their place in the configuration', (t) => {
  t.throws(() => resolveAugmentations([{ name: 'flipp' }]), { code: 'ERR_CONFIG', message: /data.augment\[0\].name: unknown augmentation "flipp", did you mean "flip"/ })
  t.throws(() => resolveAugmentations([{ name: 'flip' }, { name: 'blur', sigma: -1 }]), { code: 'ERR_CONFIG', message: /data.augment\[1\].sigma/ })
  t.throws(() => resolveAugmentations([{ name: 'jpeg', min_quality: 90, max_quality: 10 }]), { code: 'ERR_CONFIG', message: /min_quality: expected at most/ })
  t.throws(() => resolveAugmentations('mixup' as 'flip'), { code: 'ERR_CONFIG', message: /unknown preset "mixup"/ })
  t.end()
})

t.test('every augmentation has a summary and defaults that are accepted', (t) => {
  for (const { name, summary } of AUGMENTATIONS) {
    t.ok(summary)
    t.equal(resolveAugmentations([{ name }]).length, 1)
  }
  t.end()
})
