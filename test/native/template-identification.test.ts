/** IJB's 1:N protocol on templates at known angles, worked out by hand. */
import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import t, { type Test } from 'tap'

import { findRule } from '../../lib/evaluation/rules/index.js'
import { openProtocol } from '../../lib/evaluation/protocols/conf.js'

/**
 * An image `50.jpg` points to 50 degrees. Gallery one holds subject 1 at 0 and subject 2 at 90 degrees, gallery two
 * subject 3 at 180 degrees. Probes: 1 at 10, 1 at 60, 2 at 80, 3 at 130, 3 at 95 degrees.
 */
function writeSet(t: Test): { folder: string; conf: string } {
  const templates = [[1, 0], [2, 90], [3, 180], [11, 10], [12, 60], [13, 80], [14, 130], [15, 95]] as const
  const folder = t.testdir({
    ...Object.fromEntries(templates.map(([, angle]) => [`${angle}.jpg`, ''])),
    media: templates.map(([template, angle]) => `${angle}.jpg ${template} ${template}\n`).join(''),
    scores: templates.map(([, angle]) => `${angle}.jpg 5 5 0.9\n`).join(''),
    'G1.csv': 'TEMPLATE_ID,SUBJECT_ID,FILENAME\n1,1,img/1.jpg\n1,1,img/2.jpg\n2,2,img/3.jpg\n',
    'G2.csv': 'TEMPLATE_ID,SUBJECT_ID,FILENAME\n3,3,img/4.jpg\n',
    'probes.csv': 'TEMPLATE_ID,SUBJECT_ID,FILENAME\n11,1,a\n12,1,a\n13,2,a\n14,3,a\n15,3,a\n',
  })
  const conf = path.join(folder, 'data_conf.yaml')
  writeFileSync(
    conf,
    `IJBC_1N: {cropped_face_folder: ${folder}, template_media_list_path: ${folder}/media, image_score_list_path: ${folder}/scores, gallery_list_paths: [${folder}/G1.csv, ${folder}/G2.csv], probe_list_path: ${folder}/probes.csv}\n`,
  )
  return { folder, conf }
}

const angles = {
  size: 2,
  embed: async (images: readonly unknown[]) =>
    Float32Array.from(images.flatMap((image) => {
      const angle = (Number(path.basename(String(image), '.jpg')) * Math.PI) / 180
      return [Math.cos(angle), Math.sin(angle)]
    })),
}

t.test('ranks, and TPIR at the FPIR that the probes without a mate can measure, are means of both galleries', async (t) => {
  const { conf } = writeSet(t)
  const result = await openProtocol(conf, 'IJBC_1N').run(angles, { fars: [0.5] })
  if (result.kind !== 'template-identification') return t.fail(result.kind)
  const [one, two] = result.galleries
  t.match(one, { gallery: 2, mated: 3, nonMated: 2 })
  t.match(two, { gallery: 1, mated: 2, nonMated: 3 })
  // One: the probe at 60 degrees is nearer to 2 (30 degrees) than to 1 (60), the others find their own first.
  t.same(one!.ranks.map(({ rank, accuracy }) => [rank, Math.round(accuracy * 3)]), [[1, 2], [5, 3], [10, 3]])
  t.same(two!.ranks.map(({ accuracy }) => accuracy), [1, 1, 1])
  t.same(result.ranks.map(({ accuracy }) => Math.round(accuracy * 6)), [5, 6, 6])
  // Strangers to one: 95 degrees is 5 from 2, 130 is 40. One of both may be accepted, so all within less than 40 degrees
  // are: mates at 10 and 10 degrees, not the one at 60. Strangers to two: 10, 60 and 80 degrees are 170, 120 and 100 from
  // 3; one of three may be accepted, and the mates at 50 and 85 degrees are before it.
  near(t, one!.tpirAtFpir[0]!.tar, 2 / 3)
  near(t, one!.tpirAtFpir[0]!.threshold, Math.cos((10 * Math.PI) / 180))
  near(t, two!.tpirAtFpir[0]!.tar, 1)
  near(t, two!.tpirAtFpir[0]!.threshold, Math.cos((100 * Math.PI) / 180))
  t.match(result.tpirAtFpir, [{ fpir: 0.5 }])
  near(t, result.tpirAtFpir[0]!.tpir, 5 / 6)
  // The curves of ranks go to the 20 candidates, the others begin at the first rate that both galleries can measure.
  t.same(result.cmc.map((share) => Math.round(share * 6)), [5, ...Array<number>(19).fill(6)])
  const curve = result.curve.map(({ fpir, tpir }) => [fpir.toFixed(2), Math.round(tpir * 6)])
  t.same(curve, [['0.50', 5], ['0.56', 5], ['0.63', 5], ['0.71', 5], ['0.79', 5], ['0.89', 5], ['1.00', 6]])
})

t.test('a rate that too few probes measure, an option without use, and lists with mistakes are refused', async (t) => {
  const { folder, conf } = writeSet(t)
  const protocol = openProtocol(conf, 'IJBC_1N')
  await t.rejects(protocol.run(angles, { fars: [0.01] }), { code: 'ERR_USAGE', message: /far 0.01: 2 impostor trials measure no rate below 0.50/ })
  t.throws(() => protocol.checkOptions({ rule: findRule('insightface') }), { code: 'ERR_USAGE', message: '--rule: protocol IJBC_1N takes --far only' })
  writeFileSync(path.join(folder, 'G2.csv'), 'TEMPLATE_ID,SUBJECT_ID\n3,3\n3,4\n')
  t.throws(() => openProtocol(conf, 'IJBC_1N'), { code: 'ERR_DATA', message: /G2.csv:3: template 3 shows subject 4, in an earlier line 3/ })
  writeFileSync(path.join(folder, 'G2.csv'), 'TEMPLATE_ID,SUBJECT_ID\n3;3\n')
  t.throws(() => openProtocol(conf, 'IJBC_1N'), { code: 'ERR_DATA', message: /G2.csv:2: expected "template,subject,..."/ })
  writeFileSync(path.join(folder, 'G2.csv'), 'TEMPLATE_ID,SUBJECT_ID\n77,3\n')
  await t.rejects(openProtocol(conf, 'IJBC_1N').run(angles, {}), { code: 'ERR_DATA', message: /template 77/ })
  rmSync(path.join(folder, '80.jpg'))
  t.throws(() => openProtocol(conf, 'IJBC_1N'), { code: 'ERR_DATA', message: /media:6: no image .*80.jpg/ })
})

function near(t: Test, actual: number, expected: number) {
  t.ok(Math.abs(actual - expected) < 1e-6, `${actual} is ${expected}`)
}
