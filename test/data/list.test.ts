import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'

import { openClassFolders } from '../../lib/data/class-folders.js'
import { mix, openDataset } from '../../lib/data/dataset.js'
import { openList, parseList } from '../../lib/data/list.js'
import { pathsAt } from '../../lib/data/sample-set.js'

const parse = (text: string) => {
  const list = parseList(Buffer.from(text))
  return { ...list, paths: pathsAt(list.paths, [...list.labels.keys()]), labels: [...list.labels] }
}

t.test('a list line is a path, which may hold spaces, and a label', (t) => {
  const { paths, labels, problems } = parse('a/1.jpg 0\nAnn Lee/my photo.jpg 1\n張偉/1.png\t2\n')
  t.same(paths, ['a/1.jpg', 'Ann Lee/my photo.jpg', '張偉/1.png'])
  t.same(labels, [0, 1, 2])
  t.same(problems, [])
  t.end()
})

t.test('CRLF, empty lines, a byte order mark and a missing last newline change nothing', (t) => {
  const { paths, labels, problems } = parse('\ufeffa.jpg 0\r\n\r\n  \nb.jpg  1 \r\nc.jpg 2')
  t.same(paths, ['a.jpg', 'b.jpg', 'c.jpg'])
  t.same(labels, [0, 1, 2])
  t.same(problems, [])
  t.end()
})

t.test('every wrong line is reported with its number', (t) => {
  const { problems, labels } = parse('a.jpg 0\nonly-a-path.jpg\nb.jpg -1\n\nc.jpg 1.5\nd.jpg x\n7\ne\0.jpg 0\nf.jpg 99999999999\n')
  t.same(problems.map((problem) => problem.line), [2, 3, 5, 6, 7, 8, 9])
  t.same(labels, [0])
  t.match(problems[0]!.text, /only one field: "only-a-path.jpg"/)
  t.match(problems[1]!.text, /expected a label from 0 to \d+ as the last field, found "b.jpg -1"/)
  t.end()
})

t.test('samples know their lines, also behind empty ones', (t) => {
  const folder = t.testdir({ 'train.txt': '\na.jpg 0\n\n\nb.jpg 1\nc.jpg 1\n' })
  const file = path.join(folder, 'train.txt')
  t.same(openList(file, '/faces').describe([0, 1, 2]), [`${file}:2: a.jpg`, `${file}:5: b.jpg`, `${file}:6: c.jpg`])
  t.end()
})

t.test('labels must fill 0 to K - 1', (t) => {
  const folder = t.testdir({ 'gaps.txt': 'a.jpg 0\nb.jpg 3\n', 'huge.txt': 'a.jpg 0\nb.jpg 2000000000\n', 'empty.txt': '\n\n' })
  const problemsOf = (name: string) => openList(path.join(folder, name), '').problems.join()
  t.match(problemsOf('gaps.txt'), /gaps.txt: labels 0 to 3 must all occur: 2 of them do not \(1, 2\)/)
  t.match(problemsOf('huge.txt'), /1999999999 of them do not \(1, 2, 3, 4, 5, \.\.\.\)/)
  t.match(problemsOf('empty.txt'), /the list has no line/)
  t.throws(() => openList(path.join(folder, 'missing.txt'), ''), { code: 'ERR_DATA', message: /missing.txt: the list cannot be read/ })
  t.end()
})

t.test('class folders get labels by sorted name; what is no image is ignored and noted', (t) => {
  const folder = t.testdir({
    b: { '2.JPG': '', '1.png': '', 'notes.txt': '' },
    'a person': { '1.jpeg': '' },
    empty: {},
    Ö: { '1.jpg': '' },
    'README.md': '',
  })
  const set = openClassFolders(folder)
  t.same(set.classNames, ['a person', 'b', 'Ö'])
  t.same([...set.labels], [0, 1, 1, 2])
  t.same(set.describe([0, 1, 2]), ['a person/1.jpeg', 'b/1.png', 'b/2.JPG'].map((name) => path.join(folder, name)))
  t.equal(set.notes.length, 3, set.notes.join('; '))
  t.same(set.problems, [])
  t.match(openClassFolders(path.join(folder, 'a person')).problems.join(), /expected a folder for each class/)
  t.throws(() => openClassFolders(path.join(folder, 'nowhere')), { code: 'ERR_DATA' })
  t.end()
})

t.test('mixed sources continue each other: labels, places, weights', async (t) => {
  const folder = t.testdir({ faces: { x: { '1.jpg': '' }, y: { '1.jpg': '' } } })
  mkdirSync(path.join(folder, 'lists'))
  const list = path.join(folder, 'lists', 'train.txt')
  writeFileSync(list, 'p/1.jpg 0\nq/1.jpg 1\nq/2.jpg 1\n')
  const data = await openDataset([
    { kind: 'list', list, root: '/data', weight: 2 },
    { kind: 'folder', root: path.join(folder, 'faces') },
  ])
  t.same([...data.labels], [0, 1, 1, 2, 3])
  t.equal(data.classCount, 4)
  t.same(data.parts, [{ first: 0, size: 3, weight: 2, firstLabel: 0 }, { first: 3, size: 2, weight: 1, firstLabel: 2 }])
  t.same(data.describe([1, 3]), [`${list}:2: q/1.jpg`, path.join(folder, 'faces', 'x/1.jpg')])
  t.not(data.classMapHash, mix([openClassFolders(path.join(folder, 'faces'))]).classMapHash)
  t.end()
})

t.test('mistakes of all sources are thrown together', async (t) => {
  const folder = t.testdir({ 'a.txt': 'x\n', 'b.txt': 'a.jpg 5\n' })
  const list = (name: string) => ({ kind: 'list' as const, list: path.join(folder, name), root: '' })
  await t.rejects(openDataset([list('a.txt'), list('b.txt')]), { code: 'ERR_DATA', problems: [/a\.txt:1:/, /b\.txt: labels 0 to 5/] as never })
  t.end()
})
