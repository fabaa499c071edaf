/** Templates worked out by hand. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'

import { FacexError } from '../../lib/errors.js'
import { openTemplatePairs } from '../../lib/evaluation/protocols/template-pairs.js'
import { TemplatePool } from '../../lib/evaluation/templates.js'
import { openProtocol } from '../../lib/evaluation/protocols/conf.js'

t.test('media are averaged, templates add their media, and detector scores weigh', async (t) => {
  // Template 7: a photo (medium 1) and a video of two frames (medium 2); template 9: a photo that counts half.
  const pool = new TemplatePool({ templates: [7, 7, 9, 7], media: [1, 2, 3, 2], weights: [1, 1, 0.5, 0.5] }, 2)
  pool.add(Float32Array.of(3, 0, 0, 2))
  pool.add(Float32Array.of(0, 4, 5, 0))
  t.same(pool.numbers, [7, 9])
  t.same([...pool.embeddings().data], [1 + 0.5 / 2, 1 / 2, 0, 0.5])
  t.throws(() => pool.row(8), { code: 'ERR_DATA' })
})

t.test("IJB's lists become TAR at FAR", async (t) => {
  const folder = t.testdir({
    ...Object.fromEntries([1, 2, 3, 4].map((image) => [`${image}.jpg`, ''])),
    media: '1.jpg 10 1\n2.jpg 10 2\n3.jpg 20 3\n4.jpg 30 4\n',
    scores: '1.jpg 5 5 0.9\n2.jpg 5 5 0.5\n3.jpg 5 5 0.9\n4.jpg 5 5 0.9\n',
    pairs: ['10 20 1', ...Array<string>(10).fill('10 30 0')].join('\n'),
  })
  const conf = path.join(folder, 'data_conf.yaml')
  const entry = (scores: string) => `{cropped_face_folder: ${folder}, template_media_list_path: ${folder}/media, template_pair_list_path: ${folder}/pairs, image_score_list_path: ${folder}/${scores}}`
  writeFileSync(conf, `IJBC: ${entry('scores')}\nIJBB: ${entry('media')}\n`)
  const vectors: Record<string, number[]> = { 1: [1, 0], 2: [1, 1], 3: [2, 0.1], 4: [0, 1] }
  const embed = async (files: readonly unknown[]) => Float32Array.from(files.flatMap((file) => vectors[path.basename(String(file), '.jpg')]!))
  const result = await openProtocol(conf, 'IJBC').run({ size: 2, embed }, {})
  t.match(result, { kind: 'templates', templates: 3, images: 4, pairs: 11, auc: 1, weighted: true, tarAtFar: [{ far: 0.1, tar: 1 }] })
  const bad = async () => Promise.reject(new FacexError('ERR_DATA', `${path.join(folder, '3.jpg')}: damaged JPEG`))
  await t.rejects(openProtocol(conf, 'IJBC').run({ size: 2, embed: bad }, {}), { code: 'ERR_DATA', message: `${path.join(folder, 'media')}:3: ${path.join(folder, '3.jpg')}: damaged JPEG` })
  writeFileSync(path.join(folder, 'media'), '2.jpg 10 1\n')
  t.throws(() => openProtocol(conf, 'IJBC'), { code: 'ERR_DATA', message: /scores:1: expected 2.jpg as in .*media:1, found 1.jpg/ })
  writeFileSync(path.join(folder, 'media'), '2.jpg 10 1\n3.jpg 10\n')
  t.throws(() => openProtocol(conf, 'IJBC'), { code: 'ERR_DATA', message: /media:2: expected "image template medium", found "3.jpg 10"/ })
})

t.test('pairs of templates are read from bytes: blanks, CRLF and empty lines change nothing, wrong lines are named', async (t) => {
  const folder = t.testdir({ good: '1 2 1\r\n\n  4294967295\t7 0 \n3 4 1', bad: '1 2\n1 2 2\n1 -2 0\n1 2 1 1\n1 2 1\n4294967296 2 1\n', empty: '\n' })
  const { first, second, genuine } = openTemplatePairs(path.join(folder, 'good'))
  t.same([[...first], [...second], [...genuine]], [[1, 2 ** 32 - 1, 3], [2, 7, 4], [1, 0, 1]])
  t.throws(() => openTemplatePairs(path.join(folder, 'bad')), { code: 'ERR_DATA', problems: [/bad:1: expected "template template 0\/1", found "1 2"/, /bad:2:/, /bad:3:/, /bad:4:/, /bad:6:/] as never })
  t.throws(() => openTemplatePairs(path.join(folder, 'empty')), { code: 'ERR_DATA', message: /empty: the list has no line/ })
})
