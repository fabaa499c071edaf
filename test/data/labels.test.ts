import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { openDataset } from '../../lib/data/dataset.js'
import { checkLabels } from '../../lib/data/validate.js'

t.test('a label without a class is named with its place, also behind other sources', async (t) => {
  const folder = t.testdir()
  const list = path.join(folder, 'train.txt')
  writeFileSync(list, 'a/1.jpg 0\n\nb/1.jpg 1\nc/1.jpg 2\nc/2.jpg 2\n')
  for (const name of ['ann', 'bob']) {
    mkdirSync(path.join(folder, 'people', name), { recursive: true })
    writeFileSync(path.join(folder, 'people', name, '1.jpg'), '')
  }
  const one = await openDataset([{ kind: 'list', root: folder, list }])
  t.throws(() => checkLabels(one, 2), {
    code: 'ERR_DATA',
    problems: [`${list}:4: c/1.jpg: label 2, expected class 0 to 1`, `${list}:5: c/2.jpg: label 2, expected class 0 to 1`],
  })
  checkLabels(one, 3)

  const mixed = await openDataset([
    { kind: 'folder', root: path.join(folder, 'people') },
    { kind: 'list', root: folder, list },
  ])
  t.throws(() => checkLabels(mixed, 3), { code: 'ERR_DATA', problems: [/train\.txt:3: b\/1\.jpg: label 1 \(class 3 behind the 2 of the sources before\), expected class 0 to 2/, /:4: /, /:5: /] as never })
  t.throws(() => checkLabels(mixed, 1), { code: 'ERR_DATA', problems: [/bob\/1\.jpg: label 1, expected class 0 to 0/, /:1: /, /:3: /, /:4: /, /:5: /] as never })
})

t.test('of many wrong labels the first are shown and all are counted', async (t) => {
  const folder = t.testdir()
  const list = path.join(folder, 'train.txt')
  writeFileSync(list, Array.from({ length: 30 }, (_, i) => `${i}.jpg ${i}\n`).join(''))
  const dataset = await openDataset([{ kind: 'list', root: folder, list }])
  t.throws(() => checkLabels(dataset, 10), { message: /train\.txt:11: 10\.jpg: label 10.*and 15 more/s })
})
