import t from 'tap'

import { openPairs, parsePairs } from '../../lib/data/pairs.js'
import { sharedPath } from '../shared.js'

t.test('a plain list names every image once and keeps the pairs as indices', async (t) => {
  const list = parsePairs('\uFEFFa.jpg b.jpg 1\r\n\r\nb.jpg c.jpg 0\n', 'pairs.txt')
  t.same(list.paths, ['a.jpg', 'b.jpg', 'c.jpg'])
  t.same([[...list.first], [...list.second], [...list.genuine]], [[0, 1], [1, 2], [1, 0]])
  t.same([...list.lines], [1, 3])
  t.equal(list.folds, undefined)
})

t.test('paths may hold blanks where tabs separate the fields', async (t) => {
  t.same(parsePairs('my face.jpg\tother face.jpg\t1\na\tb\t0', 'p').paths, ['my face.jpg', 'other face.jpg', 'a', 'b'])
})

t.test("LFW's list says its folds, and names become paths", async (t) => {
  const list = parsePairs('2\t1\nAda\t1\t12\nAda\t1\tBob\t2\nBob 3 4\nBob 1 Eve 10000\n', 'pairs.txt')
  t.equal(list.folds, 2)
  t.same(list.paths.slice(0, 3), ['Ada/Ada_0001.jpg', 'Ada/Ada_0012.jpg', 'Bob/Bob_0002.jpg'])
  t.equal(list.paths.at(-1), 'Eve/Eve_10000.jpg')
  t.same([...list.genuine], [1, 0, 1, 0])
})

t.test('every wrong line is reported with its number', async (t) => {
  const wrong = [
    'The pair list has mistakes:',
    '  p.txt:2: expected "path path 0/1", found 2 fields: "a b"',
    '  p.txt:4: expected "path path 0/1", found 4 fields: "a b c 1"; separate the fields by tabs where paths hold blanks',
    '  p.txt:5: expected 1 (same person) or 0 as the last field, found "2"',
  ]
  t.throws(() => parsePairs('a b 1\na b\n\na b c 1\na b 2\n', 'p.txt'), { code: 'ERR_DATA', message: wrong.join('\n') })
  t.throws(() => parsePairs('1 1\nAda 1 2\nAda 1 Bob x', 'p.txt'), { message: /p.txt:3: expected "name i j" or "name i name j", found "Ada 1 Bob x"/ })
})

t.test('lists that cannot be evaluated are refused', async (t) => {
  t.throws(() => parsePairs('\n', 'p'), { code: 'ERR_DATA', message: /has no pair/ })
  t.throws(() => parsePairs('a b 1\nc d 1', 'p'), { message: /of different people, found 2 and 0/ })
  t.throws(() => parsePairs('2 1\nAda 1 2\nAda 1 Bob 2', 'p'), { message: /p:1: declares 2 x 1 pairs of each kind \(4 in all\), found 2/ })
  t.throws(() => openPairs('/no/such/list.txt'), { code: 'ERR_DATA', message: /cannot be read/ })
})

t.test('the official LFW list has 6000 pairs of 7701 images in 10 folds', async (t) => {
  const file = sharedPath('data', 'faces', 'lfw_pairs.txt')
  if (file === undefined) return t.pass('shared data', { skip: 'this machine has no shared data' })
  const list = openPairs(file)
  t.equal(list.paths.length, 7701)
  t.equal(list.genuine.length, 6000)
  t.equal(list.folds, 10)
})
