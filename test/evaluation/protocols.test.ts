/** Lists of every protocol on small sets whose pairs are known. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'

import t, { type Test } from 'tap'

import { openCfpPairs } from '../../lib/data/cfp-pairs.js'
import { openPairs } from '../../lib/data/pairs.js'
import { openTwoLinePairs } from '../../lib/data/two-line-pairs.js'
import type { ImageEmbedder } from '../../lib/evaluation/evaluate.js'
import { loadConfigFile } from '../../lib/config/load.js'
import { openProtocol, shippedDataConf } from '../../lib/evaluation/protocols/conf.js'
import { PROTOCOLS } from '../../lib/evaluation/protocols/index.js'

/** A person's direction is the last digit before the extension, or the first byte of the content. */
const embedder: ImageEmbedder = {
  size: 4,
  embed: async (images) => Float32Array.from([...images].flatMap((image: string | Uint8Array) => {
    const person = typeof image === 'string' ? Number(/(\d)\D*$/.exec(path.basename(path.dirname(image)))![1]) : image[0]! - 48
    return [0, 1, 2, 3].map((d) => (d === person ? 3 : 0.2))
  })),
}

const conf = (t: Test, files: Record<string, string>, text: (folder: string) => string) => {
  const folder = t.testdir(files)
  const file = path.join(folder, 'data_conf.yaml')
  writeFileSync(file, text(folder))
  return file
}

t.test('the shipped data_conf.yaml has an entry for every protocol, with keys that the protocol knows', async (t) => {
  const tree = loadConfigFile(shippedDataConf())
  const named = Object.entries(tree.get() as Record<string, { type?: string }>).map(([name, { type = name, ...config }]) => {
    const protocol = PROTOCOLS.find((row) => row.name === type)!
    t.ok(protocol.schema.safeParse(config).success, name)
    return type
  })
  t.same(PROTOCOLS.map((row) => row.name).filter((name) => !named.includes(name) && name !== 'pairs'), [])
})

t.test('an entry of data_conf.yaml becomes figures', async (t) => {
  const photos = Object.fromEntries(['p0', 'p1', 'p2', 'p3'].flatMap((person) => [[person, { 'a.jpg': '', 'b.jpg': '' }]])) as never
  const pairs = 'p0/a.jpg p0/b.jpg 1\np0/a.jpg p1/a.jpg 0\np2/a.jpg p2/b.jpg 1\np2/a.jpg p3/a.jpg 0\n'
  const file = conf(t, { crop: photos, 'pairs.txt': pairs }, (folder) => `AgeDB30: {pairs_file_path: ${folder}/pairs.txt, cropped_face_folder: ${folder}/crop}\nLFW: {pair_file_path: x}\nown: {type: pair}\n`)
  const result = await openProtocol(file, 'AgeDB30').run(embedder, { folds: 2 })
  t.match(result, { kind: 'verification', name: 'AgeDB30', accuracy: 1, pairs: 4, images: 6 })
  t.throws(() => openProtocol(file, 'LFW'), { code: 'ERR_CONFIG', message: /data_conf.yaml:2:7 LFW.pair_file_path: unknown key, did you mean "pairs_file_path"\?/ })
  t.throws(() => openProtocol(file, 'own'), { code: 'ERR_CONFIG', message: /unknown protocol "pair", did you mean "pairs"\?/ })
  t.throws(() => openProtocol(file, 'LWF'), { code: 'ERR_CONFIG', message: /unknown entry "LWF", did you mean "LFW"\?/ })
})

t.test('a .bin file is embedded from memory', async (t) => {
  // What pickle.dumps(([b'0', b'0', b'1', b'2'], [True, False]), 2) of Python 2 amounts to.
  const pickle = Buffer.from('\x80\x02(](U\x010U\x010U\x011U\x012e](\x88\x89et.', 'latin1')
  const folder = t.testdir({ 'set.bin': pickle })
  writeFileSync(path.join(folder, 'data_conf.yaml'), `mine: {type: bin, file: ${folder}/set.bin}\n`)
  const open = openProtocol(path.join(folder, 'data_conf.yaml'), 'mine')
  await t.rejects(open.run(embedder, { folds: 2 }), { code: 'ERR_DATA', message: /2 folds need at least 2 pairs/ })
})

t.test('CPLFW and CALFW write a pair in two lines', async (t) => {
  const folder = t.testdir({ good: 'a.jpg 3\nb.jpg 3\nc.jpg 0\nd.jpg 0\n', bad: 'a.jpg 1\nb.jpg 0\nc\n' })
  t.match(openTwoLinePairs(path.join(folder, 'good')), { paths: ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg'], genuine: { 0: 1, 1: 0 }, folds: 10 })
  t.throws(() => openTwoLinePairs(path.join(folder, 'bad')), { code: 'ERR_DATA', message: /bad:3: expected "image label".*\n.*found 3 lines\n.*bad:2: expected the label of the line before/ })
})

t.test("RFW's lists are LFW's without the first line", async (t) => {
  const folder = t.testdir({ list: 'm.01\t1\t2\nm.01\t1\tm.02\t3\n' })
  const list = openPairs(path.join(folder, 'list'), 'lfw')
  t.same(list.paths, ['m.01/m.01_0001.jpg', 'm.01/m.01_0002.jpg', 'm.02/m.02_0003.jpg'])
  t.same([...list.genuine], [1, 0])
  t.equal(list.folds, undefined)
})

t.test("CFP's folder numbers its images and has a folder for each fold", async (t) => {
  const fold = () => ({ 'same.txt': '1,1\n', 'diff.txt': '1,2\n' })
  const folder = t.testdir({
    'Pair_list_F.txt': '1 ../Data/Images/001/frontal/01.jpg\n2 ../Data/Images/002/frontal/01.jpg\n',
    'Pair_list_P.txt': '1 ../Data/Images/001/profile/01.jpg\n2 ../Data/Images/002/profile/01.jpg\n',
    Split: { FP: { '01': fold(), '02': fold() }, FF: { '01': fold(), '02': { ...fold(), 'diff.txt': '1,3\n' } } },
  })
  const list = openCfpPairs(folder, 'FP')
  t.same(list.paths, ['001/frontal/01.jpg', '001/profile/01.jpg', '002/profile/01.jpg'])
  t.same([...list.genuine], [1, 0, 1, 0])
  t.equal(list.folds, 2)
  t.throws(() => openCfpPairs(folder, 'FF'), { code: 'ERR_DATA', message: /02.diff.txt:1: expected two image numbers/ })
})
